"""Plots of results that exist already: they compute nothing."""
