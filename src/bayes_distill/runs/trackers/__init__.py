"""Runs of an experiment tracker: an MLflow store, or a table that Weights & Biases exported."""
