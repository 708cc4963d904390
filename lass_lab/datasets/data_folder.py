"""The data folder, written: duets/PIECE/mixture.flac with a stem for each source, and the manifest that lists them."""

from __future__ import annotations

import csv
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from lass_lab.datasets.captions import CAPTIONS, training_captions
from lass_lab.datasets.manifest import COLUMNS
from lass_lab.signal.audio import SAMPLE_RATE, write_audio
from lass_lab.signal.files import InputError, atomic_path

MANIFEST = "manifest.csv"
_PLAIN = ("{}", "the {}", "the sound of the {}", "only the {}")  # they fit "drums" as they fit "synth"


def source_queries(source: str) -> tuple[str, ...]:
    """The words that ask for a source, the canonical one first: an instrument's training captions, or plain words."""
    return training_captions(source) if source in CAPTIONS else tuple(words.format(source) for words in _PLAIN)


def stem_path(out: Path, piece: str, stem: str) -> Path:
    """Where a stem, or "mixture", of a piece lies in the data folder `out`."""
    return out / "duets" / piece / f"{stem.replace(' ', '_')}.flac"


def write_piece(
    out: Path, piece: str, title: str, split: str, stems: Mapping[str, np.ndarray], force: bool = False
) -> list[dict]:
    """Write a piece's FLAC files into the data folder `out`; returns its rows of the manifest, one a source.

    Args:
        stems: integers (samples,) at 32 kHz, in 16-bit steps within -32767 and 32767: every source, and their sum,
            "mixture".

    Raises InputError when a file is there already and `force` is False, or cannot be written.
    """
    for name, stem in stems.items():
        write_audio(stem_path(out, piece, name), stem / 32768, force=force)
    return [_row(out, piece, title, split, source, len(stems[source])) for source in stems if source != "mixture"]


def _row(out: Path, piece: str, title: str, split: str, source: str, samples: int) -> dict:
    mixture, target = stem_path(out, piece, "mixture"), stem_path(out, piece, source)
    query, *queries = source_queries(source)
    return {
        "piece": piece,
        "title": title,
        "split": split,
        "mixture": mixture.relative_to(out).as_posix(),
        "target_path": target.relative_to(out).as_posix(),
        "source": source,
        "query": query,
        "queries": "|".join(queries),
        "seconds": f"{samples / SAMPLE_RATE:.6f}",
        "sample_rate": SAMPLE_RATE,
        "mixture_sha256": hashlib.sha256(mixture.read_bytes()).hexdigest(),
        "target_sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
    }


def write_manifest(out: Path, rows: Iterable[Mapping], force: bool = False) -> Path:
    """Write the manifest of the data folder `out` and return its path. Raises InputError as `atomic_path` does."""
    return write_table(out / MANIFEST, COLUMNS, rows, force)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping], force: bool = False) -> Path:
    """Write rows as a CSV table and return its path. Raises InputError as `atomic_path` does."""
    with atomic_path(path, force=force) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    return path


@contextmanager
def staged(out: Path, force: bool = False) -> Iterator[Path]:
    """Yield an empty folder to write a data folder into; its files take their places in `out` once the block ends well.

    Until then `out` is as it was; when the block raises, it stays so. The old manifest goes before the first file is
    moved and the new one comes last, so that a kill never leaves a manifest beside files which it does not describe.
    What a kill may leave is the hidden folder `.partial-...` in `out`, which nothing reads.

    Raises InputError when `out` cannot be written to, or holds one of the files already and `force` is False.
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


def refuse_existing(paths: Iterable[Path], force: bool) -> None:
    """Raises InputError for the first path that exists, unless `force` is set."""
    for path in paths:
        if path.exists() and not force:
            raise InputError(f"{path}: exists already; pass --force to overwrite")
