"""NumPyro's NUTS kernel against BlackJAX's, under the driver of this package.

All kernels get the same starts and first inverse mass matrix, the same windows and rules for the
inverse mass matrix and the step size (dual averaging in the windows is NumPyro's for all), the
same threads and the same blocks. All build trees of up to 2^10 leapfrog steps, end them by the
generalised U-turn criterion with checks of subtrees, call an energy error above 1000 a divergence,
and average the acceptance probability over all states of a tree.

Each kernel warms up, then they sample in turn, a block of 100 transitions each, in one process, so
that what else runs on the machine slows all alike. Time is wall time, and processor time of all
threads, which counts no waiting. Compilation and peak memory are those of separate processes with
an empty cache.

    python benchmarks/kernels.py [--cards CARD ...] [--kernels KERNEL ...] [--seeds 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from functools import partial
from statistics import median
from typing import Any

import jax
import numpy as np

from bayes_distill.inference.density import potential
from bayes_distill.inference.initialisation import site_shapes, starting_points
from bayes_distill.inference.kernel import NumPyroNuts
from bayes_distill.inference.metric import Metric
from bayes_distill.inference.programs import BLOCK, Programs, chain_keys
from bayes_distill.inference.settings import SamplerSettings
from bayes_distill.inference.stage_runner import StageRunner
from bayes_distill.inference.warm_up import FIRST_STEP, warm_up
from blackjax_kernel import BlackJaxNuts, BlackJaxOwnMetric
from common import (
    CARDS,
    in_a_process,
    inputs_of,
    markdown_table,
    peak_memory_gb,
    quality,
    write_json,
)

KERNELS: dict[str, Any] = {
    "numpyro": NumPyroNuts,
    "blackjax": BlackJaxNuts,
    "blackjax, own metric": BlackJaxOwnMetric,
}
BASE = "numpyro"


def programs_of(kernel: str, card: Any, spec: Any, settings: SamplerSettings) -> Programs:
    """Programs that sample the model of a card with one of the kernels."""
    of_spec = partial(potential, spec)
    return Programs(of_spec, settings.window, card.target_accept, kernel=KERNELS[kernel])


def compiled(card_name: str, kernel: str) -> dict[str, float]:
    """Seconds to trace and compile the programs of one kernel in turn, and peak memory."""
    card, spec, data, hyper = inputs_of(card_name)
    programs = programs_of(kernel, card, spec, SamplerSettings())
    arguments = jax.device_put((data, hyper))
    shapes = site_shapes(spec, data, hyper)
    before, clock, processor = peak_memory_gb(), time.perf_counter(), time.process_time()
    for future in programs.ahead(shapes, arguments, SamplerSettings().chains):
        future.result()
    return {
        "seconds": time.perf_counter() - clock,
        "processor_seconds": time.process_time() - processor,
        "peak_gb": peak_memory_gb(),
        "peak_gb_before": before,
    }


def sampled(card_name: str, kernels: list[str], seeds: int, draws: int) -> list[dict[str, Any]]:
    """One row a seed and kernel: quality, work and time of draws made in turn."""
    card, spec, data, hyper = inputs_of(card_name)
    settings = SamplerSettings(draws=draws, target_accept=card.target_accept)
    arguments = jax.device_put((data, hyper))
    programs = {name: programs_of(name, card, spec, settings) for name in kernels}
    rows = []
    for seed in range(seeds):
        gradient = programs[kernels[0]].gradient
        z, matrix = starting_points(spec, data, hyper, settings.chains, seed, gradient)
        states, of_kernel = {}, {}
        for name in kernels:
            states[name], of_kernel[name] = _warmed_up(
                programs[name], z, matrix, arguments, settings, seed
            )
        blocks: dict[str, list[Any]] = {name: [] for name in kernels}
        for block in range(-(-draws * card.transitions_per_draw // BLOCK)):
            for name in kernels if block % 2 == 0 else kernels[::-1]:
                clock, processor = time.perf_counter(), time.process_time()
                states[name], records = programs[name].advance(states[name], arguments, BLOCK)
                of_kernel[name]["seconds"] += time.perf_counter() - clock
                of_kernel[name]["processor_seconds"] += time.process_time() - processor
                blocks[name].append(records)
        rows += [
            {"seed": seed, "kernel": name, **of_kernel[name], **_work(blocks[name])}
            for name in kernels
        ]
    return rows


def _warmed_up(
    programs: Programs,
    z: Any,
    matrix: np.ndarray,
    arguments: Any,
    settings: SamplerSettings,
    seed: int,
) -> tuple[Any, dict[str, float]]:
    """State after the driver's warm-up, and what it took; no draw has been timed."""
    metric = Metric.first(matrix, settings.chains)
    state = programs.start(
        chain_keys(seed, 0, settings.chains), z, metric.inverse_mass_matrix, FIRST_STEP, arguments
    )
    programs.compile(state, arguments)
    runner = StageRunner(programs, arguments)
    state, _, transitions = warm_up(runner, state, metric, settings, seed)
    step_size = float(programs.kernel.step_sizes(state)[0])
    took = {"warm_up": transitions, "step_size": step_size}
    return state, took | {"seconds": 0.0, "processor_seconds": 0.0}


def _work(blocks: list[Any]) -> dict[str, float]:
    """Quality of the draws of blocks (transitions, chains, ...), and leapfrog steps they took."""
    draws, stats = jax.tree.map(lambda *b: np.swapaxes(np.concatenate(b), 0, 1), *blocks)
    return {
        **quality(draws),
        "leapfrog_steps": int(stats["n_steps"].sum()),
        "leapfrog_steps_a_draw": float(stats["n_steps"].mean()),
        "divergences": int(stats["diverging"].sum()),
        "acceptance": float(stats["acceptance_rate"].mean()),
    }


def rates(row: dict[str, Any]) -> dict[str, float]:
    """Effective draws by leapfrog step and second, and time of a leapfrog step.

    The mean over all numbers that were sampled is geometric, of bulk and tail. It varies far less
    from one seed to the next than the least of them.
    """
    least = min(row["ess_bulk_min"], row["ess_tail_min"])
    mean = (row["ess_bulk_mean"] * row["ess_tail_mean"]) ** 0.5
    return {
        "least_ess": least,
        "least_ess_per_1000_steps": 1e3 * least / row["leapfrog_steps"],
        "mean_ess_per_1000_steps": 1e3 * mean / row["leapfrog_steps"],
        "mean_ess_per_second": mean / row["seconds"],
        "mean_ess_per_processor_second": mean / row["processor_seconds"],
        "processor_microseconds_a_step": 1e6 * row["processor_seconds"] / row["leapfrog_steps"],
    }


def table(card: str, rows: list[dict[str, Any]], compilations: dict[str, list[Any]]) -> str:
    """Markdown of one card: medians over seeds, and of ratios over NumPyro's seed by seed."""
    by_kernel = {name: [r for r in rows if r["kernel"] == name] for name in compilations}
    lines: list[list[object]] = []
    for name, its in by_kernel.items():
        of = {key: [rates(r)[key] for r in its] for key in rates(its[0])}
        compiling = compilations[name]
        lines.append(
            [
                name,
                f"{min(r['warm_up'] for r in its)} to {max(r['warm_up'] for r in its)}",
                f"{median(r['step_size'] for r in its):.3f}",
                f"{median(r['leapfrog_steps_a_draw'] for r in its):.1f}",
                f"{median(of['least_ess']):.0f}, {min(of['least_ess']):.0f}",
                f"{max(r['rhat_max'] for r in its):.3f}",
                sum(r["divergences"] for r in its),
                f"{median(of['least_ess_per_1000_steps']):.1f}",
                f"{median(of['mean_ess_per_1000_steps']):.1f}",
                f"{median(of['processor_microseconds_a_step']):.1f}",
                f"{median(of['mean_ess_per_processor_second']):.0f}",
                f"{median(of['mean_ess_per_second']):.0f}",
                f"{median(c['processor_seconds'] for c in compiling):.1f}",
                f"{median(c['peak_gb'] for c in compiling):.2f}",
            ]
        )
    for name in [k for k in by_kernel if k != BASE]:
        pairs = [
            (rates(b), rates(n)) for b, n in zip(by_kernel[BASE], by_kernel[name], strict=True)
        ]
        ratio = {key: median(n[key] / b[key] for b, n in pairs) for key in pairs[0][0]}
        base, its = (median(c["processor_seconds"] for c in compilations[k]) for k in (BASE, name))
        lines.append(
            [
                f"{name}: ratio",
                *[""] * 6,
                f"{ratio['least_ess_per_1000_steps']:.2f}",
                f"{ratio['mean_ess_per_1000_steps']:.2f}",
                f"{ratio['processor_microseconds_a_step']:.2f}",
                f"{ratio['mean_ess_per_processor_second']:.2f}",
                f"{ratio['mean_ess_per_second']:.2f}",
                f"{its / base:.2f}",
                "",
            ]
        )
    header = [
        card,
        "warm-up",
        "step size",
        "leapfrog steps a draw",
        "smallest ESS (median, least)",
        "largest R-hat",
        "divergences",
        "smallest ESS by 1000 steps",
        "mean ESS by 1000 steps",
        "CPU us a step",
        "mean ESS by CPU s",
        "mean ESS/s",
        "compilation, CPU s",
        "peak GB",
    ]
    return markdown_table(header, lines)


def main(arguments: list[str] | None = None) -> int:
    """Print a table for each card, or run one part for it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cards", nargs="+", default=list(CARDS))
    parser.add_argument("--kernels", nargs="+", default=list(KERNELS), choices=KERNELS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--json")
    parser.add_argument("--compile", nargs=2, metavar=("CARD", "KERNEL"))
    parser.add_argument("--sample", metavar="CARD")
    options = parser.parse_args(arguments)
    if options.compile:
        print(json.dumps(compiled(*options.compile)))
        return 0
    if options.sample:
        print(json.dumps(sampled(options.sample, options.kernels, options.seeds, options.draws)))
        return 0
    results: dict[str, Any] = {}
    common = ("--kernels", *options.kernels, "--seeds", options.seeds, "--draws", options.draws)
    for card in options.cards:
        compilations: dict[str, list[Any]] = {name: [] for name in options.kernels}
        for _ in range(options.seeds):
            for name in options.kernels:
                with tempfile.TemporaryDirectory() as empty:
                    took = in_a_process(
                        __file__, "--compile", card, name, BAYES_DISTILL_CACHE=empty
                    )
                compilations[name].append(took)
        rows = in_a_process(__file__, "--sample", card, *common)
        results[card] = {"rows": rows, "compilations": compilations}
        print(table(card, rows, compilations), end="\n\n", flush=True)
    write_json(options.json, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
