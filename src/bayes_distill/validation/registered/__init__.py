"""Registered forecasts: whether they were changed, and how they did once runs came."""
