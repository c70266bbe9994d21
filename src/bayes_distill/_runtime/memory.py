"""Memory that was freed goes back to the system.

The C library keeps what it frees for later, and the small results of thousands of blocks come to
lie between the large arrays of each, until no gap is wide enough for the next: memory then grows
with the blocks, though hardly any of it is in use.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Return freed memory to the system, where the C library can (glibc)."""
    with suppress(AttributeError, OSError, TypeError):  # another library: no such call
        ctypes.CDLL(None).malloc_trim(0)
