"""The manifest: which mixture belongs to which target and which words. One row per piece and target."""

from __future__ import annotations

import csv
import math
import os
from dataclasses import dataclass
from pathlib import Path

from lass_lab.signal.files import InputError

SPLITS = ("train", "test", "out-of-domain")
COLUMNS = (
    "piece",
    "title",
    "split",
    "mixture",
    "target_path",
    "source",
    "query",
    "queries",
    "seconds",
    "sample_rate",
    "mixture_sha256",
    "target_sha256",
)


class ManifestError(InputError):
    """The manifest cannot be used; the message names the file, the line and what is wrong there."""


@dataclass(frozen=True)
class ManifestRow:
    """One piece and target. Paths are absolute; `queries` begins with the canonical word."""

    piece: str
    title: str
    split: str
    mixture: Path
    target: Path
    source: str
    queries: tuple[str, ...]
    seconds: float
    sample_rate: int
    mixture_sha256: str
    target_sha256: str


def read_manifest(path: str | Path) -> list[ManifestRow]:
    """Read and check a manifest; paths in it are relative to its folder.

    Raises ManifestError: no such file, a missing column or field, an unknown split, a number that is none, a
    file that is not there, the same piece and source twice, a piece in two splits or with two mixtures.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (table.fieldnames or ())]
            if missing:
                raise ManifestError(f"{path}, line 1: column '{missing[0]}' is missing")
            rows = [(table.line_num, _row(path, table.line_num, fields)) for fields in table]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        reason = "no such file" if isinstance(fault, FileNotFoundError) else "cannot be read as a CSV table"
        raise ManifestError(f"{path}: {reason}") from fault
    if not rows:
        raise ManifestError(f"{path}, line 1: no row follows the columns")
    _check_together(path, rows)
    return [row for _, row in rows]


def _row(path: Path, line: int, fields: dict) -> ManifestRow:
    def fail(fault: str) -> ManifestError:
        return ManifestError(f"{path}, line {line}: {fault}")

    empty = [column for column in COLUMNS if not fields[column]]
    if empty:
        raise fail(f"column '{empty[0]}' is empty")
    if fields["split"] not in SPLITS:
        raise fail(f"split '{fields['split']}' is not one of {', '.join(SPLITS)}")
    try:
        seconds, sample_rate = float(fields["seconds"]), int(fields["sample_rate"])
        if not (0 < seconds < math.inf and sample_rate > 0):
            raise ValueError
    except ValueError:
        pair = f"'{fields['seconds']}' and '{fields['sample_rate']}'"
        raise fail(f"seconds and sample_rate must be numbers above 0, not {pair}") from None
    queries = (fields["query"], *fields["queries"].split("|"))
    if not all(query.strip() for query in queries):
        raise fail("column 'query' or 'queries' holds an empty query")
    mixture, target = path.parent / fields["mixture"], path.parent / fields["target_path"]
    for audio in (mixture, target):
        if not os.path.isfile(audio):  # unlike Path.is_file, also where the name is impossible
            raise fail(f"{audio} is not there")
    return ManifestRow(
        piece=fields["piece"],
        title=fields["title"],
        split=fields["split"],
        mixture=mixture,
        target=target,
        source=fields["source"],
        queries=queries,
        seconds=seconds,
        sample_rate=sample_rate,
        mixture_sha256=fields["mixture_sha256"],
        target_sha256=fields["target_sha256"],
    )


def _check_together(path: Path, rows: list[tuple[int, ManifestRow]]) -> None:
    first: dict[str, ManifestRow] = {}
    seen: set[tuple[str, str]] = set()
    for line, row in rows:
        if (row.piece, row.source) in seen:
            raise ManifestError(f"{path}, line {line}: '{row.piece}' and '{row.source}' stand there twice")
        seen.add((row.piece, row.source))
        known = first.setdefault(row.piece, row)
        if row.split != known.split:
            raise ManifestError(f"{path}, line {line}: '{row.piece}' is in two splits")
        if row.mixture != known.mixture:
            raise ManifestError(f"{path}, line {line}: '{row.piece}' has two mixtures")
