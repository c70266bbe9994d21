"""A limit of the address space (``ulimit -v``) that XLA cannot work in is told before it starts."""

from __future__ import annotations

import sys

from bayes_distill.errors import BayesDistillError

if sys.platform != "win32":
    import resource

LEAST = 4 * 2**30
"""Bytes. A fit reserves 3.5 GB on two cores, though it uses a tenth of that: stacks of threads and
compiled programs. More cores reserve more."""


def require_address_space() -> None:
    """Refuse a process whose address space is limited to less than `LEAST`.

    XLA, LLVM and OpenBLAS end a process in which they cannot reserve memory, without an exception.

    Raises
    ------
    BayesDistillError
        If it is.
    """
    if sys.platform == "win32":
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LEAST:
        raise BayesDistillError(
            f"the address space of this process is limited to {limit / 2**30:.1f} GiB (ulimit -v): "
            f"JAX reserves {LEAST / 2**30:.0f} GiB and more, and uses little of it; limit the "
            "memory of a container instead"
        )
