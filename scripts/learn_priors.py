"""Learn the priors of the card `supervised` from public sweeps, and write them for the card.

Every CSV of a folder is a sweep (columns params, tokens, loss); the part of its name before the
first underscore is its source. The population of sweeps is normal in ten numbers: the six that
losses identify one by one (`inference.joint_prior`), and the logs of four scales (drift of the
exponents to both sides, offsets of sizes, noise of a run). Each sweep is fitted in full under the
present population, its draws are weighed anew as the population changes
(expectation-maximisation; every source counts as one), and after that it is fitted again. The prior
of a new sweep is wider than the population by what is uncertain of its centre.

    python scripts/learn_priors.py FOLDER [--rounds 3] [--out benchmarks/learned_priors.json]
    python scripts/learn_priors.py --cards      # only write what the file holds into the cards

The file holds the prior from all sources under ``all``, and under each source that from the
others, which is what a sweep of that source is judged with.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bayes_distill import Card, fit
from bayes_distill.inference.joint_prior import unconstrain

MODELS = Path(__file__).parents[1] / "models"
OUT = MODELS.parent / "benchmarks" / "learned_priors.json"
SCALES = ("smooth_up_sd", "smooth_down_sd", "size_offset_sd", "supervised_scale")
NUMBERS = ("log_loss", "floor", "share", "params", "tokens", "gamma", *SCALES)
# where learning begins: wide, so that the first fits say what the runs say
START_CENTRE = np.array([0.0, -0.4, 0.5, -2.8, -3.1, -1.0, *np.log([0.01, 0.01, 0.002, 0.002])])
START_SD = np.array([0.05, 0.8, 1.0, 0.4, 0.4, 0.6, 1.2, 1.2, 1.2, 1.2])
# spread that a handful of sources cannot show: counts as so many sources of this spread
BASE_SD = np.array([0.05, 0.6, 0.6, 0.35, 0.35, 0.3, 0.6, 0.6, 0.6, 0.7])
BASE_COUNT = 2.0
STEPS = 200
BEGIN, END = "# >>> learned\n", "# <<< learned\n"
LAW = ("supervised.fitted",)
SMOOTH = ("discrepancy.smooth_up", "discrepancy.smooth_down")
SUPERVISED = (*SMOOTH, "discrepancy.size_offset", "likelihood.supervised_prior")
DISTILLED = (
    "discrepancy.student_smooth",
    "discrepancy.shift",
    "likelihood.prior",
    "likelihood.teacher_effect",
    "likelihood.condition_effect",
)
CARDS = {
    "supervised": (*LAW, *SUPERVISED),
    "data-limited": SUPERVISED,
    "joint-discrepancy": (*LAW, *SUPERVISED, *DISTILLED),
    "distillation-discrepancy": (*SMOOTH, *DISTILLED),
}
NEW = 0.999  # share of tokens that must be seen once


def read_sweeps(folder: Path) -> dict[str, pd.DataFrame]:
    """Sweeps by name, with runs whose tokens are all new."""
    sweeps = {}
    for path in sorted(folder.glob("*.csv")):
        frame = pd.read_csv(path)
        if "unique_tokens" in frame:
            frame = frame[frame["unique_tokens"] >= NEW * frame["tokens"]]
        sweeps[path.stem] = frame[["params", "tokens", "loss"]].reset_index(drop=True)
    return sweeps


def source_of(sweep: str) -> str:
    """Source of a sweep."""
    return sweep.split("_")[0]


def parts_of(prior: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Tables of a card that follow from a learned prior, by their names in TOML.

    What distilled runs share has the scale of what supervised runs of one size share. The excess
    of a student over its teacher is all reducible, so it drifts as the reducible loss does.
    """
    centre, sd = (np.array(prior[name]) for name in ("centre", "sd"))

    def scale(place: int, times: float = 1.0) -> dict[str, Any]:
        median = float(np.exp(centre[place]) * times)
        return {"family": "lognormal", "median": median, "sd": float(sd[place])}

    reducible = 1 / (1 + np.exp(centre[1]))
    return {
        "supervised.fitted": {
            "source": prior["source"],
            "centre": centre[:6].tolist(),
            "covariance": np.diag(sd[:6] ** 2).tolist(),
        },
        "discrepancy.smooth_up": scale(6),
        "discrepancy.smooth_down": scale(7),
        "discrepancy.student_smooth": scale(6, 1 / reducible),
        "discrepancy.size_offset": scale(8),
        "discrepancy.shift": scale(8),
        "likelihood.teacher_effect": scale(8),
        "likelihood.condition_effect": scale(8),
        "likelihood.supervised_prior": scale(9),
        "likelihood.prior": scale(9),
    }


def write_cards(prior: Mapping[str, Any]) -> None:
    """Put a learned prior into the cards, between two marks."""
    parts = parts_of(prior)
    for name, keys in CARDS.items():
        path = MODELS / name / "card.toml"
        before, rest = path.read_text(encoding="utf-8").split(BEGIN)
        after = rest.split(END)[1]
        tables = "\n".join(_toml(key, parts[key]) for key in keys)
        path.write_text(f"{before}{BEGIN}{tables}{END}{after}", encoding="utf-8")


def _toml(key: str, table: Mapping[str, Any]) -> str:
    lines = [f"[{key}]"]
    for name, value in table.items():
        if isinstance(value, str):
            lines.append(f'{name} = "{value}"')
        elif isinstance(value, float):
            lines.append(f"{name} = {value:.3g}")
        elif isinstance(value[0], list):
            rows = (", ".join(f"{number:.4g}" for number in row) for row in value)
            lines += [f"{name} = [", *(f"  [{row}]," for row in rows), "]"]
        else:
            lines.append(f"{name} = [{', '.join(f'{number:.4g}' for number in value)}]")
    return "\n".join(lines) + "\n"


def card_with(prior: Mapping[str, Any]) -> Card:
    """The card `supervised` with a learned prior in place of its own."""
    before, rest = (MODELS / "supervised" / "card.toml").read_text(encoding="utf-8").split(BEGIN)
    content = tomllib.loads(before + rest.split(END)[1])
    for key in CARDS["supervised"]:
        table, name = key.split(".")
        content.setdefault(table, {})[name] = parts_of(prior)[key]
    return Card.model_validate(content)


def numbers_of(runs: pd.DataFrame, card: Card, seed: int) -> tuple[np.ndarray, str]:
    """Draws (draws, 10) of the ten numbers of a sweep, and the verdict of its fit.

    Of scales that the sweep has no runs for, the draws are NaN.
    """
    posterior = fit(runs, card, warmup=600, draws=400, seed=seed)
    draws = posterior.draws
    nothing = np.full(posterior.n_draws, np.nan)
    scales = [np.log(draws.get(name, nothing)) for name in SCALES]
    return np.column_stack([unconstrain(draws), *scales]), posterior.verdict


def learned(
    numbers: Mapping[str, np.ndarray],
    before: Mapping[str, Any],
    sources: list[str],
) -> tuple[np.ndarray, np.ndarray]:
    """Centre and standard deviation (10,) of the population of `sources`.

    `numbers` are draws of sweeps under the prior `before`.
    """
    old_centre, old_sd = (np.array(before[name]) for name in ("centre", "sd"))
    centre, sd = old_centre, old_sd
    for _ in range(STEPS):
        first, second, count = (
            np.zeros(len(NUMBERS)),
            np.zeros(len(NUMBERS)),
            np.zeros(len(NUMBERS)),
        )
        for source in sources:
            own = [n for n in numbers if source_of(n) == source]
            moments = [_moments(numbers[n], old_centre, old_sd, centre, sd) for n in own]
            mean, square, there = (np.array(part) for part in zip(*moments, strict=True))
            has = there.any(axis=0)
            each = np.maximum(there.sum(axis=0), 1)
            first += np.where(has, np.where(there, mean, 0).sum(axis=0) / each, 0)
            second += np.where(has, np.where(there, square, 0).sum(axis=0) / each, 0)
            count += has
        centre = first / count
        variance = second / count - centre**2
        total = count + BASE_COUNT
        sd = np.sqrt((count * variance + BASE_COUNT * BASE_SD**2) / total)
    return centre, sd * np.sqrt(1 + 1 / count)


def _moments(
    draws: np.ndarray,
    old_centre: np.ndarray,
    old_sd: np.ndarray,
    centre: np.ndarray,
    sd: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First and second moments (10,) under the present population, and which the sweep has."""
    there = np.isfinite(draws).all(axis=0)
    x = draws[:, there]
    log_weight = (
        0.5 * ((x - old_centre[there]) / old_sd[there]) ** 2
        - 0.5 * ((x - centre[there]) / sd[there]) ** 2
    ).sum(axis=1)
    weight = np.exp(log_weight - log_weight.max())
    weight = np.minimum(weight, weight.mean() * np.sqrt(len(weight)))  # Ionides (2008)
    weight /= weight.sum()
    mean, square = np.zeros(len(NUMBERS)), np.zeros(len(NUMBERS))
    mean[there], square[there] = weight @ x, weight @ x**2
    return mean, square, there


def main() -> None:
    """Learn, and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--cards", action="store_true", help="only write the cards")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--start", type=Path, help="a file of priors to go on from")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if options.cards:
        write_cards(json.loads(options.out.read_text(encoding="utf-8"))["all"])
        return
    if options.folder is None:
        parser.error("name the folder of the sweeps")
    sweeps = read_sweeps(options.folder)
    sources = sorted({source_of(name) for name in sweeps})
    prior: dict[str, Any] = {
        "source": "the start",
        "centre": START_CENTRE.tolist(),
        "sd": START_SD.tolist(),
    }
    if options.start is not None:
        prior = json.loads(options.start.read_text(encoding="utf-8"))["all"]
    numbers: dict[str, np.ndarray] = {}
    for turn in range(options.rounds):
        card = card_with(prior)
        verdicts = {}
        for seed, (name, runs) in enumerate(sweeps.items()):
            numbers[name], verdicts[name] = numbers_of(runs, card, seed)
            print(name, verdicts[name], np.nanmean(numbers[name], axis=0).round(2), flush=True)
        print(f"round {turn + 1}:", verdicts, flush=True)
        before = prior
        centre, sd = learned(numbers, before, sources)
        words = f"{len(sweeps)} public sweeps of {len(sources)} sources"
        prior = {"source": words, "centre": centre.tolist(), "sd": sd.tolist()}
        print(
            pd.DataFrame({"centre": centre, "sd": sd}, NUMBERS).round(3).T.to_string(), flush=True
        )
    priors = {"numbers": NUMBERS, "all": prior}
    for source in sources:
        others = [each for each in sources if each != source]
        centre, sd = learned(numbers, before, others)
        words = f"public sweeps of {', '.join(others)}"
        priors[source] = {"source": words, "centre": centre.tolist(), "sd": sd.tolist()}
    options.out.write_text(json.dumps(priors, indent=1) + "\n", encoding="utf-8")
    write_cards(priors["all"])
    print(f"written to {options.out} and into the cards {', '.join(CARDS)}")


if __name__ == "__main__":
    main()
