"""How a posterior is shown: ten lines in a console, a table in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bayes_distill._input.text import shown

MOST_COEFFICIENTS = 7
"""In a console, where the headline, a header and a last line make ten."""


def headline(name: str, law: str, draws: int, info: Mapping[str, Any]) -> str:
    """Card, law, number of draws, runs and verdicts in one line."""
    diagnostics = info.get("diagnostics") or {}
    parts = [f"law {law}", f"{draws:,} draws"]
    if "n_runs" in info:
        parts.append(f"{info['n_runs']} {info.get('kind', '')} runs".replace("  ", " "))
    parts.append(f"sampling {info.get('verdict', 'none')}")
    checked = diagnostics.get("law")
    if checked:
        parts.append(f"law {checked['verdict']}")
    return f"<Posterior {shown(name)}: {', '.join(parts)}>"


def console_lines(coefficients: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first coefficients with their intervals."""
    lines = [f"{'coefficient':20} {'median':>12}   interval"] if coefficients else []
    lines += [
        f"{shown(c['name'], 20):20} {c['median']:12.4g}   {c['lower']:.4g} to {c['upper']:.4g}"
        for c in coefficients[:MOST_COEFFICIENTS]
    ]
    more = len(coefficients) - MOST_COEFFICIENTS
    return lines + ([f"and {more} more"] if more > 0 else [])


def html(head: str, coefficients: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> str:
    """Headline, all coefficients and notes, escaped."""
    rows = "".join(
        f"<tr><td>{escape(str(c['name']))}</td><td>{c['median']:.4g}</td>"
        f"<td>{c['lower']:.4g} to {c['upper']:.4g}</td>"
        f"<td>{'yes' if c.get('identified') else 'no'}</td></tr>"
        for c in coefficients
    )
    names = ("coefficient", "median", "interval", "known from the data")
    header = "".join(f"<th>{name}</th>" for name in names)
    table = f"<table><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    listed = f"<ul>{items}</ul>" if items else ""
    return f"<div><p><b>{escape(head.strip('<>'))}</b></p>{table}{listed}</div>"
