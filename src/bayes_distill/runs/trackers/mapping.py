"""How the names in an experiment tracker map to the columns of a table of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from bayes_distill._input.files import text_of
from bayes_distill._input.suggestions import did_you_mean
from bayes_distill._input.text import shown
from bayes_distill._input.toml import TomlError, parse_toml
from bayes_distill.errors import Fault, InputError, collected
from bayes_distill.runs.column_names import COLUMN_NAMES
from bayes_distill.runs.trackers.inline_columns import parse_columns

Scalar = str | bool | int | float
MOST_FACTORS = 20


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Part):
    """Where one column comes from.

    Parameters
    ----------
    names
        What the tracker calls it (``from`` in a file): ``param:``, ``metric:`` or ``tag:`` and a
        name, or a name alone. Several are multiplied with each other.
    value
        Which of the values that a metric had: the ``last``, the ``min`` or the ``max``.
    scale
        Factor to the unit wanted, such as 1e9 where the tracker counts billions.
    constant
        The same value for every run, instead of `names`.
    """

    names: Annotated[tuple[str, ...], Field(alias="from")] = ()
    value: Literal["last", "min", "max"] = "last"
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    constant: Scalar | None = None

    @field_validator("names", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _from_somewhere(self) -> Column:
        if bool(self.names) == (self.constant is not None):
            raise ValueError('give either from = "..." or constant = ...')
        if len(self.names) > MOST_FACTORS:
            raise ValueError(
                f"at most {MOST_FACTORS} names are multiplied, not {len(self.names):,}"
            )
        if any(not name.strip() for name in self.names):
            raise ValueError("from holds an empty name")
        if self.constant is not None and (self.scale != 1 or self.value != "last"):
            raise ValueError("a constant takes neither scale nor value")
        return self

    def describe(self, names: Sequence[str] = ()) -> str:
        """What a report says that this column is, with the tracker's full `names`."""
        if self.constant is not None:
            number = isinstance(self.constant, float)
            return f"constant {self.constant:g}" if number else f"constant {self.constant}"
        text = " * ".join(names)
        text = text if self.value == "last" else f"{self.value} of {text}"
        return text if self.scale == 1 else f"{text} * {self.scale:g}"


def _column(value: Any) -> Any:
    if isinstance(value, (str, list)):
        return {"from": value}
    return {"constant": value} if isinstance(value, (int, float)) else value


def _listed(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else (value,)


class RunFilter(_Part):
    """Which runs of the tracker are used; the others are skipped, each with its reason.

    Parameters
    ----------
    states
        States of runs that are used, in any case; empty means all of them.
    where
        Values that a name (as in `Column`) must have, one or a list to choose from.
    duplicates
        What to do with usable runs of one name, size, tokens and teacher: use the ``newest``, as
        befits a run that was started again, or ``all``.
    """

    states: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ("finished",)
    where: dict[str, Annotated[tuple[Scalar, ...], BeforeValidator(_listed)]] = {}
    duplicates: Literal["newest", "all"] = "newest"


class RunsMapping(_Part):
    """A mapping of a tracker's names, as read from TOML; names every fault at once.

    Columns that it leaves out are found by their aliases.
    """

    columns: dict[str, Annotated[Column, BeforeValidator(_column)]] = {}
    keep: RunFilter = RunFilter()

    @property
    def extremes(self) -> list[tuple[str, str]]:
        """Names of which the smallest or largest value is used, and which of the two."""
        columns = self.columns.values()
        return [(name, c.value) for c in columns for name in c.names if c.value != "last"]


def read_mapping(source: RunsMapping | Mapping[str, Any] | str | Path) -> RunsMapping:
    """Read a mapping from a TOML file, or from plain data of the same form.

    Raises
    ------
    InputError
        Naming every fault with the key it is under.
    """
    if isinstance(source, RunsMapping):
        return source
    if isinstance(source, Mapping):
        return _from_data(dict(source), "mapping")
    if not isinstance(source, (str, Path)):
        kind = type(source).__name__
        raise InputError(Fault(f"is a TOML file or a dictionary, not {kind}", column="mapping"))
    path = Path(source)
    try:
        content = parse_toml(text_of(path))
    except FileNotFoundError:
        raise InputError(Fault(f"there is no file {path}", column="mapping")) from None
    except TomlError as error:
        problem = f"{path} is not valid TOML: {shown(str(error), 300)}"
        raise InputError(Fault(problem, column="mapping")) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(Fault(f"{path} cannot be read: {reason}", column="mapping")) from None
    return _from_data(content, str(path))


def with_columns(
    mapping: RunsMapping | Mapping[str, Any] | str | Path | None,
    columns: Mapping[str, Any] | str | None,
) -> RunsMapping | None:
    """A mapping with some of its columns replaced by those given inline.

    Parameters
    ----------
    mapping
        What `read_mapping` takes; ``None`` is an empty one.
    columns
        Columns of a mapping as a dictionary, or on one line as `parse_columns` takes them; ``None``
        replaces nothing.

    Raises
    ------
    InputError
        Naming every fault of both.
    """
    faults: list[Fault] = []
    plan, inline = RunsMapping(), RunsMapping()
    with collected(faults):
        plan = RunsMapping() if mapping is None else read_mapping(mapping)
    with collected(faults):
        if columns is not None:
            content = parse_columns(columns) if isinstance(columns, str) else dict(columns)
            inline = _from_data({"columns": content}, "columns")
    if faults:
        raise InputError(faults)
    if columns is None:
        return None if mapping is None else plan
    return plan.model_copy(update={"columns": {**plan.columns, **inline.columns}})


def _from_data(content: dict[str, Any], source: str) -> RunsMapping:
    faults = []
    columns = content.get("columns")
    for name in columns if isinstance(columns, dict) else ():
        if name not in COLUMN_NAMES:
            faults.append(Fault(_unknown(str(name)), column=f"columns.{name}"))
    try:
        mapping = RunsMapping.model_validate(content)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            key = ".".join(str(part) for part in problem["loc"])
            faults.append(Fault(problem["msg"].removeprefix("Value error, "), column=key))
    if faults:
        about = "columns" if source == "columns" else "mapping"
        raise InputError([Fault(f"{source} cannot be used", column=about), *faults])
    return mapping


def _unknown(name: str) -> str:
    instead = did_you_mean(name, COLUMN_NAMES, f"use {', '.join(COLUMN_NAMES)}", cutoff=0.7)
    return f"is no column of a table of runs: {instead}"
