"""How NUTS runs: numbers of chains and of transitions, and the target acceptance."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_WINDOW = 25  # transitions


@dataclass(frozen=True)
class SamplerSettings:
    """Numbers of chains, warm-up transitions and draws, and target acceptance.

    Warm-up ends earlier where fewer transitions are enough, see `warm_up`. Of
    `transitions_per_draw` transitions the last is a draw. Sampling goes on at most `extensions`
    times, see `sample_until_mixed`.
    """

    chains: int = 4
    warmup: int = 1000
    draws: int = 1000
    target_accept: float = 0.9
    transitions_per_draw: int = 1
    extensions: int = 0

    @property
    def tuning(self) -> int:
        """Transitions of the last stage of warm-up, which sets the step size."""
        return self.warmup // 4

    @property
    def window(self) -> int:
        """Transitions of one window, which estimates the inverse mass matrix."""
        return max(self.warmup // 8, min(LEAST_WINDOW, self.warmup // 4))

    @property
    def windows(self) -> int:
        """Windows at most; the stages after them set the step size and sample."""
        return (self.warmup - self.tuning) // self.window
