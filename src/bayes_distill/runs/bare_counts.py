"""Columns of counts that are written in millions or billions without saying so."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd

from bayes_distill.runs.schema import LEAST_PARAMS, LEAST_TOKENS

LEAST = {
    "params": LEAST_PARAMS,
    "tokens": LEAST_TOKENS,
    "teacher_params": LEAST_PARAMS,
    "teacher_tokens": LEAST_TOKENS,
    "unique_tokens": LEAST_TOKENS,
}
PAIRS = (("params", "tokens"), ("teacher_params", "teacher_tokens"), ("params", "unique_tokens"))
UNITS = {1e6: "millions", 1e9: "billions", 1e12: "trillions"}
SUFFIXES = {1e6: "M", 1e9: "B", 1e12: "T"}
SCALES = {"params": (1e6, 1e9), "tokens": (1e6, 1e9, 1e12)}
USUAL_RATIO = 20.0
"""Tokens per parameter, about which sweeps are laid out."""


def bare_scales(numbers: pd.DataFrame) -> dict[str, float]:
    """The unit of each column whose counts are all too small to be plain ones.

    Sizes and tokens are judged together: of the units that may be meant, those for which the
    median of tokens per parameter is nearest to the usual.

    Parameters
    ----------
    numbers
        float64 columns under their canonical names.

    Returns
    -------
    dict
        Factor to plain counts (1e6, 1e9 or 1e12) by column.
    """
    bare = [name for name in LEAST if name in numbers and _is_bare(numbers[name], LEAST[name])]
    scales: dict[str, float] = {}
    for pair in PAIRS:
        new = [name for name in pair if name in bare and name not in scales]
        if new and all(name in numbers for name in pair):
            scales |= _nearest(numbers, pair, new, scales)
    for name in bare:
        if name not in scales:
            scales[name] = 1e6 if numbers[name].max() >= 100 and "params" in name else 1e9
    return scales


def describe_bare(name: str, label: str, values: pd.Series[float], scale: float) -> str:
    """Say what the whole column looks like, and how to give its unit."""
    sound = values[values > 0]
    low, high = f"{sound.min():g}", f"{sound.max():g}"
    what = f"all {low}" if low == high else f"{low} to {high}"
    source = f'"{label}"' if set(label) & set(",*=()\"' ") else label
    return (
        f"its values are {what}, which look like {UNITS[scale]}: write {low}{SUFFIXES[scale]}, or "
        f'give the scale, `columns="{name}={source}*{_short(scale)}"` or in a mapping [columns] '
        f'{name} = {{ from = "{label}", scale = {_short(scale)} }}'
    )


def _is_bare(values: pd.Series[float], least: float) -> bool:
    sound = values[np.isfinite(values)]
    return len(sound) > 1 and bool((sound > 0).all() and (sound < least).all())


def _nearest(
    numbers: pd.DataFrame, pair: tuple[str, str], new: list[str], known: dict[str, float]
) -> dict[str, float]:
    size, data = pair
    ratios = (numbers[data] / numbers[size]).to_numpy()
    sound = ratios[np.isfinite(ratios) & (ratios > 0)]
    ratio = float(np.median(sound)) if sound.size else USUAL_RATIO

    def distance(scales: dict[str, float]) -> float:
        all_scales = known | scales
        factor = all_scales.get(data, 1.0) / all_scales.get(size, 1.0)
        return abs(math.log(ratio * factor / USUAL_RATIO))

    choices = [SCALES["params" if "params" in name else "tokens"] for name in new]
    candidates = [dict(zip(new, each, strict=True)) for each in itertools.product(*choices)]
    # the same ratio in millions and in billions: sizes in the hundreds are millions
    return min(candidates, key=lambda each: (round(distance(each), 6), _unusual(numbers, each)))


def _unusual(numbers: pd.DataFrame, scales: dict[str, float]) -> float:
    """How far the sizes are from a billion parameters, which settles ties."""
    sizes = [numbers[name].median() * scale for name, scale in scales.items() if "params" in name]
    return abs(math.log(sizes[0] / 1e9)) if sizes else 0.0


def _short(scale: float) -> str:
    return f"{scale:g}".replace("e+0", "e").replace("e+", "e")
