"""From a card and runs to a posterior: the model, NUTS, diagnostics."""

# ArviZ registers a lazy stand-in for numpyro that, used before the real import, leaves the
# package without its submodules as attributes; importing numpyro first avoids that.
import numpyro as _numpyro  # noqa: F401
