"""Simulation-based calibration: whether posteriors hold the truths that a card's prior makes."""
