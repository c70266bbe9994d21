"""NumPyro as this package imports it: whole, and without a word.

ArviZ puts a lazy stand-in for numpyro in place. Importing a submodule through it first loads that
submodule twice and leaves it broken; asking it for an attribute, as here, loads it whole.

In a notebook without ipywidgets, tqdm warns that it cannot draw progress bars as NumPyro is
imported. No bar of NumPyro's is ever drawn here, so that the warning would only mislead.
"""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="IProgress not found")
    from numpyro import distributions, infer

__all__ = ["distributions", "infer"]
