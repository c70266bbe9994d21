"""What benchmarks share: the model of a card, the quality of draws, processes and tables.

Heavy modules are imported where they are used: some benchmarks time the start of a process.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

CARDS = ("hoffmann2022", "busbridge2025-plain", "busbridge2025")


def inputs_of(card_name: str) -> tuple[Any, Any, Any, Any]:
    """The card, and its model on its named data: static part, data and hyperparameters."""
    from bayes_distill.cards import load_card
    from bayes_distill.inference.model_inputs import model_inputs, reference_point
    from bayes_distill.runs import read_runs

    card = load_card(card_name)
    assert card.data is not None
    table = read_runs(card.data)
    spec, data, hyper, _ = model_inputs(card, table, reference_point(card, table.frame))
    return card, spec, data, hyper


def quality(draws: Mapping[str, Any]) -> dict[str, float]:
    """Effective sample sizes, bulk and tail, and the largest R-hat of draws (chains, draws, ...).

    ``min`` is the least over all numbers that were sampled, ``mean`` their geometric mean, which
    varies far less from one run to the next.
    """
    import arviz_base
    import arviz_stats
    import numpy as np

    data = arviz_base.dict_to_dataset(dict(draws))
    bulk, tail = arviz_stats.ess(data), arviz_stats.ess(data, method="tail")
    rhat = arviz_stats.rhat(data)
    sizes = {"bulk": _flat(bulk), "tail": _flat(tail)}
    return {
        **{f"ess_{kind}_min": float(of.min()) for kind, of in sizes.items()},
        **{f"ess_{kind}_mean": float(np.exp(np.log(of).mean())) for kind, of in sizes.items()},
        "rhat_max": float(_flat(rhat).max()),
    }


def _flat(data: Any) -> np.ndarray:
    import numpy as np

    return np.concatenate([np.ravel(data[name].to_numpy()) for name in data.data_vars])


def peak_memory_gb() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def in_a_process(script: str, *arguments: object, **environment: str) -> Any:
    """What a benchmark prints in its last line, as JSON, run in a separate process.

    Raises
    ------
    RuntimeError
        With the last line of its messages, if it fails.
    """
    command = [sys.executable, script, *map(str, arguments)]
    variables = {**os.environ, **environment}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise RuntimeError(said[-1][:300] if said else f"{script} ended with {done.returncode}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table of strings or numbers."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def write_json(path: str | Path | None, content: Any) -> None:
    """Write what is behind a table, if a path is named."""
    if path is not None:
        Path(path).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
