"""One HTML file that says what a run learnt: its numbers beside the paper's, its figures and its sounds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from lass_lab.course import ledger
from lass_lab.course.report.numbers import (
    NUMBERS,
    Numbers,
    digests,
    measure,
    read_numbers,
    run_folder,
    write_numbers,
)
from lass_lab.course.report.page import comparison_page, report_page
from lass_lab.course.runs import find_stages
from lass_lab.datasets.duets import list_pieces, load_piece
from lass_lab.experiments.evaluation import FLOOR
from lass_lab.experiments.finetuning import stages
from lass_lab.models import load_separator
from lass_lab.signal.files import InputError, atomic_path, refuse_existing


def write_report(
    run: str | Path | None = None,
    out: str | Path | None = None,
    *,
    longest: float | None = None,
    pairs: int = 30,
    force: bool = False,
    progress: bool = True,
) -> Path:
    """Measure a run on the held-out duet, and write it up as one HTML file that needs no other and no network.

    Its numbers are written beside it as JSON, by the same name, for `compare_reports`.

    Args:
        run: a folder as `finetune` writes it; None takes your own run of the current profile, or what ships.
        out: the page, a name that ends in .html; None writes report.html into the run's folder, or into the folder of
            all runs where it is about what ships.
        longest: measure on only so many seconds of each piece; the report says so.
        pairs: mixtures of other instruments, to see what was forgotten.
        force: overwrite what is there.
        progress: show progress bars.

    Returns:
        The page's path.

    Raises:
        InputError: the run lacks a finished phase, a file exists already, or the data folder is unusable.
    """
    where = find_stages() if run is None else stages(run)
    out = Path(out) if out else (run_folder(where) or ledger.runs_dir()) / Path(NUMBERS).with_suffix(".html")
    kept = out.with_suffix(".json")
    _check(out, kept, force=force)  # now, not after minutes
    recorded, piece = ledger.read(), load_piece(list_pieces("test")[0])
    separators = {name: load_separator(weights) for name, weights in where.items()}
    numbers = measure(where, separators, longest=longest, pairs=pairs, progress=progress)
    page = report_page(numbers, piece, separators, recorded)
    write_numbers(numbers, kept, force=force)
    return _write(out, page, force)


def compare_reports(
    runs: Sequence[str | Path],
    out: str | Path,
    *,
    longest: float | None = None,
    pairs: int = 30,
    force: bool = False,
    progress: bool = True,
) -> Path:
    """Set runs side by side in one HTML file.

    Args:
        runs: two or more, each a run's folder, or the JSON file that a report left. A folder that holds no report, or
            one about other weights than are there now, is measured.
        out: the page, a name that ends in .html.
        longest, pairs: as in `write_report`; where a run has its report, they are taken from the first such.
        force: overwrite what is there.
        progress: show progress bars.

    Returns:
        The page's path.

    Raises:
        InputError: fewer than two runs, one without a finished phase, a file that is no report's, runs that were
            measured on other music or with other mixtures, or a page that exists already.
    """
    out = Path(out)
    _check(out, force=force)
    if len(runs) < 2:
        raise InputError(f"compare: needs two runs, and was given {len(runs)}")
    places = dict(zip(_names([Path(run) for run in runs]), map(Path, runs), strict=True))
    stored = {name: _stored(place) for name, place in places.items()}
    for name, place in places.items():
        if stored[name] is None:
            stages(place)  # before anything is measured: is there a finished phase?
    if known := next((numbers for numbers in stored.values() if numbers), None):
        longest, pairs = known.longest, known.pairs
    found = {name: numbers or _measured(places[name], longest, pairs, progress) for name, numbers in stored.items()}
    _check_same_music(found)
    return _write(out, comparison_page(found), force)


def _check(out: Path, *others: Path, force: bool) -> None:
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{out}: the report is a web page: give it a name that ends in .html")
    refuse_existing([out, *others], force)


def _stored(place: Path) -> Numbers | None:
    """The numbers of a report, where there is one and the weights beside it, if any, are those it tells of."""
    if place.is_file():
        return read_numbers(place)
    if not (place / NUMBERS).is_file():
        return None
    numbers = read_numbers(place / NUMBERS)
    try:
        weights = digests(stages(place))
    except InputError:  # a report without its run, as one student gives it to another
        return numbers
    return numbers if numbers.weights == weights else None


def _measured(run: Path, longest: float | None, pairs: int, progress: bool) -> Numbers:
    where = stages(run)
    separators = {name: load_separator(weights) for name, weights in where.items()}
    return measure(where, separators, longest=longest, pairs=pairs, progress=progress)


def _check_same_music(runs: Mapping[str, Numbers]) -> None:
    """The mixture's own scores are the music's alone: where they agree, the same was heard."""
    (first, one), *others = runs.items()
    for name, other in others:
        if other.pairs != one.pairs:
            told = f"{other.pairs} mixtures, {first} with {one.pairs}"
            raise InputError(f"compare: {name} was measured with {told}; write one of the reports again")
        ours, theirs = _floor(one), _floor(other)
        if not ours.index.equals(theirs.index) or not np.allclose(ours, theirs):
            told = "another length of it, or another piece"
            raise InputError(f"compare: {name} was measured on other music than {first}: {told}; write one again")


def _floor(numbers: Numbers) -> pd.Series:
    keys = ["piece", "source", "extent", "start_s", "metric"]
    rows = numbers.duets[numbers.duets["separator"] == FLOOR]
    return rows.set_index(keys)["value"].sort_index()


def _names(places: Sequence[Path]) -> list[str]:
    """What to call each run: its folder's name, or as many of the folders above as make the difference."""
    folders = [(place.parent if place.suffix == ".json" else place).absolute() for place in places]
    for depth in range(1, 1 + max(len(folder.parts) for folder in folders)):
        names = ["/".join(folder.parts[-depth:]).lstrip("/") for folder in folders]
        if len(set(names)) == len(names):
            return names
    return [f"{folder.name} ({place})" for place, folder in enumerate(folders, start=1)]  # the same one twice


def _write(out: Path, page: str, force: bool) -> Path:
    with atomic_path(out, force) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return out
