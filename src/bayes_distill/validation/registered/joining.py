"""Which runs came of which registered forecasts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayes_distill.validation.registered.later_runs import LaterRuns


def joined(forecasts: pd.DataFrame, runs: LaterRuns) -> pd.DataFrame:
    """Pairs of a forecast and a run that it was of, one row a pair.

    A run is of a forecast if log params and log tokens differ by at most the tolerance, both have a
    teacher or neither has, the teachers agree (in log loss to a quarter of the tolerance, or else
    in size and tokens), and the arm is that of the forecast, if it has one. Runs that the fit
    already had, by their losses, are left out.

    Returns
    -------
    DataFrame
        The columns of `forecasts`, with ``forecast`` (its place), ``row`` (index of the run) and
        ``loss``.
    """
    pairs = []
    for place, (index, forecast) in enumerate(forecasts.iterrows()):
        point = dict(forecast)
        same = runs.of_size(point) & runs.of_teacher(point)
        same &= runs.of_arm(point["by"], point["arm"]) & ~runs.known(point["known_runs"])
        for run in np.flatnonzero(same):
            pairs.append((index, place, runs.names[run], runs.loss[run]))
    found = pd.DataFrame(pairs, columns=["index", "forecast", "row", "loss"])
    return found.join(forecasts, on="index").drop(columns="index")
