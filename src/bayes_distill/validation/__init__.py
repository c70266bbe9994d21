"""Forecasts compared with runs that the fit has not seen."""
