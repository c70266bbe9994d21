"""JAX and NumPyro as this package uses them: set-up, threads, devices, memory, stored programs."""
