"""One choice at a time: fine-tune in several ways that differ in one thing, and set them side by side."""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from authoring.pages import page, write
from lass_lab.commands.options import with_settings
from lass_lab.datasets import Piece
from lass_lab.experiments.evaluation import evaluate, validation_pieces
from lass_lab.experiments.finetuning import PHASES, at_step_zero, finetune
from lass_lab.experiments.probes import forgetting
from lass_lab.experiments.recipes import FILES, FinetuningRecipe, changed, described, read_table
from lass_lab.experiments.run_facts import run_facts
from lass_lab.models import LanguageSeparator, load_separator
from lass_lab.models.separator import CONFIG, WEIGHTS

STUDIES = tomllib.loads(Path(__file__).with_name("studies.toml").read_text(encoding="utf-8"))
AFTER_PHASE_1 = ("phase2", "average")  # of a recipe
HEADINGS = {"variant": "", "others": "others, SDRi, dB", "stored": "stored, MB", "minutes": "minutes"}


def varied(recipe: FinetuningRecipe, settings: Sequence[str] | str) -> FinetuningRecipe:
    """A variant of a recipe: with `settings`, or "paper": with all that the paper's recipe file says."""
    if settings == "paper":
        return changed(recipe, read_table(FILES / "paper.toml"))
    return with_settings(recipe, settings)


def study(name: str, recipe: FinetuningRecipe, run: Path, *, start: str = "tiny", pairs: int = 50) -> pd.DataFrame:
    """Fine-tune in every way of a study and measure each, on the validation slices alone: the test piece stays unseen.

    Args:
        name: one of `STUDIES`.
        recipe: in which the variants change one thing.
        run: a folder for all of the runs; what is there is not trained again, and several studies in one folder share
            what they have in common: equal recipes, and equal first phases.
        start: the separator to begin with.
        pairs: mixtures of eight other instruments, to see what was forgotten.

    Returns:
        A row for the start and one for each variant: variant, and for each source SDR in dB at step 0 (the head
        replaced, nothing learnt) and after training; others and its interval low to high (SDRi of the eight other
        instruments after training); stored (MB of weights), minutes (of training). Written to `run/NAME.csv` as well.

    Raises:
        InputError: as `finetune` does.
    """
    pieces = validation_pieces()
    before = load_separator(start)
    weights = before.fingerprint()
    rows = [{"variant": start} | balance(before, pieces, pairs=pairs)]
    at_zero: dict[str, dict[str, float]] = {}  # by head, which alone decides it
    for variant, settings in STUDIES[name]["variants"].items():
        one = varied(recipe, settings)
        folder = _folder(run, described(start, weights, one))
        if one.head not in at_zero:
            at_zero[one.head] = mean_sdrs(at_step_zero(load_separator(start), one), pieces)
        after = finetune(start, folder, one)
        row = {"variant": variant} | balance(after, pieces, pairs=pairs)
        row |= {f"{source} at step 0": value for source, value in at_zero[one.head].items()}
        done = [folder / phase for phase in PHASES if (folder / phase / CONFIG).is_file()]
        minutes = 60 * sum(run_facts(phase)["hours"] for phase in done)
        rows.append(row | {"stored": (done[-1] / WEIGHTS).stat().st_size / 1e6, "minutes": minutes})
    table = pd.DataFrame(rows)
    write(run, {f"{name}.csv": table}, force=True)
    return table


def balance(
    separator: LanguageSeparator, pieces: Sequence[Piece], *, pairs: int = 50, progress: bool = True
) -> dict[str, float]:
    """What fine-tuning is for and what it may cost: SDR (dB) of each source of the pieces, and SDRi of others.

    Returns:
        Each source's SDR, the mean over pieces; others, low and high: SDRi of eight other instruments with its interval
        (`forgetting`).
    """
    kept = forgetting("", separator, pairs=pairs, progress=progress).iloc[-1]
    return mean_sdrs(separator, pieces) | {"others": kept["value"], "low": kept["low"], "high": kept["high"]}


def mean_sdrs(separator: LanguageSeparator, pieces: Sequence[Piece]) -> dict[str, float]:
    """SDR (dB) for each source, the mean over pieces."""
    table = evaluate({"it": separator}, pieces, metrics=("SDR",), progress=False)
    found = table.query("separator == 'it' and extent == 'piece' and metric == 'SDR'")
    return found.groupby("source", sort=False)["value"].mean().to_dict()


def studies_page(tables: Mapping[str, pd.DataFrame], recipe: FinetuningRecipe) -> str:
    """The tables of several studies, by name, as a page: what made them, and what each column means."""
    shown = {}
    for name, table in tables.items():
        cells = table.map(lambda cell: f"{cell:.2f}" if isinstance(cell, float) and not np.isnan(cell) else cell)
        cells["others"] += " (" + cells.pop("low") + " to " + cells.pop("high") + ")"
        shown[STUDIES[name]["question"]] = cells.rename(columns=lambda column: HEADINGS.get(column, f"{column}, dB"))
    return page("studies.md", tables=shown, recipe=recipe)


def _folder(run: Path, told: Mapping[str, Any]) -> Path:
    """Where a run lies: equal runs in one folder, and those that differ after phase 1 alone share that phase."""
    until_phase2 = {key: value for key, value in told["recipe"].items() if key not in AFTER_PHASE_1}
    texts = (json.dumps(each, sort_keys=True) for each in (told, {**told, "recipe": until_phase2}))
    folder, first = (run / hashlib.sha256(text.encode()).hexdigest()[:12] for text in texts)
    first.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True)
    if not (folder / PHASES[0]).exists():
        (folder / PHASES[0]).symlink_to(Path("..", first.name))
    return folder
