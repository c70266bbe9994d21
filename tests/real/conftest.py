"""Fits of the two real tables, each once; skipped where the tables are not at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bayes_distill.inference.fit import fit
from bayes_distill.posterior import Posterior, load_posterior
from printed_blocks import blocks, obey

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="session")
def real_tables() -> None:
    """As `real_data`, for fixtures that live as long as the session."""
    if not os.environ.get("BAYES_DISTILL_DATA"):
        pytest.skip("set BAYES_DISTILL_DATA to the folder with the two real tables to run this")


@pytest.fixture(scope="session")
def busbridge(real_tables: None) -> Posterior:
    """All 354 distillation runs, the law alone."""
    return fit("busbridge2025", "busbridge2025-plain")


def as_printed(name: str, folder: Path, settings: str = "", status: int = 0) -> Posterior:
    """The fit that the README's command on real data writes to `name`, with further settings."""
    found = [b for b in blocks(README) if (b.language, b.word) == ("sh", "real-data")]
    commands = {c.split()[-1]: c for block in found for c in block.commands}
    assert set(commands) == {"busbridge.nc", "hoffmann.nc"}  # each is run by a fixture below
    before = Path.cwd()
    os.chdir(folder)
    try:
        obey(f"{commands[name]} {settings}", status)
    finally:
        os.chdir(before)
    return Posterior.load(folder / name)


@pytest.fixture(scope="session")
def honest() -> Posterior:
    """All 354 distillation runs, with the defaults: the posterior that ships.

    Sampling it takes as long as all other fits here together: `honest_in_short` shows that the
    command as printed samples this posterior's density, and `honest_above_2_3` samples in earnest.
    """
    return load_posterior("busbridge2025")


@pytest.fixture(scope="session")
def honest_in_short(real_tables: None, fits_folder: Path) -> Posterior:
    """The README's command for the posterior that ships, with few draws."""
    return as_printed(
        "busbridge.nc", fits_folder, "--chains 2 --warmup 100 --draws 50 --extensions 0", 3
    )


@pytest.fixture(scope="session")
def honest_above_2_3(real_tables: None) -> Posterior:
    """The 328 runs with a loss above 2.3, with the default card."""
    settings = {"warmup": 600, "draws": 300}
    return fit("busbridge2025", where="loss > 2.3", check_law=False, **settings)


@pytest.fixture(scope="session")
def busbridge_above_2_3(real_tables: None) -> Posterior:
    """The 328 runs with a loss above 2.3, the law alone."""
    return fit("busbridge2025", "busbridge2025-plain", where="loss > 2.3", check_law=False)


@pytest.fixture(scope="session")
def busbridge_as_extracted(real_tables: None) -> Posterior:
    """All 354 runs with the six labels as extracted."""
    return fit("busbridge2025", "busbridge2025-plain", corrections=False, check_law=False)


@pytest.fixture(scope="session")
def hoffmann(real_tables: None) -> Posterior:
    """All 245 supervised runs, with the defaults."""
    return fit("hoffmann2022")


@pytest.fixture(scope="session")
def hoffmann_without_outliers(real_tables: None, fits_folder: Path) -> Posterior:
    """The 240 runs without the five highest losses."""
    return as_printed("hoffmann.nc", fits_folder)


@pytest.fixture(scope="session")
def hoffmann_gamma(real_tables: None) -> Posterior:
    """The 240 runs with gamma free."""
    return fit("hoffmann2022", "hoffmann2022-gamma", where="tokens > 0.43 * params")
