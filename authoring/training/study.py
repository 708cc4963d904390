"""One choice at a time: fine-tune in several ways that differ in one thing, and set them side by side."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from authoring.pages import page, write
from lass_lab.experiments.finetuning import PHASES, at_step_zero, finetune
from lass_lab.experiments.losses import LOSSES
from lass_lab.experiments.probes import balance, mean_sdrs, validation_pieces
from lass_lab.experiments.recipes import PAPER, FinetuningRecipe, described
from lass_lab.experiments.training import run_facts
from lass_lab.models import load_separator
from lass_lab.models.separator import CONFIG, WEIGHTS

Change = Callable[[FinetuningRecipe], FinetuningRecipe]


@dataclass(frozen=True)
class Study:
    """A question, and the answers to be tried: each a change of the recipe."""

    question: str
    variants: Mapping[str, Change]


AFTER_PHASE_1 = ("phase2", "average")  # of a recipe
HEADINGS = {"variant": "", "others": "others, SDRi, dB", "stored": "stored, MB", "minutes": "minutes"}


def _with(**changes: Any) -> Change:
    return lambda recipe: replace(recipe, **changes)


def _items(**changes: Any) -> Change:
    return lambda recipe: replace(recipe, items=replace(recipe.items, **changes))


def _phase2(**changes: Any) -> Change:
    return lambda recipe: replace(recipe, phase2=replace(recipe.phase2, **changes))


def _as_the_paper(recipe: FinetuningRecipe) -> FinetuningRecipe:
    """The paper's recipe, over as many epochs, and on items of that length and rate."""
    same = ("batch", "sample_rate", "checkpoint_every", "validate_every", "seed")
    return replace(
        PAPER,
        phase1=replace(PAPER.phase1, epochs=recipe.phase1.epochs),
        phase2=replace(PAPER.phase2, epochs=recipe.phase2.epochs),
        items=replace(PAPER.items, seconds=recipe.items.seconds),
        **{name: getattr(recipe, name) for name in same},
    )


STUDIES: dict[str, Study] = {
    "heads": Study(
        "What does replacing the output layer cost, and what does it gain?",
        {head: _with(head=head) for head in ("audiosep", "paper", "paper-complex", "preserving")},
    ),
    "encoder": Study(
        "How much of the sentence encoder should phase 2 let learn?",
        {encoder: _phase2(encoder=encoder) for encoder in ("frozen", "low-rank", "top", "whole")},
    ),
    "keeping": Study(
        "What keeps the old instruments?",
        {
            "nothing": _items(rehearsal=0.0, guests=0.0),
            "rehearsal": lambda recipe: recipe,
            "distillation": _with(distillation=True),
            "two encoder blocks frozen": _with(frozen_blocks=2),
            "averaged with the old weights": _with(average=0.7),
            "norms that follow": _with(still_norms=False),
        },
    ),
    "losses": Study("Which loss function?", {loss: _with(loss=loss) for loss in LOSSES}),
    "data": Study(
        "Which training items help?",
        {
            "slices as they are": _items(remixed=0.0, augmented=0.0),
            "re-mixed": _items(augmented=0.0),
            "re-mixed and augmented": lambda recipe: recipe,
            "one word for each": _phase2(captions=False),
        },
    ),
    "recipes": Study(
        "What does the paper's own recipe cost?",
        {"the paper's": _as_the_paper, "the one that preserves": lambda recipe: recipe},
    ),
}


def study(
    name: str,
    recipe: FinetuningRecipe,
    run: str | Path,
    *,
    start: str = "tiny",
    data: str | Path | None = None,
    bank: str | Path | None = None,
    pairs: int = 50,
    progress: bool = True,
) -> pd.DataFrame:
    """Fine-tune in every way of a study and measure each, on the validation slices alone: the test piece stays unseen.

    Args:
        name: one of `STUDIES`.
        recipe: what the variants change one thing of.
        run: a folder for all of the runs; what is there is not trained again, and several studies in one folder share
            what they have in common: equal recipes, and equal first phases.
        start: the separator to begin with.
        data, bank: as for `finetune`.
        pairs: mixtures of eight other instruments, to see what was forgotten.

    Returns:
        A row for the start and one for each variant: variant, and for each source SDR in dB at step 0 (the head
        replaced, nothing learnt) and after training; others and its interval low to high (SDRi of the eight other
        instruments after training); stored (MB of weights), minutes (of training). Written to `run/NAME.csv` as well.

    Raises:
        InputError: as `finetune` does.
    """
    run, pieces = Path(run), validation_pieces(data)
    before = load_separator(start)
    weights = before.fingerprint()
    rows = [{"variant": start} | balance(before, pieces, bank, pairs=pairs, progress=progress)]
    at_zero: dict[str, dict[str, float]] = {}  # by head, which alone decides it
    for variant, change in STUDIES[name].variants.items():
        changed = change(recipe)
        folder = _folder(run, described(start, weights, changed, bank))
        if changed.head not in at_zero:
            at_zero[changed.head] = mean_sdrs(at_step_zero(load_separator(start), changed), pieces)
        after = finetune(start, folder, changed, data=data, bank=bank, progress=progress)
        row = {"variant": variant} | balance(after, pieces, bank, pairs=pairs, progress=progress)
        row |= {f"{source} at step 0": value for source, value in at_zero[changed.head].items()}
        done = [folder / phase for phase in PHASES if (folder / phase / CONFIG).is_file()]
        minutes = 60 * sum(run_facts(phase)["hours"] for phase in done)
        rows.append(row | {"stored": (done[-1] / WEIGHTS).stat().st_size / 1e6, "minutes": minutes})
    table = pd.DataFrame(rows)
    write(run, {f"{name}.csv": table}, force=True)
    return table


def studies_page(tables: Mapping[str, pd.DataFrame], recipe: FinetuningRecipe) -> str:
    """The tables of several studies, by name, as a page: what made them, and what each column means."""
    shown = {}
    for name, table in tables.items():
        cells = table.map(lambda cell: f"{cell:.2f}" if isinstance(cell, float) and not np.isnan(cell) else cell)
        cells["others"] += " (" + cells.pop("low") + " to " + cells.pop("high") + ")"
        shown[STUDIES[name].question] = cells.rename(columns=lambda column: HEADINGS.get(column, f"{column}, dB"))
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
