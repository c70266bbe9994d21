"""What a part of a plan is made of as plain data, which travels to other processes and into files.

Arrays are text of their bytes, so that every number comes back as it was, and ten times faster than
from decimal digits.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from bayes_distill.cards import card_from_dict
from bayes_distill.compute import Architecture, ForwardFlops, PlainCount, Scenario
from bayes_distill.errors import Fault
from bayes_distill.laws import Reference
from bayes_distill.planning.criteria import Criterion, criterion_named
from bayes_distill.planning.draw_counts import DrawCounts
from bayes_distill.planning.setting import Setting
from bayes_distill.planning.solver.limits import Limits
from bayes_distill.posterior import Posterior

ARRAY, OBJECTS = "array of bytes", "array of objects"
COUNTS: dict[str, type[Architecture] | type[PlainCount]] = {
    "Architecture": Architecture,
    "PlainCount": PlainCount,
}
INFO = (
    "hull",
    "kind",
    "n_runs",
    "teachers_as_runs",
)  # of a posterior's provenance, what plans look at


def pack(value: Any) -> Any:
    """Plain data of nested mappings, lists, arrays and numbers."""
    if isinstance(value, Mapping):
        return {str(name): pack(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [pack(each) for each in value]
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "bif":
            return {OBJECTS: value.tolist()}
        dtype = value.dtype.newbyteorder("<")
        data = b64encode(np.ascontiguousarray(value, dtype).tobytes()).decode("ascii")
        return {ARRAY: data, "dtype": dtype.str, "shape": list(value.shape)}
    return value.item() if isinstance(value, np.generic) else value


def unpack(value: Any) -> Any:
    """Inverse of `pack`, but for tuples, which are lists."""
    if isinstance(value, Mapping):
        if OBJECTS in value:
            return np.array(value[OBJECTS], dtype=object)
        if ARRAY not in value:
            return {name: unpack(each) for name, each in value.items()}
        flat = np.frombuffer(b64decode(value[ARRAY]), np.dtype(value["dtype"]))
        return flat.reshape(value["shape"]).astype(flat.dtype.newbyteorder("="))
    return [unpack(each) for each in value] if isinstance(value, list) else value


def posterior_as_text(posterior: Posterior) -> str:
    """A posterior's draws, card and reference, without what plans do not look at."""
    group = posterior.tree["posterior"].dataset
    content = {
        "card": posterior.card.model_dump(mode="json"),
        "reference": [
            posterior.reference.params,
            posterior.reference.tokens,
            posterior.reference.loss,
        ],
        "info": {name: posterior.info[name] for name in INFO if name in posterior.info}
        | ({} if posterior.hulls is None else {"hulls": posterior.hulls.to_json()}),
        **{
            part: {
                str(name): {"dims": list(map(str, variable.dims)), "values": pack(variable.values)}
                for name, variable in variables.items()
            }
            for part, variables in (("variables", group.data_vars), ("coordinates", group.coords))
        },
    }
    return json.dumps(content)


@lru_cache(maxsize=2)
def posterior_of_text(text: str) -> Posterior:
    """Inverse of `posterior_as_text`."""
    content = json.loads(text)
    variables, coordinates = (
        {name: (each["dims"], unpack(each["values"])) for name, each in content[part].items()}
        for part in ("variables", "coordinates")
    )
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(variables, coords=coordinates)})
    card = card_from_dict(content["card"], "the card")
    return Posterior(tree, card, Reference(*content["reference"]), content["info"])


def setting_as_plain(setting: Setting) -> dict[str, Any]:
    """A setting without its posterior; see `faults_of_travel` for what cannot be plain data."""
    return {
        "params": float(setting.params),
        "scenario": asdict(setting.scenario),
        "limits": asdict(setting.limits),
        "flops": {"count": type(setting.flops).__name__, **asdict(setting.flops)},  # type: ignore[call-overload]
        "criterion": setting.criterion.name,
        "served_tokens": setting.served_tokens,
        "draw_counts": asdict(setting.draw_counts),
        "seed": setting.seed,
    }


def setting_of_plain(content: Mapping[str, Any], posterior: Posterior) -> Setting:
    """Inverse of `setting_as_plain`, with the posterior that it left out."""
    limits = content["limits"]
    flops = dict(content["flops"])
    return Setting(
        posterior,
        content["params"],
        Scenario(**content["scenario"]),
        Limits(**{**limits, "teacher_sizes": tuple(limits["teacher_sizes"])}),
        COUNTS[flops.pop("count")](**flops),
        criterion_named(content["criterion"]),
        content["served_tokens"],
        DrawCounts(**content["draw_counts"]),
        content["seed"],
    )


def faults_of_travel(criterion: Criterion, flops: ForwardFlops) -> list[Fault]:
    """What of a plan cannot be sent to another process, or identified in a file."""
    faults = []
    if not criterion.name:
        faults.append(
            Fault(
                "a function cannot be sent to other processes or named in a folder: name one of "
                "the criteria, or leave out `workers`, `scheduler` and `resume`",
                column="criterion",
            )
        )
    if type(flops) not in COUNTS.values():
        faults.append(
            Fault(
                f"a {type(flops).__name__} cannot be sent to other processes or named in a folder: "
                f"use {' or '.join(COUNTS)} of `bayes_distill.compute`, or leave out `workers`, "
                "`scheduler` and `resume`",
                column="flops",
            )
        )
    return faults
