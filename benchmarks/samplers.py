"""Time to a posterior, and effective draws a second, against other libraries on the same model.

Every side fits the same card to the same runs (`pymc_model.same_density` says that the densities
agree) with four chains of 1000 + 1000 transitions and the card's target acceptance, each in a
separate process, one after the other, several times round; medians are shown.

- ``bayes-distill``: what `fit` samples with, with a compilation cache that is empty (cold) or
  filled (warm);
- ``printed``: the printed coefficients in NumPyro, see `sampling.py` (distillation only);
- ``pymc``: the model in PyMC, sampled by nutpie with its defaults, chains on all cores;
- ``blackjax``: the density of this package under BlackJAX's own warm-up, `window_adaptation` with a
  dense mass matrix for each chain, started at draws from the prior, chains vectorised.

So the last row compares schemes of warm-up and of running chains. `kernels.py` compares kernels.

    python benchmarks/samplers.py [--rounds 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from common import (
    CARDS,
    in_a_process,
    inputs_of,
    markdown_table,
    peak_memory_gb,
    quality,
    write_json,
)

BEGUN = time.perf_counter()
SIDES = ("bayes-distill", "printed", "pymc", "blackjax")
CHAINS, WARMUP, DRAWS = 4, 1000, 1000


def bayes_distill(card_name: str, seed: int) -> dict[str, Any]:
    """Draws of this package's sampler."""
    from bayes_distill.inference.sampler import run_nuts
    from bayes_distill.inference.settings import SamplerSettings

    card, spec, data, hyper = inputs_of(card_name)
    settings = SamplerSettings(CHAINS, WARMUP, DRAWS, card.target_accept, card.transitions_per_draw)
    sample = run_nuts(spec, data, hyper, settings, seed)
    return {"draws": sample.unconstrained, "sampling": sample.seconds["sampling"]}


def printed(card_name: str, seed: int) -> dict[str, Any]:
    """Draws of the printed coefficients."""
    import jax.numpy as jnp

    from bayes_distill.cards import load_card
    from bayes_distill.inference.settings import SamplerSettings
    from bayes_distill.runs import read_runs
    from sampling import sample_printed

    card = load_card(card_name)
    frame = read_runs("busbridge2025").frame
    columns = ("params", "tokens", "loss", "teacher_loss")
    runs = {name: jnp.asarray(frame[name].to_numpy(float)) for name in columns}
    settings = SamplerSettings(CHAINS, WARMUP, DRAWS, card.target_accept)
    sample = sample_printed(runs, settings, seed)
    return {"draws": sample.unconstrained, "sampling": sample.seconds["sampling"]}


def pymc(card_name: str, seed: int) -> dict[str, Any]:
    """Draws of nutpie from the PyMC model."""
    import nutpie

    from pymc_model import pymc_model, same_density

    card, spec, data, hyper = inputs_of(card_name)
    model = pymc_model(spec, data, hyper)
    if seed == 0:
        assert same_density(spec, data, hyper, model) < 1e-5
    compiled = nutpie.compile_pymc_model(model)
    clock = time.perf_counter()
    trace = nutpie.sample(
        compiled,
        draws=DRAWS,
        tune=WARMUP,
        chains=CHAINS,
        seed=seed,
        progress_bar=False,
        target_accept=card.target_accept,
        save_warmup=True,
    )
    both = time.perf_counter() - clock
    # nutpie times both phases together: they are distinguished by their gradients
    steps = [float(trace[g]["n_steps"].sum()) for g in ("warmup_sample_stats", "sample_stats")]
    return {"draws": _of_trace(trace, model), "sampling": both * steps[1] / sum(steps)}


def _of_trace(trace: Any, model: Any) -> dict[str, Any]:
    import numpy as np

    names = [v.name for v in model.free_RVs]
    return {name: np.asarray(trace.posterior[name]) for name in names}


def blackjax(card_name: str, seed: int) -> dict[str, Any]:
    """Draws of BlackJAX from the density of this package."""
    import blackjax as bj
    import jax
    import numpy as np

    from bayes_distill.inference.density import potential, prior_sampler

    card, spec, data, hyper = inputs_of(card_name)
    negative = potential(spec, data, hyper)

    def log_density(z: Any) -> Any:
        return -negative(z)

    key_start, key_warm, key_draw = jax.random.split(jax.random.key(seed), 3)
    start = prior_sampler(spec)(jax.random.split(key_start, CHAINS), data, hyper)

    def one(key: Any, z: Any) -> Any:
        warm = bj.window_adaptation(
            bj.nuts,
            log_density,
            is_mass_matrix_diagonal=False,
            target_acceptance_rate=card.target_accept,
        )
        (state, parameters), _ = warm.run(key, z, num_steps=WARMUP)
        return state, parameters

    states, parameters = jax.block_until_ready(
        jax.jit(jax.vmap(one))(jax.random.split(key_warm, CHAINS), start)
    )

    def chain(key: Any, state: Any, parameters: Any) -> Any:
        kernel = bj.nuts(log_density, **parameters).step

        def step(state: Any, key: Any) -> Any:
            state, _ = kernel(key, state)
            return state, state.position

        return jax.lax.scan(step, state, jax.random.split(key, DRAWS))[1]

    sampler = jax.jit(jax.vmap(chain))
    keys = jax.random.split(key_draw, CHAINS)
    compiled = sampler.lower(keys, states, parameters).compile()
    clock = time.perf_counter()
    draws = jax.block_until_ready(compiled(keys, states, parameters))
    seconds = time.perf_counter() - clock
    return {"draws": {k: np.asarray(v) for k, v in draws.items()}, "sampling": seconds}


def one_side(side: str, card: str, seed: int) -> dict[str, float]:
    """Run one side in this process; seconds count from its start."""
    functions = {
        "bayes-distill": bayes_distill,
        "printed": printed,
        "pymc": pymc,
        "blackjax": blackjax,
    }
    result = functions[side](card, seed)
    total = time.perf_counter() - BEGUN
    numbers = quality(result["draws"])
    sampling = result["sampling"]
    smallest = min(numbers["ess_bulk_min"], numbers["ess_tail_min"])
    return {
        **numbers,
        "sampling_seconds": sampling,
        "total_seconds": total,
        "ess_per_sampling_second": smallest / sampling,
        "ess_per_total_second": smallest / total,
        "peak_memory_gb": peak_memory_gb(),
    }


def run_side(side: str, card: str, seed: int, cache: Path) -> dict[str, Any]:
    """Run one side in a separate process, with its compilation cache in `cache`."""
    caches = {
        "BAYES_DISTILL_CACHE": str(cache),
        "PYTENSOR_FLAGS": f"base_compiledir={cache}",
        "NUMBA_CACHE_DIR": str(cache / "numba"),
    }
    try:
        result: dict[str, Any] = in_a_process(
            __file__, "--side", side, "--card", card, "--seed", seed, **caches
        )
    except RuntimeError as error:
        return {"error": str(error)}
    return result


def compare(cards: list[str], sides: list[str], rounds: int) -> dict[str, Any]:
    """All sides on all cards, cold once and warm in every round, one after the other."""
    results: dict[str, Any] = {}
    for card in cards:
        mine = [s for s in sides if s != "printed" or card != "hoffmann2022"]
        with tempfile.TemporaryDirectory() as folder:
            caches = {side: Path(folder) / side for side in mine}
            cold = {side: run_side(side, card, 0, caches[side]) for side in mine}
            warm: dict[str, list[Any]] = {side: [] for side in mine}
            for number in range(rounds):
                for side in mine:
                    warm[side].append(run_side(side, card, number + 1, caches[side]))
        results[card] = {side: _medians(cold[side], warm[side]) for side in mine}
        print(table(card, results[card]), flush=True)
    return results


def _medians(cold: dict[str, Any], warm: list[dict[str, Any]]) -> dict[str, Any]:
    good = [w for w in warm if "error" not in w]
    if "error" in cold or not good:
        return {"error": cold.get("error") or warm[0]["error"]}
    return {
        "cold": cold,
        "warm": {name: median(w[name] for w in good) for name in good[0]},
        "rhat_max_of_rounds": max(w["rhat_max"] for w in [cold, *good]),
    }


def table(card: str, sides: dict[str, Any]) -> str:
    """Markdown of one card's sides, with ratios over this package's."""
    header = [
        "",
        "smallest ESS",
        "largest R-hat",
        "s, cold",
        "s, warm",
        "sampling s",
        "ESS/s sampling (ratio)",
        "ESS/s cold start (ratio)",
        "peak GB",
    ]
    rows: list[list[str]] = []
    ours = sides.get("bayes-distill", {})
    for side, numbers in sides.items():
        if "error" in numbers:
            rows.append([side, numbers["error"]])
            continue
        cold, warm = numbers["cold"], numbers["warm"]
        rates = warm["ess_per_sampling_second"], cold["ess_per_total_second"]
        ratios = [""] * 2
        if side != "bayes-distill" and "warm" in ours:
            base = ours["warm"]["ess_per_sampling_second"], ours["cold"]["ess_per_total_second"]
            ratios = [f" (1/{b / r:.1f})" for b, r in zip(base, rates, strict=True)]
        rows.append(
            [
                side,
                f"{min(warm['ess_bulk_min'], warm['ess_tail_min']):.0f}",
                f"{numbers['rhat_max_of_rounds']:.3f}",
                f"{cold['total_seconds']:.1f}",
                f"{warm['total_seconds']:.1f}",
                f"{warm['sampling_seconds']:.2f}",
                f"{rates[0]:.1f}{ratios[0]}",
                f"{rates[1]:.2f}{ratios[1]}",
                f"{warm['peak_memory_gb']:.1f}",
            ]
        )
    return f"\n{card}\n\n{markdown_table(header, rows)}"


def main() -> None:
    """Compare, or run one side for the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--side", choices=SIDES)
    parser.add_argument("--card", default="busbridge2025-plain")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cards", nargs="*", default=list(CARDS))
    parser.add_argument("--sides", nargs="*", default=list(SIDES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(one_side(options.side, options.card, options.seed)))
        return
    write_json(options.json, compare(options.cards, options.sides, options.rounds))


if __name__ == "__main__":
    main()
