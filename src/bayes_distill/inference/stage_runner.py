"""The stages of one run, each in blocks of transitions, with progress and a checkpoint between."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from bayes_distill._input.progress import Progress
from bayes_distill.inference.checkpoint import Checkpoint, Position, leaves_of, state_like
from bayes_distill.inference.metric import Metric
from bayes_distill.inference.programs import BLOCK, Programs

Stats = dict[str, np.ndarray]


class StageRunner:
    """Runs stages, and writes the state to the checkpoint, if there is one, after every block.

    Parameters
    ----------
    programs, arguments
        What is sampled.
    checkpoint
        Where the run continues from, and is written to.
    progress
        Called with (phase, transitions done, transitions in all) after every block.
    """

    def __init__(
        self,
        programs: Programs,
        arguments: Any,
        checkpoint: Checkpoint | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.programs, self.arguments = programs, arguments
        self.checkpoint, self.progress = checkpoint, progress
        self.position = None if checkpoint is None else checkpoint.position()
        self.first_stage = 0 if self.position is None else self.position.stage
        self.seconds: dict[str, float] = {} if self.position is None else self.position.seconds

    def resumed(self, state: Any, metric: Metric) -> tuple[int, Any, Metric]:
        """Number of the stage to begin with, and its state and metric."""
        if self.position is None:
            return self.first_stage, state, metric
        at = self.position
        return at.stage, state_like(state, at.state), at.metric

    def run(
        self,
        stage: int,
        state: Any,
        metric: Metric,
        steps: int,
        phase: str,
        before: int,
        total: int,
        every: int = BLOCK,
        between: Callable[[Any, Stats], Any] | None = None,
    ) -> tuple[Any, dict[str, np.ndarray], Stats]:
        """Run `steps` transitions in blocks; the state after, and draws and statistics of all.

        Parameters
        ----------
        stage, state, metric
            Number of the stage, and the state and metric that it begins with.
        steps
            Transitions of the stage.
        phase, before, total
            For progress: the name of the phase, and its transitions before this stage and in all.
        every
            Transitions of a block.
        between
            Called after every block with the state and all statistics so far (transitions,
            chains); returns the state to continue from.
        """
        clock, spent = time.perf_counter(), self.seconds.get(phase, 0.0)
        blocks, first = [], 0
        if self.position is not None:  # of this stage: the loop begins with it
            blocks, first = [(self.position.draws, self.position.stats)], self.position.done
            self.position = None
        try:
            for done in range(first, steps, every):
                size = min(every, steps - done)
                state, block = self.programs.advance(state, self.arguments, size)
                blocks.append(jax.tree.map(lambda leaf, size=size: leaf[:size], block))
                if between is not None:
                    state = between(state, _concatenated([stats for _, stats in blocks]))
                self.seconds[phase] = spent + time.perf_counter() - clock
                self._write(stage, done + size, state, metric, blocks)
                if self.progress:
                    self.progress(phase, before + done + size, total)
        except BaseException:  # an interrupt too: what was done is not lost
            if self.checkpoint is not None:
                self.checkpoint.flush()
            raise
        self.seconds.setdefault(phase, spent)
        # (steps, chains, ...) -> (chains, steps, ...)
        draws, stats = jax.tree.map(lambda leaf: np.swapaxes(leaf, 0, 1), _concatenated(blocks))
        return state, draws, stats

    def _write(self, stage: int, done: int, state: Any, metric: Metric, blocks: list[Any]) -> None:
        if self.checkpoint is None:
            return
        seconds, so_far = dict(self.seconds), list(blocks)

        def position() -> Position:
            draws, stats = _concatenated(so_far)
            return Position(stage, done, leaves_of(state), metric, draws, stats, seconds)

        self.checkpoint.note(position)


def _concatenated(blocks: list[Any]) -> Any:
    """Trees of blocks (steps, chains, ...) as one tree."""
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *blocks)
