"""The plots on the page: which there are, and that fewer draws change none of them much."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bayes_distill.reporting import figures
from studies import with_runs


@pytest.fixture(scope="module")
def posterior(scattered):
    return with_runs(scattered)


def titles(pictures):
    return [picture.title for picture in pictures]


@pytest.mark.slow
def test_a_fit_with_more_draws_than_a_picture_needs_has_the_same_pictures(posterior, monkeypatch):
    assert posterior.n_draws > figures.DRAWS
    thin = figures.pictures_of(posterior, 0.9, 0)
    assert titles(thin) == [shown.title for shown in figures.SHOWN]
    unlimited = tuple(replace(shown, draws=None) for shown in figures.SHOWN)
    monkeypatch.setattr(figures, "SHOWN", unlimited)
    whole = figures.pictures_of(posterior, 0.9, 0)
    assert titles(whole) == titles(thin)
    for few, many in zip(thin, whole, strict=True):
        # the same students, runs and labels; numbers in legends may differ in their last digits
        words = [
            re.sub(r"[\d.]+", "#", " ".join(re.findall(r"<text[^>]*>([^<]*)<", one.svg)))
            for one in (few, many)
        ]
        assert words[0] == words[1], few.title
        assert few.svg.count("<use") == many.svg.count("<use"), few.title  # as many markers


def test_students_of_the_runs_are_drawn_with_their_runs(posterior):
    first = figures.pictures_of(posterior, 0.9, 0)[0]
    assert "143M on " in first.svg
    assert ">runs<" in first.svg


def test_a_posterior_without_runs_has_no_pictures(scattered):
    assert figures.pictures_of(scattered, 0.9, 0) == []
