"""One choice at a time: fine-tune in several ways that differ in one thing, and set them side by side."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from authoring.tables import markdown
from lass_lab.experiments.evaluation import mean_sdrs, validation_pieces
from lass_lab.experiments.finetuning import PHASES, at_step_zero, finetune
from lass_lab.experiments.losses import LOSSES
from lass_lab.experiments.probes import balance
from lass_lab.experiments.recipes import RECIPE, RECIPES, FinetuningRecipe, described, read_recipe
from lass_lab.experiments.trainer import hardware, run_facts
from lass_lab.models import load_separator
from lass_lab.models.separator import CONFIG, WEIGHTS
from lass_lab.signal.files import InputError, atomic_path

Change = Callable[[FinetuningRecipe], FinetuningRecipe]


@dataclass(frozen=True)
class Study:
    """A question, and the answers to be tried: each a change of the recipe."""

    question: str
    variants: Mapping[str, Change]


PAGE = """# One choice at a time

Made by `{command}` on {day}: {hardware}.

Each row is a fine-tuning run of its own, from the start in the first row, that differs from the others in one thing;
what it ended in is measured on the validation slices (the last 30 s of each training piece). The test piece is not in
here: these tables are for choosing.

What they change one thing of: `{recipe}`

{tables}
- violin, trumpet: SDR, the mean over pieces; "at step 0", after the head was replaced and before anything was learnt.
- others: SDRi of eight other instruments, which nothing here was to teach: what fell was forgotten. In brackets its 95%
  bootstrap interval over mixtures, which are the same in every row.
- stored: size of the weights; minutes: of training, both phases.
"""
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
    sizes = {name: getattr(recipe, name) for name in ("batch", "sample_rate", "checkpoint_every", "validate_every")}
    paper = RECIPES["paper"]
    return replace(
        paper,
        phase1=replace(paper.phase1, epochs=recipe.phase1.epochs),
        phase2=replace(paper.phase2, epochs=recipe.phase2.epochs),
        items=replace(paper.items, seconds=recipe.items.seconds),
        seed=recipe.seed,
        **sizes,
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
            "nothing": _items(rehearsal=0.0, substitutes=0.0),
            "rehearsal": lambda recipe: recipe,
            "distillation": _with(distillation=True),
            "two encoder blocks frozen": _with(frozen_blocks=2),
            "averaged with the old weights": _with(average=0.7),
            "norms that follow": _with(freeze_norms=False),
        },
    ),
    "losses": Study("Which loss function?", {loss: _with(loss=loss) for loss in LOSSES}),
    "hearing": Study(
        "What does it help to hear?",
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


def find_study(name: str) -> Study:
    """The study of that name; raises InputError where there is none."""
    if name not in STUDIES:
        raise InputError(f"study '{name}': choose one of {', '.join(STUDIES)}")
    return STUDIES[name]


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
        run: a folder for all of the runs, one each; what is there is not trained again, and several studies in one
            folder share what they have in common: equal recipes, and equal first phases.
        start: the separator to begin with.
        data, bank: as for `finetune`.
        pairs: mixtures of eight other instruments, to see what was forgotten.

    Returns:
        A row for the start and one for each variant: variant, and for each source SDR in dB at step 0 (the head
        replaced, nothing learnt) and after training; others and its interval low to high (SDRi of the eight other
        instruments after training); stored (MB of weights), minutes (of training). Written to `run/NAME.csv` as well.

    Raises:
        InputError: no such study, or as `finetune` does.
    """
    variants = find_study(name).variants
    run, pieces = Path(run), validation_pieces(data)
    before = load_separator(start)
    weights = before.fingerprint()
    rows = [{"variant": start} | balance(before, pieces, bank, pairs=pairs, progress=progress)]
    at_zero: dict[str, dict[str, float]] = {}  # by head, which alone decides it
    for variant, change in variants.items():
        changed = change(recipe)
        folder = _folder(run, variant, described(start, weights, changed, bank))
        if changed.head not in at_zero:
            at_zero[changed.head] = mean_sdrs(at_step_zero(load_separator(start), changed), pieces)
        after = finetune(start, folder, changed, data=data, bank=bank, progress=progress)
        row = {"variant": variant} | balance(after, pieces, bank, pairs=pairs, progress=progress)
        row |= {f"{source} at step 0": value for source, value in at_zero[changed.head].items()}
        done = [folder / phase for phase in PHASES if (folder / phase / CONFIG).is_file()]
        minutes = 60 * sum(run_facts(phase)["hours"] for phase in done)
        rows.append(row | {"stored": (done[-1] / WEIGHTS).stat().st_size / 1e6, "minutes": minutes})
    table = pd.DataFrame(rows)
    with atomic_path(run / f"{name}.csv", force=True) as path:
        table.to_csv(path, index=False)
    return table


def page(tables: Mapping[str, pd.DataFrame], recipe: FinetuningRecipe, command: str) -> str:
    """The tables of several studies, by name, as a page: what made them, and what each column means."""
    parts = []
    for name, table in tables.items():
        cells = table.map(_cell)
        cells["others"] += " (" + cells.pop("low") + " to " + cells.pop("high") + ")"
        heads = [HEADINGS.get(column, f"{column}, dB") for column in cells.columns]
        parts.append(f"## {STUDIES[name].question}\n\n{markdown(heads, cells.to_numpy().tolist())}\n")
    told = {"command": command, "hardware": hardware(), "day": f"{date.today():%Y-%m-%d}"}
    return PAGE.format(**told, recipe=json.dumps(asdict(recipe)), tables="\n".join(parts))


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return "" if np.isnan(value) else f"{value:.2f}"


def _folder(run: Path, variant: str, told: Mapping[str, Any]) -> Path:
    """Where a variant's run lies: in its own folder, or where another study trained by the same recipe.

    Where a run beside it differs only in what comes after phase 1, that phase is linked to, and not trained again.
    """
    folder, told = run / variant.replace(" ", "_").replace("'", ""), json.loads(json.dumps(told))
    beside = {path.parent: read_recipe(path.parent) for path in sorted(run.glob(f"*/{RECIPE}"))}
    for other, theirs in beside.items():
        if theirs == told:
            return other
    for other, theirs in beside.items():
        first = other / PHASES[0]
        if _until_phase_2(theirs) == _until_phase_2(told) and (first / CONFIG).is_file() and not folder.exists():
            folder.mkdir(parents=True)
            (folder / PHASES[0]).symlink_to(Path("..", other.name, PHASES[0]))
    return folder


def _until_phase_2(told: Mapping[str, Any]) -> dict[str, Any]:
    """What of a recipe decides what phase 1 ends in."""
    recipe = {key: value for key, value in told.get("recipe", {}).items() if key not in AFTER_PHASE_1}
    return {**told, "recipe": recipe}
