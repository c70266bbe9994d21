"""Time to a posterior, and effective draws a second, against other libraries on the same model.

Every side fits the same card to the same runs (`pymc_model.same_density` says that the densities
agree) with four chains of 1000 + 1000 transitions and the card's target acceptance, each in a
process of its own, one after the other, several times round; medians are shown.

- ``bayes-distill``: what `fit` samples with, with a compilation cache that is empty (cold) or
  filled (warm);
- ``printed``: the printed coefficients in NumPyro, see `sampling.py` (distillation only);
- ``pymc``: the model in PyMC, sampled by nutpie with its defaults, chains on all cores;
- ``blackjax``: the density of this package, window adaptation with a dense mass matrix, started at
  draws from the prior, chains vectorised.

    python benchmarks/samplers.py [--rounds 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

BEGUN = time.perf_counter()
CARDS = ("hoffmann2022", "busbridge2025-plain", "busbridge2025")
SIDES = ("bayes-distill", "printed", "pymc", "blackjax")
CHAINS, WARMUP, DRAWS = 4, 1000, 1000


def _prepared(card_name: str) -> tuple[Any, Any, Any, Any]:
    from bayes_distill.cards import load_card
    from bayes_distill.inference.model_inputs import model_inputs, reference_point
    from bayes_distill.runs import read_runs

    card = load_card(card_name)
    assert card.data is not None
    table = read_runs(card.data)
    spec, data, hyper, _ = model_inputs(card, table, reference_point(card, table.frame))
    return card, spec, data, hyper


def bayes_distill(card_name: str, seed: int) -> dict[str, Any]:
    """Draws of this package's sampler."""
    from bayes_distill.inference.sampler import SamplerSettings, run_nuts

    card, spec, data, hyper = _prepared(card_name)
    settings = SamplerSettings(CHAINS, WARMUP, DRAWS, card.target_accept, card.transitions_per_draw)
    sample = run_nuts(spec, data, hyper, settings, seed)
    return {"draws": sample.unconstrained, "sampling": sample.seconds["sampling"]}


def printed(card_name: str, seed: int) -> dict[str, Any]:
    """Draws of the printed coefficients."""
    import jax.numpy as jnp

    from bayes_distill.cards import load_card
    from bayes_distill.inference.sampler import SamplerSettings
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

    card, spec, data, hyper = _prepared(card_name)
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
    # nutpie times both phases together: they are told apart by their gradients
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

    card, spec, data, hyper = _prepared(card_name)
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


def quality(draws: dict[str, Any]) -> dict[str, float]:
    """Smallest bulk and tail effective sample size, and the largest R-hat."""
    import arviz_base
    import arviz_stats

    data = arviz_base.dict_to_dataset(draws)
    bulk, tail = arviz_stats.ess(data), arviz_stats.ess(data, method="tail")
    rhat = arviz_stats.rhat(data)
    return {
        "ess_bulk_min": min(float(bulk[name].min()) for name in bulk.data_vars),
        "ess_tail_min": min(float(tail[name].min()) for name in tail.data_vars),
        "rhat_max": max(float(rhat[name].max()) for name in rhat.data_vars),
    }


def one_side(side: str, card: str, seed: int) -> dict[str, float]:
    """Run one side in this process; seconds count from its start."""
    functions = {
        "bayes-distill": bayes_distill,
        "printed": printed,
        "pymc": pymc,
        "blackjax": blackjax,
    }
    found = functions[side](card, seed)
    total = time.perf_counter() - BEGUN
    numbers = quality(found["draws"])
    sampling = found["sampling"]
    smallest = min(numbers["ess_bulk_min"], numbers["ess_tail_min"])
    return {
        **numbers,
        "sampling_seconds": sampling,
        "total_seconds": total,
        "ess_per_sampling_second": smallest / sampling,
        "ess_per_total_second": smallest / total,
        "peak_memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def run_side(side: str, card: str, seed: int, cache: Path) -> dict[str, Any]:
    """Run one side in a process of its own, with its compilation cache in `cache`."""
    environment = {
        **os.environ,
        "BAYES_DISTILL_CACHE": str(cache),
        "PYTENSOR_FLAGS": f"base_compiledir={cache}",
        "NUMBA_CACHE_DIR": str(cache / "numba"),
    }
    command = [sys.executable, __file__, "--side", side, "--card", card, "--seed", str(seed)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {"error": done.stderr.strip().splitlines()[-1][:300] if done.stderr else "failed"}
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def compare(cards: list[str], sides: list[str], rounds: int) -> dict[str, Any]:
    """All sides on all cards, cold once and warm in every round, one after the other."""
    found: dict[str, Any] = {}
    for card in cards:
        mine = [s for s in sides if s != "printed" or card != "hoffmann2022"]
        with tempfile.TemporaryDirectory() as folder:
            caches = {side: Path(folder) / side for side in mine}
            cold = {side: run_side(side, card, 0, caches[side]) for side in mine}
            warm: dict[str, list[Any]] = {side: [] for side in mine}
            for number in range(rounds):
                for side in mine:
                    warm[side].append(run_side(side, card, number + 1, caches[side]))
        found[card] = {side: _medians(cold[side], warm[side]) for side in mine}
        print(table(card, found[card]), flush=True)
    return found


def _medians(cold: dict[str, Any], warm: list[dict[str, Any]]) -> dict[str, Any]:
    from statistics import median

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
    lines = [
        f"\n{card}\n",
        "| | smallest ESS | largest R-hat | s, cold | s, warm | sampling s "
        "| ESS/s sampling (ratio) | ESS/s cold start (ratio) | peak GB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    own = sides.get("bayes-distill", {})
    for side, numbers in sides.items():
        if "error" in numbers:
            lines.append(f"| {side} | {numbers['error']} |")
            continue
        cold, warm = numbers["cold"], numbers["warm"]
        rates = warm["ess_per_sampling_second"], cold["ess_per_total_second"]
        ratios = [""] * 2
        if side != "bayes-distill" and "warm" in own:
            mine = own["warm"]["ess_per_sampling_second"], own["cold"]["ess_per_total_second"]
            ratios = [f" (1/{m / r:.1f})" for m, r in zip(mine, rates, strict=True)]
        smallest = min(warm["ess_bulk_min"], warm["ess_tail_min"])
        lines.append(
            f"| {side} | {smallest:.0f} | {numbers['rhat_max_of_rounds']:.3f} | "
            f"{cold['total_seconds']:.1f} | {warm['total_seconds']:.1f} | "
            f"{warm['sampling_seconds']:.2f} | {rates[0]:.1f}{ratios[0]} | "
            f"{rates[1]:.2f}{ratios[1]} | {warm['peak_memory_gb']:.1f} |"
        )
    return "\n".join(lines)


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
    asked = parser.parse_args()
    if asked.side:
        print(json.dumps(one_side(asked.side, asked.card, asked.seed)))
        return
    found = compare(asked.cards, asked.sides, asked.rounds)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
