"""Cards as texts, shared by tests."""

from __future__ import annotations

PRIORS_OF_CHINCHILLA = """
[priors]
floor = { family = "lognormal", median = 0.6, sd = 0.4 }
level = { family = "lognormal", median = 0.3, sd = 0.8 }
share = { family = "logitnormal", median = 0.5, sd = 1.5 }
slope_params = { family = "gamma", mean = 0.25, sd = 0.1 }
slope_tokens = { family = "lognormal", median = 0.25, sd = 0.6 }
"""
"""Priors of every coordinate of the law ``chinchilla``."""
