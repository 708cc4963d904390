"""Folders of foreign recordings, understood: which files make a piece, which is its mixture, what plays in the others.

Two layouts are known, each with one folder a piece, at any depth:

- URMP's: `09_Jesus_tpt_vn/` with `AuMix_09_Jesus_tpt_vn.wav`, `AuSep_1_tpt_09_Jesus.wav`, `AuSep_2_vn_09_Jesus.wav`;
- MUSDB's, which is ours too: `mixture.wav`, and beside it one file a source, `vocals.wav`, `violin.flac`, ...

And one layout of single mixtures: AudioSep's list of mixtures to measure with, `music_eval.csv`.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lass_lab.datasets.captions import CAPTIONS
from lass_lab.signal.audio import AudioError, audio_info
from lass_lab.signal.files import InputError

READABLE = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff")
UNREADABLE = (".m4a", ".aac", ".wma", ".stem.mp4")  # sound, but libsndfile cannot decode it
URMP = {
    "vn": "violin", "va": "viola", "vc": "cello", "db": "double bass",
    "fl": "flute", "ob": "oboe", "cl": "clarinet", "sax": "saxophone", "bn": "bassoon",
    "tpt": "trumpet", "hn": "french horn", "tbn": "trombone", "tba": "tuba",
}  # fmt: skip
KINDS = frozenset(CAPTIONS) | frozenset(URMP.values())
_STEM = re.compile(r"ausep_(\d+)_([^_]+)_(.+)", re.IGNORECASE)
_MIXTURE = re.compile(r"aumix_(.+)", re.IGNORECASE)
_LIKE_A_MIXTURE = re.compile(r"(mix|mixture|mixdown|full mix|master)( ?\d+)?")


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file or folder, and the piece that cannot be used because of it."""

    piece: str
    path: Path
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


@dataclass(frozen=True)
class FoundPiece:
    """One piece as it lies on disk.

    name: its folder's name. mixture: None where there is no such file. stems: the files of each source; several where
    players of one instrument make one source, as a query names a kind of instrument and not a player.
    """

    name: str
    mixture: Path | None
    stems: dict[str, tuple[Path, ...]]


def find_pieces(folder: str | Path) -> tuple[list[FoundPiece], list[Fault]]:
    """The pieces in a folder, which may be a piece itself, and what is wrong with the others.

    Every audio file belongs to a piece that is returned or to a piece with a fault; hidden files and files that are
    no audio are passed over. A name comes from a folder, so two pieces of one name are a fault of both.

    Raises:
        InputError: no such folder, or one that may not be read.
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
    faults = [
        Fault(name, file, "cannot be decoded here; convert it to WAV or FLAC")
        for file in files
        if file.name.lower().endswith(UNREADABLE)
    ]
    files = [file for file in files if file.name.lower().endswith(READABLE)]
    urmp = any(_STEM.fullmatch(file.stem) or _MIXTURE.fullmatch(file.stem) for file in files)
    mixtures, stems, wrong = (_urmp if urmp else _plain)(name, files)
    faults += wrong
    faults += [Fault(name, file, f"a second mixture, beside {mixtures[0].name}") for file in mixtures[1:]]
    if not stems and mixtures:
        faults.append(Fault(name, mixtures[0], "a mixture without stems"))
    elif len(stems) == 1 and not faults:
        faults.append(Fault(name, place, f"has one source only, {next(iter(stems))}, and a mixture needs two"))
    return FoundPiece(name, mixtures[0] if mixtures else None, stems), faults


def _urmp(name: str, files: list[Path]) -> tuple[list[Path], dict[str, tuple[Path, ...]], list[Fault]]:
    """Mixtures, stems by source and faults of a piece of URMP, by the names of its files."""
    faults, mixtures, players = [], [], {}
    for file in files:
        if match := _STEM.fullmatch(file.stem):
            number, short, title = int(match[1]), match[2].lower(), match[3]
            if short not in URMP:
                faults.append(Fault(name, file, f"'{short}' is none of URMP's instruments, {', '.join(URMP)}"))
            if number in players:
                faults.append(Fault(name, file, f"a second file of player {number}, beside {players[number][0].name}"))
            players.setdefault(number, (file, short, title))
        elif _MIXTURE.fullmatch(file.stem):
            mixtures.append(file)
        else:
            faults.append(Fault(name, file, "neither AuMix_PIECE nor AuSep_NUMBER_INSTRUMENT_PIECE, as its neighbours"))
    if players:
        faults += _missing(name, players, mixtures[0] if mixtures else None)
    stems: dict[str, tuple[Path, ...]] = {}
    for _, (file, short, _) in sorted(players.items()):
        source = URMP.get(short, short)
        stems[source] = (*stems.get(source, ()), file)
    return mixtures, stems, faults


def _missing(name: str, players: dict[int, tuple[Path, str, str]], mixture: Path | None) -> list[Fault]:
    """Faults of stems that do not belong together, or of which one is not there.

    The mixture's name lists the instruments, as the folder's does: AuMix_09_Jesus_tpt_vn.
    """
    first, _, title = players[min(players)]
    faults = [
        Fault(name, file, f"is of another piece than {first.name} beside it")
        for file, _, other in players.values()
        if other != title
    ]
    told = _MIXTURE.fullmatch(mixture.stem)[1] if mixture else name
    begins = told.lower().startswith(f"{title}_".lower())
    if mixture and not begins:
        faults.append(Fault(name, mixture, f"is of another piece than {first.name} beside it"))
    listed = dict(enumerate(told[len(title) + 1 :].lower().split("_"), 1)) if begins else {}
    for number in sorted({*players, *range(1, len(listed or players) + 1)}):
        short = listed.get(number, "INSTRUMENT")
        if number not in players:
            gone = first.with_name(f"AuSep_{number}_{short}_{title}{first.suffix}")
            faults.append(Fault(name, gone, "this stem is missing"))
        elif listed and short != players[number][1]:
            plays = ", ".join(listed.values())
            faults.append(Fault(name, players[number][0], f"is not what player {number} of {told} plays: {plays}"))
    return faults


def _plain(name: str, files: list[Path]) -> tuple[list[Path], dict[str, tuple[Path, ...]], list[Fault]]:
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
            stems[source] = (*stems.get(source, ()), file)
    return mixtures, stems, faults


class EvaluationItem(NamedTuple):
    """One line of music_eval.csv: a mixture, the target in it, and the words that ask for it."""

    mixture: Path
    target: Path
    query: str


def read_music_eval(table: str | Path, audio_folder: str | Path) -> list[EvaluationItem]:
    """Read AudioSep's `music_eval.csv`, and check the files it stands for.

    Its columns `idx` and `caption` are used: line `idx` has the target `segment-IDX.wav` and the mixture
    `mixture-IDX.wav` in `audio_folder`, and `caption` is the query.

    Raises:
        InputError: no such table or folder, a missing column, an empty field, the same `idx` twice; or, all named in
            one error, files that are missing, cannot be read, or differ in length or rate from their mixture.
    """
    table, audio_folder = Path(table), Path(audio_folder)
    if not audio_folder.is_dir():
        raise InputError(f"{audio_folder}: no such folder")
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.DictReader(file)
            if missing := [column for column in ("idx", "caption") if column not in (lines.fieldnames or ())]:
                raise InputError(f"{table}, line 1: column '{missing[0]}' is missing")
            rows = [(lines.line_num, line["idx"] or "", line["caption"] or "") for line in lines]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else "cannot be read as a CSV table"
        raise InputError(f"{table}: {reason}") from error
    items: dict[str, EvaluationItem] = {}
    for line, index, query in rows:
        if not index.strip() or not query.strip():
            raise InputError(f"{table}, line {line}: 'idx' or 'caption' is empty")
        if index in items:
            raise InputError(f"{table}, line {line}: idx {index} stands there twice")
        pair = (audio_folder / f"{kind}-{index}.wav" for kind in ("mixture", "segment"))
        items[index] = EvaluationItem(*pair, query)
    if not items:
        raise InputError(f"{table}, line 1: no row follows the columns")
    _check_audio(audio_folder, list(items.values()))
    return list(items.values())


def _check_audio(folder: Path, items: list[EvaluationItem]) -> None:
    paths = [path for item in items for path in (item.mixture, item.target)]
    if missing := [path.name for path in paths if not path.is_file()]:
        more = f" and {len(missing) - 8} more" if len(missing) > 8 else ""
        raise InputError(f"{folder}: {len(missing)} of {len(paths)} files missing: {', '.join(missing[:8])}{more}")
    faults = []
    for item in items:
        try:
            if audio_info(item.target)[::2] != audio_info(item.mixture)[::2]:
                faults.append(f"{item.target}: differs in length or rate from {item.mixture.name}")
        except AudioError as error:
            faults.append(str(error))
    if faults:
        more = f" (and {len(faults) - 3} more like it)" if len(faults) > 3 else ""
        raise InputError("; ".join(faults[:3]) + more)
