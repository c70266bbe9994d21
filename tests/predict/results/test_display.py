"""How results are shown, and that comparing two of them raises nothing."""

from dataclasses import dataclass, replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from bayes_distill.checking.checks import predictive
from bayes_distill.checking.power_scaling import sensitivity
from bayes_distill.comparison.ranking import compare
from bayes_distill.identification.identify import identify
from bayes_distill.predict.capacity_gap import risk
from bayes_distill.predict.forecast import forecast
from bayes_distill.predict.results.display import (
    MOST_LINES,
    MOST_ROWS,
    Result,
    compact,
    html_table,
    table_lines,
)
from bayes_distill.validation.read import read_validation
from studies import random_study

UNCLOSED = ("br", "hr", "img")


class Balanced(HTMLParser):
    """Collects text and cells, and fails where a tag is not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in UNCLOSED:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th", "li"):
            self.cells.append(data)


@pytest.fixture(scope="module")
def results(chinchilla, scattered):
    fit = chinchilla.posterior
    return {
        "Forecast": forecast(scattered, "1B,3B", "20B", teacher_loss=2.1),
        "GapRisk": risk(scattered, "1B", "5B", teachers=pd.DataFrame({"loss": [2.0, 2.2]})),
        "PredictiveChecks": predictive(fit),
        "Sensitivity": sensitivity(fit),
        "Identification": identify(fit, coefficient="beta"),
        "Identifiability": identify(fit, coefficient="beta").coefficients,
        "NextRun": identify(fit, coefficient="beta").next_run,
        "Comparison": compare([fit, fit]),
        "Validation": read_validation("busbridge2025"),
        "Calibration": random_study(),
    }


def test_every_result_is_short_in_a_console(results):
    for name, result in results.items():
        assert repr(result).startswith(f"<{name}: "), name
        lines = repr(result).splitlines()
        assert len(lines) <= 10, name
        assert max(map(len, lines)) <= 100, name
    lines = repr(results["Forecast"]).splitlines()
    assert lines[0] == "<Forecast: 2 rows, 90% intervals>"
    assert lines[1].split()[:2] == ["params", "tokens"]
    assert len(lines) == 4
    assert "verdict: " in repr(results["Calibration"])


def test_long_tables_end_with_the_number_of_rows_left():
    table = pd.DataFrame({"params": range(1000), "x" * 200: 1})
    lines = table_lines(table)
    assert len(lines) == MOST_LINES
    assert lines[-1] == "and 993 more rows"
    assert max(map(len, lines)) <= 100


def test_every_result_is_a_table_in_a_notebook(results):
    for name, result in results.items():
        page = Balanced(result._repr_html_())
        assert "table" in page.tags, name
        assert len(page.cells) > 6, name
    page = Balanced(results["Forecast"]._repr_html_())
    row = results["Forecast"].table.iloc[0]
    shown = f"{row['loss_mean']:.5g} ({row['loss_lower']:.5g} to {row['loss_upper']:.5g})"
    assert shown in page.cells
    assert "loss" in page.cells
    assert "1B" in page.cells
    assert "teacher_params" not in page.cells  # no point has any


def test_notes_are_shown_and_escaped():
    @dataclass(frozen=True, eq=False, repr=False)
    class Odd(Result):
        table: pd.DataFrame
        notes: tuple[str, ...]

    odd = Odd(pd.DataFrame({"<b>": ["<script>alert(1)</script>"]}), ("a < b & c",))
    page = odd._repr_html_()
    assert "<script>" not in page
    cells = Balanced(page).cells
    assert cells == ["<b>", "<script>alert(1)</script>", "a < b & c"]
    assert repr(odd).splitlines()[0] == "<Odd: 1 rows>"


def test_results_are_compared_by_identity(results):
    for result in results.values():
        same = result
        assert result == same
        assert {result: 1}[same] == 1
        assert result != replace(result)


def test_quantities_are_joined_and_what_is_none_stays():
    table = pd.DataFrame(
        {
            "name": ["a", None],
            "params": [1.82e9, 3e8],
            "loss_mean": [2.34567, np.nan],
            "loss_sd": [0.1, 0.1],
            "loss_lower": [2.2, np.nan],
            "loss_upper": [2.5, np.nan],
            "regret_mean": [0.01, 0.02],
            "regret_upper": [0.05, 0.06],
            "edge_lower": [1.0, 2.0],
            "outside": [True, False],
            "p_best": [0.256, 1.0],
            "factor_params": [1.5, 1.0],
            "unknown": [np.nan, np.nan],
        }
    )
    shown = compact(table)
    assert list(shown) == [
        "name",
        "params",
        "loss",
        "regret",
        "edge_lower",
        "outside",
        "p_best",
        "factor_params",
    ]
    assert shown.iloc[0].tolist() == [
        "a",
        "1.82B",
        "2.3457 (2.2 to 2.5)",
        "0.01",
        "1",
        "yes",
        "0.26",
        "1.5",
    ]
    assert shown.loc[1, "loss"] == "–"
    assert shown.loc[1, "name"] == "–"


def test_a_summary_takes_the_place_of_what_was_stated(scattered):
    at = pd.DataFrame({"params": 1e9, "tokens": 2e10, "teacher_loss": [2.1, np.nan]})
    at["teacher_params"], at["teacher_tokens"] = [np.nan, 3e9], [np.nan, 6e10]
    shown = compact(forecast(scattered, at=at).table)
    assert list(shown).count("teacher_loss") == 1
    assert shown["teacher_loss"][0] == "2.1"
    assert " to " in shown["teacher_loss"][1]
    assert list(shown)[2] == "teacher_loss"


def test_a_long_table_is_cut_and_says_so():
    text = html_table(pd.DataFrame({"x": np.arange(1000.0)}))
    assert text.count("<tr>") == MOST_ROWS + 1
    assert f"and {1000 - MOST_ROWS} more rows" in text


def test_an_empty_table_is_no_error():
    assert compact(pd.DataFrame({"x": []})).empty
    assert "<table>" in html_table(pd.DataFrame())
