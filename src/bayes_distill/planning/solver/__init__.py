"""Optimisers of an allocation, batched over draws, budgets and scenarios."""
