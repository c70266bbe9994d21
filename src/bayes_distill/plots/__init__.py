"""Plots of results that exist already: they compute nothing.

One function a plot, in its own file. Each takes a result object and optionally the axes to draw on,
and returns the axes.
"""
