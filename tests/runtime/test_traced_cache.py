"""Traced functions that are stored between processes: found again, made again, never stale."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import numpy as np
import pytest

from bayes_distill._runtime import disk_cache, sources
from bayes_distill._runtime.traced_cache import Stored

FILES = {
    "__init__.py": "",
    "traced.py": """
        import jax.numpy as jnp
        from typing import TYPE_CHECKING
        from bayes_distill._runtime.traced_cache import Stored
        from {package} import constants
        from {package}.helper import shift
        from .inner import relative
        if TYPE_CHECKING:
            from {package}.types_only import Name
        traced = []
        @Stored
        def scaled(factor, tree, more):
            from {package}.late import late
            traced.append(factor)
            total = constants.FACTOR * factor * (tree["a"] + tree["b"]) + shift() + late()
            return {{"sum": total + relative() + more, "first": tree["a"]}}
        @Stored
        def of_static(static, x):
            return static.factor * x
        """,
    "constants.py": "FACTOR = 1.0",
    "helper.py": "from {package}.deeper import SHIFT\ndef shift():\n    return SHIFT",
    "deeper.py": "SHIFT = 0.0",
    "inner/__init__.py": "from .part import relative",
    "inner/part.py": "def relative():\n    return 0.0",
    "late.py": "def late():\n    return 0.0",
    "unrelated.py": "NUMBER = 0.0",
    "types_only.py": "Name = str",
    "law.py": "from dataclasses import dataclass\nfrom bayes_distill.laws import Law\n"
    "@dataclass(frozen=True)\nclass Plain:\n    power: int = 1\n    factor = 2.0",
}
TREE = {"a": np.arange(3.0), "b": np.ones(3)}


class Package:
    """A package in a temporary folder, and a cache beside it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.cache = folder / name, name, folder / "cache"
        for file in FILES:
            self.write(file, FILES[file])

    def write(self, file: str, text: str) -> None:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = dedent(text).format(package=self.name)
        path.write_text(f"{lines}\n# {os.urandom(4).hex()}\n", encoding="utf-8")

    def imported(self, module: str = "traced") -> ModuleType:
        """A module as a new process would import it."""
        for name in [name for name in sys.modules if name.partition(".")[0] == self.name]:
            del sys.modules[name]
        importlib.invalidate_caches()
        return importlib.import_module(f"{self.name}.{module}")

    def sum(self, module: ModuleType | None = None) -> list[float]:
        """What the function answers in a new process: 2 * (a + b) of `TREE` as it is written."""
        module = module or self.imported()
        return [float(x) for x in module.scaled((2,), TREE, 0.0)[1]]

    @property
    def stored(self) -> int:
        return len(list((self.cache / "traced").glob("*")))


@pytest.fixture
def package(tmp_path, monkeypatch) -> Iterator[Package]:
    monkeypatch.setattr(disk_cache, "cache_folder", lambda: tmp_path / "cache" / "jax")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # edits come within a second
    sources._import_lists.cache_clear()
    made = Package(tmp_path, f"package_{os.urandom(4).hex()}")
    yield made
    sources._import_lists.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == made.name]:
        del sys.modules[name]


def test_another_process_does_not_trace_again(package):
    module = package.imported()
    first, sums = module.scaled((2,), TREE, 1.0)
    np.testing.assert_array_equal(first, TREE["a"])  # leaves come by name
    np.testing.assert_array_equal(sums, [3.0, 5.0, 7.0])
    assert module.traced == [2]
    again = package.imported()
    np.testing.assert_array_equal(again.scaled((2,), TREE, 5.0)[1], [7.0, 9.0, 11.0])
    assert again.traced == []
    assert package.stored == 1


def test_other_static_parts_shapes_and_structures_are_traced_anew(package):
    module = package.imported()
    module.scaled((2,), TREE, 1.0)
    module.scaled((2,), TREE, 2.0)
    module.scaled((3,), TREE, 1.0)
    module.scaled((2,), {name: np.ones(4) for name in TREE}, 1.0)
    module.scaled((2,), TREE, np.ones(3))
    assert module.traced == [2, 3, 2, 2]
    assert package.stored == 4


@pytest.mark.parametrize(
    ("file", "text", "answer"),
    [
        ("constants.py", "FACTOR = 3.0", [6.0, 12.0, 18.0]),
        ("deeper.py", "SHIFT = 1.0", [3.0, 5.0, 7.0]),
        ("helper.py", "def shift():\n    return 2.0", [4.0, 6.0, 8.0]),
        ("inner/part.py", "def relative():\n    return 3.0", [5.0, 7.0, 9.0]),
        ("inner/__init__.py", "def relative():\n    return 4.0", [6.0, 8.0, 10.0]),
        ("late.py", "def late():\n    return 5.0", [7.0, 9.0, 11.0]),
        ("traced.py", FILES["traced.py"].replace("+ more", "- 1 + more"), [1.0, 3.0, 5.0]),
    ],
    ids=lambda value: value if str(value).endswith(".py") else "",
)
def test_an_edit_of_anything_that_is_imported_gives_the_new_answer(package, file, text, answer):
    assert package.sum() == [2.0, 4.0, 6.0]
    package.write(file, text)
    assert package.sum() == answer
    assert package.stored == 2
    package.write("unrelated.py", "NUMBER = 7.0")
    package.write("types_only.py", "Name = int")
    module = package.imported()
    assert package.sum(module) == answer
    assert module.traced == []


def test_an_edit_between_two_processes_gives_the_new_answer(package):
    code = (
        "import json, numpy as np\n"
        f"from {package.name}.traced import scaled, traced\n"
        "tree = {'a': np.arange(3.0), 'b': np.ones(3)}\n"
        "print([float(x) for x in scaled((2,), tree, 0.0)[1]], len(traced))"
    )

    def answer() -> str:
        environment = {
            "BAYES_DISTILL_CACHE": str(package.cache),
            "PYTHONPATH": os.pathsep.join([str(package.folder.parent), *sys.path]),
        }
        done = subprocess.run(
            [sys.executable, "-B", "-c", code],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    assert answer() == "[2.0, 4.0, 6.0] 1"
    assert answer() == "[2.0, 4.0, 6.0] 0"
    package.write("deeper.py", "SHIFT = 1.0")
    assert answer() == "[3.0, 5.0, 7.0] 1"
    assert answer() == "[3.0, 5.0, 7.0] 0"


def test_code_that_was_replaced_runs_but_is_not_stored(package):
    module = package.imported()
    sys.modules[f"{package.name}.late"] = late = ModuleType("late")
    exec("def late():\n    return 100.0", late.__dict__)
    assert package.sum(module) == [102.0, 104.0, 106.0]
    assert package.stored == 0
    assert package.sum() == [2.0, 4.0, 6.0]


def test_code_that_was_edited_after_it_was_imported_runs_but_is_not_stored(package):
    module = package.imported()
    package.write("helper.py", "def shift():\n    return 2.0")
    assert package.sum(module) == [2.0, 4.0, 6.0]
    assert package.stored == 0
    assert package.sum() == [4.0, 6.0, 8.0]


def test_code_that_is_loaded_by_its_name_runs_but_is_not_stored(package):
    package.write(
        "late.py",
        "from importlib import import_module\nfound = import_module('{package}.unrelated')\n"
        "def late():\n    return found.number()",
    )
    package.write("unrelated.py", "def number():\n    return 1.0")
    assert package.sum() == [3.0, 5.0, 7.0]
    assert package.stored == 0
    package.write("unrelated.py", "def number():\n    return 2.0")
    assert package.sum() == [4.0, 6.0, 8.0]


def test_the_source_of_a_static_argument_counts(package):
    def answer(**fields: int) -> float:
        module = package.imported()
        law = importlib.import_module(f"{package.name}.law").Plain(**fields)
        return float(module.of_static((law,), 3.0)[0])

    assert answer() == 6.0
    assert answer() == 6.0
    assert package.stored == 1
    assert answer(power=2) == 6.0
    assert package.stored == 2
    package.write("law.py", FILES["law.py"].replace("factor = 2.0", "factor = 5.0"))
    assert answer() == 15.0
    assert package.stored == 3


@pytest.mark.parametrize(
    "text",
    [
        "class Plain:\n    factor = 2.0",
        "import pytest\n" + FILES["law.py"],
        FILES["law.py"] + "\n    def __post_init__(self):\n        self.__dict__['factor'] = 2.0",
        "def made():\n    class Plain:\n        factor = 2.0\n    return Plain\nPlain = made()",
    ],
    ids=["no fields", "imports more", "more than its fields", "local"],
)
def test_a_static_argument_of_which_sources_do_not_say_all_is_not_stored(package, text):
    package.write("law.py", text)
    module = package.imported()
    law = importlib.import_module(f"{package.name}.law").Plain()
    assert float(module.of_static((law,), 3.0)[0]) == 6.0
    assert package.stored == 0


@pytest.mark.parametrize("content", [b"", b"no program", b"\x00" * 500])
def test_a_damaged_file_is_made_again(package, content):
    package.sum()
    (file,) = (package.cache / "traced").iterdir()
    file.write_bytes(content)
    module = package.imported()
    assert package.sum(module) == [2.0, 4.0, 6.0]
    assert module.traced == [2]


def test_a_cache_that_cannot_be_written_costs_only_time(package):
    package.cache.write_text("in the way", encoding="utf-8")
    assert package.sum() == [2.0, 4.0, 6.0]


def nested() -> Callable[..., float]:
    def inner(x: float) -> float:
        return x

    return inner


def of_a_closure(factor: float) -> Callable[..., float]:
    def inner(x: float) -> float:
        return factor * x

    inner.__qualname__ = "inner"
    return inner


def of_module(name: str) -> Callable[..., float]:
    function = nested()
    function.__module__, function.__qualname__ = name, "inner"
    return function


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (nested(), "define it with def at the top of a module"),
        (lambda x: x, "define it with def at the top of a module"),
        (of_a_closure(2.0), "pass what it depends on as arguments"),
        (of_module("__main__"), "__main__ has no source file that other processes import"),
        (of_module("no_such_module"), "move it to one that has"),
        (of_module("math"), "the module math has no source file"),
        (of_module("bayes_distill"), "uses import_module, so what it imports cannot be read"),
        (np.sin, "it is no function: define one"),
    ],
)
def test_decoration_refuses_what_its_source_does_not_describe(function, sentence):
    with pytest.raises(TypeError, match=sentence):
        Stored(function)
