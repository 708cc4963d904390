"""The data folder: duets/PIECE/mixture.flac with a stem for each source, and the manifest that lists them.

The manifest says which mixture belongs to which target and which words: one row for each piece and target.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd

from lass_lab.datasets.captions import CAPTIONS, training_captions
from lass_lab.signal.audio import SAMPLE_RATE, write_audio
from lass_lab.signal.files import InputError, atomic_path, refuse_existing

MANIFEST = "manifest.csv"
SPLITS = ("train", "test", "out-of-domain")
COLUMNS = ("piece", "title", "split", "mixture", "target_path", "source", "query", "queries", "seconds", "sample_rate")
COLUMNS += ("mixture_sha256", "target_sha256")
_PLAIN = ("{}", "the {}", "the sound of the {}", "only the {}")  # they fit "drums" as they fit "synth"


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """A CSV table as text, indexed by line, in which these columns are there and hold something in every row.

    Raises InputError where it is not, for no such file, and for what is no CSV table.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig")
        if not isinstance(table.index, pd.RangeIndex):  # pandas takes what is too much for an index
            raise ValueError("a row has more fields than there are columns")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise InputError(f"{path}: cannot be read as a CSV table ({reason})") from error
    if missing := [column for column in columns if column not in table]:
        raise InputError(f"{path}, line 1: column '{missing[0]}' is missing")
    table = table.fillna("").set_axis(table.index + 2)
    table = table[(table != "").any(axis=1)]
    if table.empty:
        raise InputError(f"{path}, line 1: no row follows the columns")
    check_rows(path, table, {f"column '{column}' is empty": table[column] == "" for column in columns})
    return table


def check_rows(path: Path, table: pd.DataFrame, faults: Mapping[str, pd.Series]) -> None:
    """Raises InputError for the first of `faults` that a row of a table as `read_table` gives it has, with its line.

    faults: what is wrong, with {COLUMN} for a field of the row -> whether it is, for each row.
    """
    for fault, found in faults.items():
        if found.any():
            row = table.loc[found.idxmax()]
            raise InputError(f"{path}, line {row.name}: {fault.format(**row)}")


def read_manifest(path: str | Path) -> pd.DataFrame:
    """A manifest, checked: `COLUMNS`, and a row for each piece and target.

    `mixture` and `target_path` are paths that exist (in the file they are relative to its folder), `queries` is a tuple
    that begins with the canonical word, `seconds` and `sample_rate` are numbers.

    Raises:
        InputError: as `read_table`, an unknown split, a number that is none, a file that is not there, the same piece
            and source twice, a piece in two splits or with two mixtures.
    """
    path = Path(path)
    table = read_table(path, COLUMNS)
    numbers = table[["seconds", "sample_rate"]].apply(pd.to_numeric, errors="coerce")
    table["queries"] = (table["query"] + "|" + table["queries"]).str.split("|").map(tuple)
    for column in ("mixture", "target_path"):
        table[column] = [path.parent / name for name in table[column]]
    first = table.groupby("piece")[["split", "mixture"]].transform("first")
    faults = {
        f"split '{{split}}' is not one of {', '.join(SPLITS)}": ~table["split"].isin(SPLITS),
        "seconds and sample_rate must be numbers above 0, not '{seconds}' and '{sample_rate}'": (
            ~((numbers > 0) & (numbers < 1e6)).all(axis=1)
        ),
        "column 'query' or 'queries' holds an empty query": ~table["queries"].map(
            lambda words: all(map(str.strip, words))
        ),
        # Unlike Path.is_file, os.path.isfile bears an impossible name.
        "{mixture} is not there": ~table["mixture"].map(os.path.isfile),
        "{target_path} is not there": ~table["target_path"].map(os.path.isfile),
        "'{piece}' and '{source}' stand there twice": table.duplicated(["piece", "source"]),
        "'{piece}' is in two splits": table["split"] != first["split"],
        "'{piece}' has two mixtures": table["mixture"] != first["mixture"],
    }
    check_rows(path, table, faults)
    return table.assign(**numbers)


def write_piece(
    out: Path, piece: str, title: str, split: str, stems: Mapping[str, np.ndarray], force: bool = False
) -> list[dict]:
    """Write a piece's FLAC files into the data folder `out`; returns its rows of the manifest, one a source.

    stems: integers (samples,) at 32 kHz, in 16-bit steps within -32767 and 32767: every source, and their sum,
    "mixture". Raises InputError when a file is there already and `force` is False, or cannot be written.
    """
    paths = {name: out / "duets" / piece / f"{name.replace(' ', '_')}.flac" for name in stems}
    for name, stem in stems.items():
        write_audio(paths[name], stem / 32768, force=force)
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}
    rows = []
    for source in (name for name in stems if name != "mixture"):
        plain = (words.format(source) for words in _PLAIN)
        query, *queries = training_captions(source) if source in CAPTIONS else plain
        row = {
            "piece": piece,
            "title": title,
            "split": split,
            "mixture": paths["mixture"].relative_to(out).as_posix(),
            "target_path": paths[source].relative_to(out).as_posix(),
            "source": source,
            "query": query,
            "queries": "|".join(queries),
            "seconds": f"{len(stems[source]) / SAMPLE_RATE:.6f}",
            "sample_rate": SAMPLE_RATE,
            "mixture_sha256": digests["mixture"],
            "target_sha256": digests[source],
        }
        rows.append(row)
    return rows


def write_table(path: Path, columns: Sequence[str], rows: Iterable | pd.DataFrame, force: bool = False) -> Path:
    """Write rows, mappings or tuples, as a CSV table and return its path. Raises InputError as `atomic_path` does."""
    with atomic_path(path, force) as temporary:
        pd.DataFrame(rows, columns=columns).to_csv(temporary, index=False, lineterminator="\n")
    return path


@contextmanager
def staged(out: Path, force: bool = False) -> Iterator[Path]:
    """Yield an empty folder to write a data folder into; its files take their places in `out` once the block ends well.

    Until then `out` is as it was; when the block raises, it stays so. The old manifest goes before the first file is
    moved and the new one comes last, so that a kill never leaves a manifest beside files which it does not describe,
    but may leave a hidden folder in `out`. Raises InputError when that cannot be written to, or holds one of the files
    already and `force` is False.
    """
    made = not out.exists()
    stage = out / f".partial-{secrets.token_hex(8)}"
    try:
        stage.mkdir(parents=True)
        yield stage
        places = {file: out / file.relative_to(stage) for file in sorted(stage.rglob("*")) if file.is_file()}
        refuse_existing(places.values(), force)
        (out / MANIFEST).unlink(missing_ok=True)
        for file in sorted(places, key=lambda file: file == stage / MANIFEST):
            places[file].parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, places[file])
    except OSError as error:
        raise InputError(f"{error.filename or out}: cannot be written ({error.strerror})") from error
    except InputError as error:  # about a file on the stage: its place is what the user knows
        raise type(error)(str(error).replace(str(stage), str(out))) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if made:
            with suppress(OSError):
                out.rmdir()  # only where nothing came of it
