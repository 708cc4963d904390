"""Folders of foreign recordings, understood: which files make a piece, which is its mixture, what plays in the others.

Two layouts are known, each with one folder a piece, at any depth:

- URMP's: `09_Jesus_tpt_vn/` with `AuMix_09_Jesus_tpt_vn.wav`, `AuSep_1_tpt_09_Jesus.wav`, `AuSep_2_vn_09_Jesus.wav`;
- MUSDB's, which is ours too: `mixture.wav`, and beside it one file a source, `vocals.wav`, `violin.flac`, ...
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lass_lab.datasets.captions import CAPTIONS
from lass_lab.signal.files import InputError

READABLE = (
    ".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".m4a", ".aac", ".wma", ".ac3", ".mp2", ".mka", ".caf",
    ".w64", ".au",
)  # fmt: skip
UNREADABLE = (".stem.mp4",)  # several sounds in one, of which the first alone would be taken
URMP = {
    "vn": "violin", "va": "viola", "vc": "cello", "db": "double bass",
    "fl": "flute", "ob": "oboe", "cl": "clarinet", "sax": "saxophone", "bn": "bassoon",
    "tpt": "trumpet", "hn": "french horn", "tbn": "trombone", "tba": "tuba",
}  # fmt: skip
KINDS = frozenset(CAPTIONS) | frozenset(URMP.values())
MOST_PLAYERS = 99
_STEM = re.compile(r"ausep_(\d+)_([^_]+)_(.+)", re.IGNORECASE)
_MIXTURE = re.compile(r"aumix_(.+)", re.IGNORECASE)
_LIKE_A_MIXTURE = re.compile(r"(mix|mixture|mixdown|full mix|master)( ?\d+)?")


class Fault(NamedTuple):
    """What is wrong with a file or folder, and the piece that cannot be used because of it."""

    piece: str
    path: Path
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class FoundPiece(NamedTuple):
    """One piece as it lies on disk.

    name: its folder's name. mixture: None where there is no such file. stems: the files of each source; several where
    players of one instrument make one source, as a query names a kind of instrument and not a player.
    """

    name: str
    mixture: Path | None
    stems: dict[str, list[Path]]


def find_pieces(folder: str | Path) -> tuple[list[FoundPiece], list[Fault]]:
    """The pieces in a folder, which may be a piece itself, and what is wrong with the others.

    Every audio file belongs to a piece that is returned or to a piece with a fault; hidden files and files that are
    no audio are passed over. A name comes from a folder, so two pieces of one name are a fault of both. Raises
    InputError where there is no such folder, or one may not be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: {'is a file, not a folder' if folder.exists() else 'no such folder'}")
    contents = dict(_walk(folder, set()))
    pieces, faults, strays = [], [], []
    places: dict[str, Path] = {}
    for place, files in contents.items():
        name = os.path.basename(os.path.abspath(place))  # "." has none
        if any(place in other.parents for other in contents):
            lost = "lies beside folders that hold pieces, and belongs to none of them"
            strays += [Fault(file.name, file, lost) for file in files]
            continue
        piece, wrong = _understood(name, place, files)
        pieces.append(piece)
        faults += wrong
        if (other := places.setdefault(name.casefold(), place)) != place:
            faults.append(Fault(name, place, f"another piece has the same name: {other}"))
    bad = {fault.piece.casefold() for fault in faults}
    return [piece for piece in pieces if piece.name.casefold() not in bad], faults + strays


def _walk(folder: Path, seen: set[Path]) -> Iterator[tuple[Path, list[Path]]]:
    """Every folder that holds audio, with those files. Links are followed, but no folder is entered twice."""
    if (real := folder.resolve()) in seen:
        return
    seen.add(real)
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from error
    sounds = [entry for entry in entries if entry.name.lower().endswith(READABLE + UNREADABLE)]
    if files := [entry for entry in sounds if not entry.is_dir()]:
        yield folder, files
    for entry in entries:
        if entry.is_dir():
            yield from _walk(entry, seen)


def _understood(name: str, place: Path, files: list[Path]) -> tuple[FoundPiece, list[Fault]]:
    readable = [file for file in files if file.name.lower().endswith(READABLE)]
    undecoded = "cannot be decoded here; convert it to WAV or FLAC"
    faults = [Fault(name, file, undecoded) for file in files if file not in readable]
    urmp = any(_STEM.fullmatch(file.stem) or _MIXTURE.fullmatch(file.stem) for file in readable)
    mixtures, stems, wrong = (_urmp if urmp else _plain)(name, readable)
    faults += wrong
    faults += [Fault(name, file, f"a second mixture, beside {mixtures[0].name}") for file in mixtures[1:]]
    if not stems and mixtures:
        faults.append(Fault(name, mixtures[0], "a mixture without stems"))
    elif len(stems) == 1 and not faults:
        faults.append(Fault(name, place, f"has one source only, {next(iter(stems))}, and a mixture needs two"))
    return FoundPiece(name, mixtures[0] if mixtures else None, stems), faults


def _urmp(name: str, files: list[Path]) -> tuple[list[Path], dict[str, list[Path]], list[Fault]]:
    """Mixtures, stems by source and faults of a piece of URMP, by the names of its files."""
    faults, mixtures, stems, players = [], [], {}, {}
    for file in files:
        if match := _STEM.fullmatch(file.stem):
            number, short, title = int(match[1]), match[2].lower(), match[3]
            if number > MOST_PLAYERS:
                faults.append(Fault(name, file, f"{number} is no player's number"))
                continue
            if short not in URMP:
                faults.append(Fault(name, file, f"'{short}' is none of URMP's instruments, {', '.join(URMP)}"))
            if (other := players.setdefault(number, file)) != file:
                faults.append(Fault(name, file, f"a second file of player {number}, beside {other.name}"))
            stems.setdefault(URMP.get(short, short), []).append(file)
        elif _MIXTURE.fullmatch(file.stem):
            mixtures.append(file)
        else:
            faults.append(Fault(name, file, "neither AuMix_PIECE nor AuSep_NUMBER_INSTRUMENT_PIECE, as its neighbours"))
    # The mixture's name lists the instruments, as the folder's does: AuMix_09_Jesus_tpt_vn.
    told = (mixtures[0].stem if mixtures else name).lower().split("_")
    listed = [word for word in told if word in URMP]
    for number in range(1, max(len(listed), *players) + 1 if players else 0):
        if number not in players:
            short = listed[number - 1] if number <= len(listed) else "INSTRUMENT"
            gone = files[0].with_name(f"AuSep_{number}_{short}_{title}{files[0].suffix}")
            faults.append(Fault(name, gone, "this stem is missing"))
    return mixtures, stems, faults


def _plain(name: str, files: list[Path]) -> tuple[list[Path], dict[str, list[Path]], list[Fault]]:
    """Mixtures, stems by source and faults of a piece in MUSDB's layout: a file is called what plays in it."""
    faults, mixtures, seen, stems = [], [], {}, {}
    for file in files:
        words = " ".join(file.stem.lower().replace("_", " ").split())
        if words == "mixture":
            mixtures.append(file)
        elif _LIKE_A_MIXTURE.fullmatch(words):
            fault = f"is this the mixture? Then call it mixture{file.suffix}; if it is a source, call it something else"
            faults.append(Fault(name, file, fault))
        elif not re.search(r"\w", words) or "|" in words:
            faults.append(Fault(name, file, "its name does not say what plays in it"))
        elif words in seen:
            faults.append(Fault(name, file, f"a second file of the source '{words}', beside {seen[words].name}"))
        else:
            seen[words] = file
            player = re.fullmatch(r"(.+?) ?\d+", words)  # "violin 2" is a violin; "synth 2" is left as it is
            source = player[1] if player and player[1] in KINDS else words
            stems.setdefault(source, []).append(file)
    return mixtures, stems, faults
