"""What a long process holds: freed memory is returned, and memory maps stay below their limit."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path

import jax

MAP_LIMIT = Path("/proc/sys/vm/max_map_count")
MAPS = Path("/proc/self/maps")


def return_freed_memory() -> None:
    """Return freed memory to the system, where the C library can (glibc).

    It keeps what it frees for later, and the small results of thousands of blocks come to lie
    between the large arrays of each, until no gap is wide enough for the next: memory then grows
    with the blocks, though hardly any of it is in use.
    """
    with suppress(AttributeError, OSError, TypeError):  # another library: no such call
        ctypes.CDLL(None).malloc_trim(0)


def drop_programs_near_map_limit() -> bool:
    """Drop compiled programs where this process comes near the most memory maps Linux allows it.

    Every program on a CPU holds some memory maps, a fit about 1,700. Past the limit (65,530 unless
    set otherwise) a process crashes: after some 30 fits of tables of different sizes. What is
    dropped is read back from the cache of compiled programs when it is next needed.
    """
    try:
        limit = int(MAP_LIMIT.read_text())
        with MAPS.open("rb") as maps:
            number = sum(1 for _ in maps)
    except (OSError, ValueError):  # not Linux, or not allowed to look: no such limit is known
        return False
    if number < limit / 2:
        return False
    jax.clear_caches()
    return True
