"""Forecasts held against runs that the fit has not seen."""
