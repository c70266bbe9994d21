"""Chain and draw of a posterior's draws, as an index."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_distill.posterior import Posterior


def sample_index(posterior: Posterior) -> pd.MultiIndex:
    """Levels ``chain`` and ``draw`` of `Posterior.draws`, (draws,).

    ``draw`` counts within a chain the draws that thinning has left.
    """
    chains = getattr(posterior, "chains", None)
    if chains is None:
        sizes = posterior.tree["posterior"].dataset.sizes
        chains = np.repeat(np.arange(sizes["chain"]), sizes["draw"])
    labels = pd.Series(np.asarray(chains))
    return pd.MultiIndex.from_arrays(
        [labels, labels.groupby(labels).cumcount()], names=["chain", "draw"]
    )
