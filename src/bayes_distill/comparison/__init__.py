"""Fits of the same runs, held against each other and put together."""
