"""Designs: which runs to do for a budget, for forecasts or for a decision."""
