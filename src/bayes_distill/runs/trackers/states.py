"""States of runs under the names that trackers and schedulers give them."""

from __future__ import annotations

from collections.abc import Collection

FINISHED = frozenset({"finished", "completed", "complete", "success", "succeeded", "done", "ok"})
"""All of these are the state ``finished``."""
STATES = FINISHED | {
    "aborted",
    "canceled",
    "cancelled",
    "crashed",
    "deleted",
    "diverged",
    "error",
    "errored",
    "failed",
    "failure",
    "initializing",
    "interrupted",
    "killed",
    "node_fail",
    "out_of_memory",
    "oom",
    "pending",
    "preempted",
    "preempting",
    "queued",
    "running",
    "scheduled",
    "starting",
    "stopped",
    "terminated",
    "timeout",
}
COLUMNS = (
    "state",
    "status",
    "run_state",
    "run_status",
    "job_state",
    "job_status",
    "training_state",
    "training_status",
)
"""Names of a column of states, in lower case and with underscores."""


def is_state_column(cells: Collection[object]) -> bool:
    """Whether most of the cells that are not empty are states."""
    texts = [str(cell).strip().casefold() for cell in cells if cell not in (None, "")]
    known = sum(text.replace(" ", "_") in STATES for text in texts)
    return known > len(texts) / 2


def is_wanted(state: str, wanted: Collection[str]) -> bool:
    """Whether a state is one of those wanted, in any case; all names of finished are one."""
    return _plain(state) in {_plain(each) for each in wanted}


def _plain(state: str) -> str:
    name = state.strip().casefold()
    return "finished" if name in FINISHED else name
