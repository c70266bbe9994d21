"""Questions to a posterior: forecasts, the capacity gap, the optimal teacher."""
