"""Identifiability: what the runs identify of each coefficient, and which run to do next."""
