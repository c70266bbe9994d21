"""Dotted paths of cards: what is imported for them, and what never is."""

from __future__ import annotations

import sys

import pytest

from bayes_distill._runtime.by_name import named
from bayes_distill.errors import InputError

GROUP = "bayes_distill.laws"


@pytest.mark.parametrize(
    "path",
    [
        "IPython.__main__:X",
        "__main__:X",
        "numpy.__init__:X",
        "test.autotest:X",
        "os:system",
        "_testcapi:X",
        "__hello__:X",
        "this:s",
    ],
)
def test_programs_and_the_standard_library_are_refused_without_being_imported(path):
    module = path.partition(":")[0]
    there = module in sys.modules
    with pytest.raises(InputError, match=r"holds no law|there is no module"):
        named(path, GROUP, "law")
    assert (module in sys.modules) == there


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("raise SystemExit(0)", "importing its module fails with SystemExit"),
        ("def __getattr__(name):\n    raise SystemExit(7)", "the module fails with SystemExit"),
    ],
)
def test_a_module_that_ends_the_process_is_an_error(text, says, tmp_path, monkeypatch):
    name = f"ends_{abs(hash(text))}"
    (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=says):
        named(f"{name}:X", GROUP, "law")
