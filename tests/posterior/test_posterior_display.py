"""A posterior in a console and in a notebook."""

from __future__ import annotations

from dataclasses import replace

from bayes_distill import load_posterior


def test_ten_lines_in_a_console():
    for name in ("busbridge2025", "hoffmann2022"):
        lines = repr(load_posterior(name)).splitlines()
        assert lines[0].startswith(f"<Posterior {name}: law ")
        assert "draws" in lines[0]
        assert 1 < len(lines) <= 10
        assert max(map(len, lines)) <= 120


def test_a_table_in_a_notebook_with_names_escaped():
    posterior = load_posterior("hoffmann2022")
    page = posterior._repr_html_()
    assert page.count("<tr>") == 1 + len(posterior.info["coefficients"])
    odd = replace(posterior, info={**posterior.info, "notes": ["<script>"]})
    assert "<script>" not in odd._repr_html_()
    assert "&lt;script&gt;" in odd._repr_html_()
    bare = replace(posterior, info={})
    assert len(repr(bare).splitlines()) == 1
    assert "<table>" not in bare._repr_html_()
