"""From a card and runs to a posterior: the model, NUTS, diagnostics."""

# ArviZ puts a lazy stand-in for numpyro in place. Importing a submodule through it first loads
# that submodule twice and leaves it broken; asking it for an attribute, as here, loads it whole.
from numpyro import infer as _infer  # noqa: F401
