"""Coverage and error against the factor of extrapolation, as a picture and in the report."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

import bayes_distill as bd
from bayes_distill.errors import InputError
from bayes_distill.plots.coverage_by_factor import coverage_by_factor
from bayes_distill.reporting.validation_words import validation_of
from posteriors import posterior_of_law
from validations import made_up_validation


@pytest.fixture(scope="module")
def along_compute():
    fit = posterior_of_law("chinchilla")
    return made_up_validation(fit, 0.6, leave_out="compute", factors=(3.0, 10.0))


def test_it_shows_every_level_and_the_error(along_compute):
    above, below = coverage_by_factor(along_compute)
    table = along_compute.by_factor
    drawn = [line for line in above.lines if line.get_marker() != "None"]
    assert len(drawn) == len(along_compute.levels)
    assert list(drawn[2].get_ydata()) == list(table["coverage_90"])
    assert [text.get_text() for text in above.texts] == [str(n) for n in table["runs"]]
    assert below.lines[0].get_ydata() == pytest.approx(100 * table["error"].to_numpy())
    plt.close(above.figure)


def test_another_validation_is_refused():
    fit = posterior_of_law("chinchilla")
    with pytest.raises(InputError, match="is not along compute"):
        bd.plot("coverage-by-factor", made_up_validation(fit, 0.6))


def test_the_report_has_the_picture_and_its_numbers(along_compute):
    fit = posterior_of_law("chinchilla")
    shown = validation_of(fit, along_compute)
    (table,) = shown.section.tables
    assert [row[0] for row in table.rows] == ["1 to 3", "3 to 10"]
    assert table.rows[-1][-1] == "too narrow"
    assert "dearer" in shown.figure.title
    assert "<svg" in shown.figure.svg
    assert validation_of(fit) is None  # nothing ships with it
