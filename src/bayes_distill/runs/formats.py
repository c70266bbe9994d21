"""CSV, Parquet and JSON lines, read as cells: what a cell means is decided later."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bayes_distill._input.text import shown
from bayes_distill.errors import Fault, InputError
from bayes_distill.runs.decoding import PACKED, format_suffix, read_bytes, read_text


@dataclass(frozen=True, slots=True)
class Cells:
    """A table before anything is known about it.

    Parameters
    ----------
    header
        Names of the columns as written; may repeat.
    columns
        One list of cells a column, all of the same length.
    faults
        Rows that could not be read; their cells are empty.
    """

    header: list[str]
    columns: list[list[object]]
    faults: tuple[Fault, ...] = ()

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0


def read_cells(path: Path) -> Cells:
    """Read a file by its suffix.

    Raises
    ------
    InputError
        If there is no such file, or it is not what its suffix says, or it has no rows.
    """
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder: name a table of runs in it")
        if not path.exists():
            raise InputError(f"{path}: there is no such file")
        suffix = format_suffix(path)
        reader = READERS.get(suffix)
        if reader is None:
            kind = f"the suffix {suffix!r}" if suffix else "no suffix"
            raise InputError(
                f"{path} has {kind}, which tells no format: use .csv, .parquet or .jsonl, "
                "perhaps with .gz behind it"
            )
        if path.stat().st_size == 0:
            raise InputError(f"{path} is empty")
        cells = reader(path)
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise InputError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    if not cells.header:
        raise InputError(f"{path} has no columns")
    if len(cells) == 0:
        raise InputError(f"{path} has a header but no runs")
    return cells


def frame_cells(frame: pd.DataFrame) -> Cells:
    """Take a DataFrame apart; its index is not a column.

    Raises
    ------
    InputError
        If it has no rows.
    """
    if len(frame) == 0:
        raise InputError("the DataFrame has no rows")
    header = [str(name) for name in frame.columns]
    return Cells(header, [frame.iloc[:, place].tolist() for place in range(len(header))])


def cells_of(source: pd.DataFrame | str | Path) -> Cells:
    """Cells of a DataFrame or a file, as `frame_cells` and `read_cells` give them."""
    return frame_cells(source) if isinstance(source, pd.DataFrame) else read_cells(Path(source))


def places_of(header: Sequence[str], aliases: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Place of each column that the header has, by its first alias there; case is ignored."""
    names = [name.strip().casefold() for name in header]
    return {
        column: names.index(alias)
        for column, each in aliases.items()
        for alias in reversed(each)
        if alias in names
    }


def _read_csv(path: Path) -> Cells:
    # not pandas.read_csv: it renames repeated headers, and stops at the first row that is too long
    text = io.StringIO(read_text(path), newline="")
    try:
        lines = [line for line in csv.reader(text, strict=True) if any(c.strip() for c in line)]
    except csv.Error as error:
        raise InputError(f"{path} cannot be read as CSV: {error}") from error
    if not lines:
        raise InputError(f"{path} is empty")
    header = [name.strip() for name in lines[0]]
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and separator in header[0]:
            raise InputError(f"{path} separates its columns by {name}: use commas")
    rows, faults = lines[1:], []
    columns: list[list[object]] = [[] for _ in header]
    for number, cells in enumerate(rows):
        if any(cell.strip() for cell in cells[len(header) :]):
            problem = f"has {len(cells)} cells where the header has {len(header)}"
            faults.append(Fault(f"{problem} (a comma inside a number needs quotes)", row=number))
        for place, column in enumerate(columns):
            column.append(cells[place] if place < len(cells) else "")
    # an empty name over empty cells is only a comma at the end of every line
    places = [p for p, name in enumerate(header) if name or any(columns[p])]
    return Cells([header[p] for p in places], [columns[p] for p in places], tuple(faults))


def _read_json_lines(path: Path) -> Cells:
    lines = _json_lines(read_text(path))
    records: list[dict[str, object]] = []
    faults: list[Fault] = []
    for number, line in enumerate(lines):
        try:
            record = json.loads(line, object_pairs_hook=_unrepeated)
            if not isinstance(record, dict):
                raise ValueError("it is no object")
        except (ValueError, RecursionError) as error:
            example = 'write one object a line, such as {"params": 1e9, "tokens": 2e10, ...}'
            faults.append(Fault(f"is not a JSON object ({error}): {example}", row=number))
            record = {}
        records.append(record)
    header = list(dict.fromkeys(name for record in records for name in record))
    if not header:
        raise InputError(faults or f"{path} is empty")
    return Cells(header, [[r.get(name) for r in records] for name in header], tuple(faults))


def _json_lines(text: str) -> list[str]:
    if text.lstrip().startswith("["):  # one array, as pandas writes by default
        try:
            return [json.dumps(record) for record in json.loads(text)]
        except (ValueError, RecursionError):
            pass
    # not splitlines: a name may hold a separator that only Python takes for the end of a line
    return [line for line in text.split("\n") if line.strip()]


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        number = Counter(name for name, _ in pairs)
        raise ValueError(f"'{shown(number.most_common(1)[0][0])}' is there twice")
    return found


def _read_parquet(path: Path) -> Cells:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    try:
        source = io.BytesIO(read_bytes(path)) if path.suffix.lower() == PACKED else path
        table = pq.ParquetFile(source).read(use_threads=False)
        header = [str(name) for name in table.column_names]
        columns = [table.column(place).to_pylist() for place in range(len(header))]
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as Parquet: {reason}") from error
    # pandas stores an index that is not 0, 1, 2, ... as a column of this name
    places = [p for p, name in enumerate(header) if not name.startswith("__index_level_")]
    return Cells([header[p] for p in places], [columns[p] for p in places])


READERS: dict[str, Callable[[Path], Cells]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".json": _read_json_lines,
}
