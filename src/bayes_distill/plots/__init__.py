"""Plots: one file each, with its numbers, its drawing and its entry in the registry.

`plot` draws one by its name, `PLOTS` lists them, `register` adds one. The functions in the modules
take results and the axes to draw on. Importing this package imports neither JAX nor matplotlib.
"""

from bayes_distill.plots.drawing import plot
from bayes_distill.plots.registry import PLOTS, Drawing, InReport, Plot, Request, register

__all__ = ["PLOTS", "Drawing", "InReport", "Plot", "Request", "plot", "register"]
