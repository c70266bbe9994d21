"""The explorer's charts, as Vega-Lite specifications whose data the page fills in.

Colours are the page's CSS variables: the charts follow light, dark and print with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bayes_distill.reporting.tables import Axis

Spec = dict[str, Any]

DISTILLED, ALONE = "var(--distilled)", "var(--alone)"
QUANTITY = (
    "(datum.value >= 1e15 ? replace(format(datum.value, '.0e'), 'e+', 'e')"
    " : replace(format(datum.value, '.2~s'), 'G', 'B'))"
)
LABEL = {"field": "label", "type": "nominal"}
POWER = "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) < 1e-6"
TOKENS, LOSS = "student's tokens", "student's loss (nats per token)"


def _chart(layers: list[Spec], height: int = 260) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": "container",
        "height": height,
        "autosize": {"type": "fit", "contains": "padding", "resize": True},
        "background": "transparent",
        "layer": layers,
        "config": {
            "aria": False,
            "font": "system-ui, DejaVu Sans, sans-serif",
            "view": {"stroke": None},
            "axis": {
                "labelColor": "var(--ink)",
                "titleColor": "var(--ink)",
                "domainColor": "var(--muted)",
                "tickColor": "var(--muted)",
                "gridColor": "var(--line)",
                "labelFontSize": 12,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
                "labelOverlap": "greedy",
            },
        },
    }


def _x(title: str | list[str], axis: Axis | None = None) -> Spec:
    """The horizontal axis: linear, or logarithmic along `axis`."""
    look: Spec = {"title": title, "grid": False, "tickCount": 6}
    if axis is not None:
        look |= {"labelExpr": QUANTITY, "values": _ticks(axis)}
    return {"field": "x", "type": "quantitative", "axis": look, "scale": _scale(axis is not None)}


def _ticks(axis: Axis) -> list[float]:
    """Powers of ten, with 3 times them between where these are few."""
    low, high = np.log10([axis.low, axis.high])
    between = (1.0, 3.0) if high - low < 4.5 else (1.0,)
    powers = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    marks = [float(f"{m}e{p}") for p in powers for m in between]
    return [m for m in marks if axis.low <= m <= axis.high]


def _y(field: str, title: str, log: bool = False) -> Spec:
    axis: Spec = {"title": title, "tickCount": 6}
    if log:  # its range follows the data, so that ticks cannot be listed: powers of ten are shown
        power = {"test": POWER}
        axis |= {
            "labelExpr": f"{POWER} ? {QUANTITY} : ''",
            "gridColor": {"condition": {**power, "value": "var(--line)"}, "value": "transparent"},
            "tickColor": {"condition": {**power, "value": "var(--muted)"}, "value": "transparent"},
        }
    return {"field": field, "type": "quantitative", "axis": axis, "scale": _scale(log)}


def _scale(log: bool) -> Spec:
    return {"type": "log", "nice": False} if log else {"zero": False, "nice": False}


def _band(x: Spec, lower: str, upper: str, colour: str, opacity: float, y: Spec) -> Spec:
    return {
        "mark": {"type": "area", "color": colour, "opacity": opacity},
        "encoding": {"x": x, "y": {**y, "field": lower}, "y2": {"field": upper}},
    }


def _line(x: Spec, y: Spec, field: str, colour: str, dash: list[int] | None = None) -> Spec:
    mark: Spec = {"type": "line", "color": colour, "strokeWidth": 2, "clip": True}
    if dash:
        mark["strokeDash"] = dash
    return {"mark": mark, "encoding": {"x": x, "y": {**y, "field": field}}}


def _here(x: Spec) -> Spec:
    """A rule at the value that the control stands at."""
    return {
        "data": {"name": "here"},
        "mark": {"type": "rule", "color": "var(--ink)", "strokeWidth": 1, "strokeDash": [2, 2]},
        "encoding": {"x": {**x, "field": "x"}},
    }


def _point(x: Spec, y: Spec) -> Spec:
    """A dot at the number that the page shows."""
    return {
        "data": {"name": "here"},
        "mark": {"type": "point", "filled": True, "color": "var(--ink)", "size": 60, "opacity": 1},
        "encoding": {"x": {**x, "field": "x"}, "y": {**y, "field": "y"}},
    }


def _hover(x: Spec, y: Spec, field: str) -> Spec:
    """Invisible marks along a curve that say its numbers under the pointer."""
    return {
        "mark": {"type": "point", "filled": True, "size": 220, "opacity": 0},
        "encoding": {"x": x, "y": {**y, "field": field}, "tooltip": LABEL},
    }


def _runs(x: Spec, y: Spec) -> Spec:
    """Open dots of the runs like the student of the chart."""
    mark = {"type": "point", "filled": False, "size": 36, "strokeWidth": 1.5, "opacity": 1}
    colours = {"domain": ["distilled", "supervised"], "range": [DISTILLED, ALONE]}
    colour = {"field": "kind", "type": "nominal", "scale": colours, "legend": None}
    return {
        "data": {"name": "runs"},
        "mark": {**mark, "clip": True},
        "encoding": {
            "x": {**x, "field": "x"},
            "y": {**y, "field": "y"},
            "stroke": colour,
            "tooltip": LABEL,
        },
    }


def _losses(x: Spec, teacher: bool, runs: bool = False) -> list[Spec]:
    """Distilled and supervised loss with their bands, and the runs beside them."""
    y = _y("loss_mean", LOSS)
    curve = "loss_mean" if teacher else "supervised_mean"
    on_top = [_hover(x, y, curve), *([_runs(x, y)] if runs else [])]
    if not teacher:
        return [
            _band(x, "new_run_lower", "new_run_upper", ALONE, 0.16, y),
            _band(x, "supervised_lower", "supervised_upper", ALONE, 0.34, y),
            _line(x, y, "supervised_mean", ALONE),
            _here(x),
            _point(x, y),
            *on_top,
        ]
    return [
        _band(x, "supervised_lower", "supervised_upper", ALONE, 0.3, y),
        _band(x, "new_run_lower", "new_run_upper", DISTILLED, 0.16, y),
        _band(x, "loss_lower", "loss_upper", DISTILLED, 0.34, y),
        _line(x, y, "supervised_mean", ALONE, [6, 3]),
        _line(x, y, "loss_mean", DISTILLED),
        _here(x),
        _point(x, y),
        *on_top,
    ]


def against_teacher() -> Spec:
    """Student's loss against its teacher's."""
    x = _x(["teacher's loss (nats per token);", "stronger teachers to the left"])
    best = {
        "data": {"name": "best"},
        "mark": {"type": "rect", "color": "var(--best)", "opacity": 0.25},
        "encoding": {"x": {**x, "field": "lower"}, "x2": {"field": "upper"}},
    }
    same = _line(x, _y("x", LOSS), "same", "var(--muted)", [2, 3])
    return {**_chart([best, same, *_losses(x, teacher=True, runs=True)]), "data": {"name": "curve"}}


def against_tokens(teacher: bool, axis: Axis) -> Spec:
    """Student's loss against its tokens, distilled and supervised."""
    return {**_chart(_losses(_x(TOKENS, axis), teacher, runs=True)), "data": {"name": "curve"}}


def recipe_amounts(axis: Axis) -> Spec:
    """Tokens and teacher size of the recipe against the budget, with the spread of the optima."""
    x = _x("budget (FLOPs)", axis)
    title = "parameters or tokens"
    layers = []
    for name, colour, dash in (
        ("student_tokens", "var(--distilled)", None),
        ("teacher_tokens", "var(--alone)", [6, 3]),
        ("teacher_params", "var(--third)", [2, 2]),
    ):
        y = _y(name, title, log=True)
        layers += [
            _band(x, f"{name}_lower", f"{name}_upper", colour, 0.25, y),
            _line(x, y, name, colour, dash),
        ]
    hover = _hover(x, _y("student_tokens", title, log=True), "student_tokens")
    return {**_chart([*layers, _here(x), hover]), "data": {"name": "curve"}}


def recipe_losses(teacher: bool, axis: Axis) -> Spec:
    """Loss of the recipe against the budget, next to supervised training."""
    return {**_chart(_losses(_x("budget (FLOPs)", axis), teacher)), "data": {"name": "curve"}}
