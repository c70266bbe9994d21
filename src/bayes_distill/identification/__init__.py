"""Identifiability: what the runs tell about each coefficient, and which run to do next."""
