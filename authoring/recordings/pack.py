"""The pack of recordings: which files there are (`pack.csv`), and how they are fetched from where they were published.

Each file is known by its content: the SHA-1 that git gives it. So a copy is the original, wherever it comes from.
"""

import hashlib
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pooch
from tqdm.auto import tqdm

from lass_lab.signal.audio import read_audio
from lass_lab.signal.files import InputError, atomic_path

TABLE = Path(__file__).with_suffix(".csv")
RAW = "https://raw.githubusercontent.com/{repository}/{commit}/{path}"
FARTHEST_CENTS = 60  # a note further from its name was most often misheard by the detector: it is left out


def read_pack(*kinds: str) -> pd.DataFrame:
    """The pack's rows of those kinds (note, phrase, percussion, voice, everyday, solo), or all of them.

    Columns: path (below the pack's folder), kind, instrument (by the project's own name where it has one), midi (the
    pitch that sounds, a fraction where it was measured), seconds, library, licence, and the original's identity:
    repository, commit, source_path and blob.
    Recorded notes that were heard too far from the pitch in their name are left out.
    """
    table = _whole_table()
    return table[table["kind"].isin(kinds or table["kind"])].reset_index(drop=True)


@cache
def _whole_table() -> pd.DataFrame:
    table = pd.read_csv(TABLE)
    cents = table["cents"].fillna(0)
    names = table["instrument"].str.replace("_", " ").replace({"person sneeze": "sneeze"})
    return table.assign(midi=table["midi"] + cents / 100, instrument=names)[cents.abs() <= FARTHEST_CENTS]


def fetch_pack(folder: Path, table: pd.DataFrame, url: str = RAW) -> None:
    """Download the table's files into `folder`; those that are there already stay. A killed run goes on.

    Args:
        folder: each file goes to its path below it, with the original's own suffix.
        table: rows of `read_pack`.
        url: of an original, with the fields repository, commit and path.

    Raises:
        InputError: a file cannot be fetched, or is not the one that the table names.
    """
    for row in tqdm(table.itertuples(), total=len(table), unit="file", desc="fetching"):
        target = (folder / row.path).with_suffix(Path(row.source_path).suffix)
        if target.exists():
            continue
        address = url.format(repository=row.repository, commit=row.commit, path=quote(row.source_path))
        with atomic_path(target) as temporary:
            try:
                pooch.HTTPDownloader()(address, temporary, None)
            except (OSError, ValueError) as error:
                raise InputError(f"{address}: cannot be fetched ({error})") from error
            if blob_hash(temporary.read_bytes()) != row.blob:
                raise InputError(f"{address}: is not the file that {TABLE.name} names ({row.blob})")


def blob_hash(content: bytes) -> str:
    """The SHA-1 by which git knows a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@lru_cache(maxsize=64)  # a scene of everyday sounds goes through few files, again and again
def read_sound(folder: Path, path: str) -> np.ndarray:
    """A file of the pack, mono at 32 kHz `(samples,)`, by its path in the table, whatever its suffix is here."""
    wanted = folder / path
    found = [wanted] if wanted.exists() else sorted(wanted.parent.glob(f"{wanted.stem}.*"))
    if not found:
        raise InputError(f"{wanted}: no such file; fetch the pack with: python -m authoring render pack")
    return read_audio(found[0])
