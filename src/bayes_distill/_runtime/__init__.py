"""JAX, NumPyro, threads, memory and caches as this package uses them."""
