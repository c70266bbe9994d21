"""From a card and runs to a posterior: the model, NUTS, diagnostics."""

from bayes_distill._runtime import numpyro as _numpyro  # noqa: F401  before any module here imports a part of it
