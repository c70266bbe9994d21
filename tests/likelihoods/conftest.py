"""A fit of runs of which some were badly tuned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bayes_distill.posterior import Posterior


@pytest.fixture(scope="session")
def contaminated(fits_folder: Path) -> Posterior:
    """Of such a sweep with the contaminated likelihood, as its file holds it."""
    from badly_tuned import badly_tuned, card_of
    from bayes_distill.inference.fit import fit
    from bayes_distill.posterior import Posterior

    posterior = fit(badly_tuned(0), card_of("contaminated"), warmup=300, draws=400)
    return Posterior.load(posterior.save(fits_folder / "contaminated.nc"))
