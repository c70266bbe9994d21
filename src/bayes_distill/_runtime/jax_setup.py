"""JAX as this package needs it: float64, and compiled programs stored between processes."""

from __future__ import annotations

import os
from pathlib import Path

import jax
import platformdirs

from bayes_distill._runtime.address_space import require_address_space
from bayes_distill.errors import BayesDistillError

FORBIDDEN = ("0", "false", "f", "no", "n", "off")
CACHE_BYTES = 2**30  # of compiled programs: a fit and its forecasts take some 30 MB


def cache_folder() -> Path:
    """Folder of compiled programs; ``BAYES_DISTILL_CACHE`` moves it."""
    root = os.environ.get("BAYES_DISTILL_CACHE") or platformdirs.user_cache_dir("bayes-distill")
    return Path(root) / "jax"


def configure() -> None:
    """Turn on float64 and the persistent compilation cache (unless JAX already has one).

    Raises
    ------
    BayesDistillError
        If ``JAX_ENABLE_X64`` forbids float64: a law with exponents is not computed in float32. If
        the address space is limited to less than XLA reserves.
    """
    require_address_space()
    if os.environ.get("JAX_ENABLE_X64", "").lower() in FORBIDDEN:
        raise BayesDistillError(
            "JAX_ENABLE_X64 forbids float64, which bayes-distill computes in: unset it, and "
            "give arrays of your own that are to be float32 their dtype"
        )
    jax.config.update("jax_enable_x64", True)
    if jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder()))
        # a fit is made of small programs that are each below JAX's default threshold of a second
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
        if _can_be_written(cache_folder()):  # the oldest are removed, under a lock
            jax.config.update("jax_compilation_cache_max_size", CACHE_BYTES)


def require_float64() -> None:
    """Refuse to compute where somebody has switched float64 off again, for a block or for good.

    Raises
    ------
    BayesDistillError
        If JAX computes in float32 here.
    """
    if not jax.config.jax_enable_x64:
        raise BayesDistillError(
            "JAX computes in float32 here, and bayes-distill in float64: call it outside of "
            "jax.enable_x64(False), and leave jax_enable_x64 on"
        )


def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


configure()
