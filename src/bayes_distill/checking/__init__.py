"""Checks of a fitted model: predictive checks, LOO-PIT, power-scaling sensitivity."""
