"""Which code runs in a block: to see that a program was traced from the sources in its name."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from types import CodeType, FrameType

from bayes_distill._runtime.sources import LIBRARIES

MONITOR = sys.monitoring
STARTS = MONITOR.events.PY_START
TOOLS = (3, 4, 5, 2, 1, 0)  # numbers that Python has for tools; 3 and 4 are reserved for none
BACKGROUND = ("weakref", "importlib", "_frozen_importlib", "filelock")
LISTENERS = "jax._src.monitoring"  # calls functions that time JAX, of whoever registered them
"""What runs whenever an object is no longer used, a module is imported, or JAX reads its cache."""


@contextmanager
def foreign_code(known: set[CodeType]) -> Iterator[list[CodeType] | None]:
    """List the code that this thread runs in the block and that is not among the known.

    Code of Python and of `LIBRARIES` is known, and so is what they generate for a class, such as
    ``__init__`` of a dataclass. Finalizers and imports are not listed, and the garbage collector
    waits until the block ends. Yields ``None`` where other tools leave no room to watch.
    """
    tool = next((number for number in TOOLS if MONITOR.get_tool(number) is None), None)
    if tool is None:
        yield None
        return
    foreign: list[CodeType] = []
    thread = get_ident()

    def started(code: CodeType, _: int) -> object:
        if get_ident() != thread:
            return None  # watch on: this thread may start it later
        frame = sys._getframe(1)
        if code not in known and not _of_libraries(frame):
            if _in_background(frame):
                return None
            foreign.append(code)
        return MONITOR.DISABLE

    collects = gc.isenabled()
    gc.disable()
    MONITOR.use_tool_id(tool, __name__)
    MONITOR.register_callback(tool, STARTS, started)
    MONITOR.set_events(tool, STARTS)
    MONITOR.restart_events()
    try:
        yield foreign
    finally:
        MONITOR.set_events(tool, 0)
        MONITOR.register_callback(tool, STARTS, None)
        MONITOR.free_tool_id(tool)
        if collects:
            gc.enable()


def _of_libraries(frame: FrameType) -> bool:
    top = _top(frame)
    return top in LIBRARIES or top in sys.stdlib_module_names or _is_generated(frame.f_code, top)


def _is_generated(code: CodeType, top: str) -> bool:
    """Whether code is a method that dataclasses or namedtuple made."""
    made = code.co_qualname.startswith("__create_fn__.") or top.startswith("namedtuple_")
    return made and code.co_filename == "<string>"


def _in_background(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "__del__" or _top(frame) in BACKGROUND:
            return True
        if frame.f_globals.get("__name__") == LISTENERS:
            return True
        frame = frame.f_back
    return False


def _top(frame: FrameType) -> str:
    """Top-level package of the code of a frame."""
    return str(frame.f_globals.get("__name__")).partition(".")[0]
