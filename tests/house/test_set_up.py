"""The house around the package: pinned versions, portable files, set-up that speaks plainly."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# brackets keep this file from naming what it looks for
REGISTRY_HOST = re.compile(
    rb"(?i)[p]ypi\.org|python[h]osted|npm[j]s\.(?:org|com)|deb[i]an\.org|conda\.anaconda\.[o]rg"
)
MACHINE_PATH = re.compile(rb"(?<![\w.~-])/(?:[h]ome|[U]sers|[r]oot|[w]ork)/[\w.]")
LOCK_FILE = re.compile(r"(?:^|/)(?:[^/]+\.lock|pylock\.[^/]*toml|package-lock\.json)$")


def constraint_lines() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pins() -> dict[str, str]:
    return {canonicalize_name(n): v for n, v in (line.split("==") for line in constraint_lines())}


def declared() -> list[Requirement]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(text) for group in groups for text in group]


def reached(requirements: list[Requirement]) -> Iterator[str]:
    """Names of all that an installation of the requirements brings along on this machine."""
    seen: set[tuple[str, str]] = set()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            yield name
            try:
                needs = [Requirement(text) for text in requires(name) or ()]
            except PackageNotFoundError:
                continue  # a development tool that a user of the tests alone left out
            waiting += [
                need for need in needs if not need.marker or need.marker.evaluate({"extra": extra})
            ]


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def matches(pattern: re.Pattern[bytes], names: list[str]) -> list[str]:
    return [
        f"{name}: {found.group().decode()}"
        for name in names
        for found in [pattern.search((ROOT / name).read_bytes())]
        if found
    ]


def test_constraints_are_plain_pins():
    lines = constraint_lines()
    assert lines
    odd = [x for x in lines if not re.fullmatch(r"[A-Za-z0-9][\w.-]*==\d[\w.!]*", x)]
    assert odd == []
    assert len(pins()) == len(lines)


@pytest.mark.parametrize("requirement", declared(), ids=lambda r: r.name)
def test_each_declared_dependency_is_pinned_within_its_range(requirement):
    pinned = pins().get(canonicalize_name(requirement.name))
    assert pinned is not None
    assert requirement.specifier.contains(pinned)


def test_what_the_dependencies_bring_along_is_pinned_too():
    assert sorted(set(reached(declared())) - set(pins())) == []


def test_no_tracked_file_names_a_package_registry(tracked):
    assert matches(REGISTRY_HOST, tracked) == []


def test_no_tracked_file_holds_a_path_of_one_machine(tracked):
    assert matches(MACHINE_PATH, tracked) == []


def test_there_is_no_lock_file(tracked):
    assert [name for name in tracked if LOCK_FILE.search(name)] == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (REGISTRY_HOST, b"https://py" + b"pi.org/simple"),
        (REGISTRY_HOST, b"https://files.python" + b"hosted.org/packages/x"),
        (MACHINE_PATH, b'open("/ho' + b'me/ada/runs.csv")'),
        (MACHINE_PATH, b"cd /ro" + b"ot/.cache"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern, text):
    assert pattern.search(text)


def test_python_version_is_the_one_developed_with():
    assert (ROOT / ".python-version").read_text(encoding="utf-8").strip() == "3.13"


def make_venv(folder: Path, python: Path) -> subprocess.CompletedProcess[str]:
    """Run `make venv` in a copy of the set-up, with PYTHON naming that script."""
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder / name)
    # a make that runs these tests must not hand its own flags down
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "venv"],
        cwd=folder,
        env={**environment, "PYTHON": str(python)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("echo 3.9 /usr/bin/python3.9", "is Python 3.9"),
        ("echo no such version >&2; exit 127", "does not run as a Python"),
    ],
    ids=["old", "shim that fails"],
)
def test_set_up_refuses_a_python_that_will_not_do(tmp_path, body, problem):
    python = script(tmp_path / "my-python", body)
    folder = tmp_path / "a checkout"
    folder.mkdir()
    result = make_venv(folder, python)
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert result.returncode != 0
    assert result.stderr.startswith(f"error: Python {oldest} or newer is needed")
    assert f"{python} {problem}" in result.stderr
    assert not (folder / ".venv").exists()


def test_set_up_says_when_a_python_cannot_make_environments(tmp_path):
    version = "3.12"
    python = script(
        tmp_path / "python",
        f'case "$2" in *ensurepip*) exit 1 ;; esac; echo {version} /usr/bin/python{version}',
    )
    folder = tmp_path / "checkout"
    folder.mkdir()
    result = make_venv(folder, python)
    assert result.returncode != 0
    assert result.stderr.startswith(f"error: {python} is Python {version} but cannot make")
    assert f"python{version}-venv" in result.stderr
    assert not (folder / ".venv").exists()
