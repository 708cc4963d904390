"""One HTML file that says what a run learnt: its numbers beside the paper's, its figures and its sounds."""

from pathlib import Path

import numpy as np

from lass_lab.course import ledger
from lass_lab.course.report.numbers import NUMBERS, Numbers, as_json, measure, read_numbers, run_folder
from lass_lab.course.report.page import make_page, report_page
from lass_lab.course.runs import find_stages
from lass_lab.datasets.duets import list_pieces, load_piece
from lass_lab.experiments.evaluation import FLOOR
from lass_lab.experiments.finetuning import stages
from lass_lab.models import load_separator
from lass_lab.signal.files import InputError, atomic_path, refuse_existing


def write_report(
    run: Path | None, out: Path | None = None, *, longest: float | None = None, pairs: int = 30, force: bool = False
) -> Path:
    """Measure a run on the held-out duet, and write it up as one HTML file that needs no other and no network.

    Its numbers are written beside it as JSON, by the same name, for `compare_reports`.

    Args:
        run: a folder as `finetune` writes it; None takes your own run of the current profile, or the shipped weights.
        out: the page, NAME.html; None writes report.html into the run's folder, or, for shipped weights, where all
            runs are.
        longest: measure on only the first so many seconds of each piece; the report says so.
        pairs: mixtures of other instruments, to see what was forgotten.
        force: overwrite what is there.

    Returns the page's path. Raises InputError: no finished phase, a file that exists, or an unusable data folder.
    """
    where = find_stages() if run is None else stages(run)
    out = out or (run_folder(where) or ledger.runs_dir()) / Path(NUMBERS).with_suffix(".html")
    kept = out.with_suffix(".json")
    _check(out, kept, force=force)  # now, not after minutes
    recorded, piece = ledger.read(), load_piece(list_pieces("test")[0])
    separators = {name: load_separator(weights) for name, weights in where.items()}
    numbers = measure(where, separators, longest=longest, pairs=pairs)
    page = report_page(numbers, piece, separators, recorded)
    _write(kept, as_json(numbers), force)
    return _write(out, page, force)


def compare_reports(runs: tuple[Path, Path], out: Path, *, force: bool = False) -> Path:
    """Set two runs side by side in one HTML file, by the numbers of their reports.

    Args:
        runs: each the folder that a report was written to, or the JSON file that the report left.
        out, force: as in `write_report`.

    Returns the page's path. Raises InputError: no report, a file that is no report's, a page that exists, or runs that
    were measured on other music or with other mixtures.
    """
    _check(out, force=force)
    stored = {name: _stored(place) for name, place in zip(_names(*runs), runs, strict=True)}
    (first, one), (second, other) = stored.items()
    if not _same_music(one, other):
        raise InputError(f"compare: {second} was measured on other music or mixtures than {first}; write one again")
    return _write(out, make_page(stored), force)


def _check(out: Path, *others: Path, force: bool) -> None:
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{out}: the report is a web page: give it a name that ends in .html")
    refuse_existing([out, *others], force)


def _stored(place: Path) -> Numbers:
    file = place if place.is_file() else place / NUMBERS
    if not file.is_file():
        raise InputError(f"{place}: has no report yet; run first: lass-lab report --run {place}")
    return read_numbers(file)


def _same_music(*both: Numbers) -> bool:
    """The mixture's own scores depend on the music alone: where they agree, the same was measured."""
    keys = ["piece", "source", "extent", "start_s", "metric"]
    floors = [each.duets[each.duets["separator"] == FLOOR].set_index(keys)["value"] for each in both]
    same = both[0].pairs == both[1].pairs and floors[0].index.equals(floors[1].index)
    return same and np.allclose(*floors)


def _names(*places: Path) -> list[str]:
    """What to call each run: its folder's name, with as many of the folders above as make the difference."""
    folders = [(place.parent if place.suffix == ".json" else place).absolute() for place in places]
    for depth in range(1, 1 + max(len(folder.parts) for folder in folders)):
        names = ["/".join(folder.parts[-depth:]).lstrip("/") for folder in folders]
        if names[0] != names[1]:
            return names
    return [f"{folders[0].name} (1)", f"{folders[1].name} (2)"]


def _write(path: Path, text: str, force: bool) -> Path:
    with atomic_path(path, force) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
