"""One choice at a time: fine-tune in several ways that differ in one thing, and set them side by side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lass_lab.datasets.duets import VALIDATION_S, Piece, data_dir, list_pieces, load_piece
from lass_lab.experiments.finetuning import PHASES, at_step_zero, finetune
from lass_lab.experiments.finetuning_recipes import FinetuningRecipe
from lass_lab.experiments.losses import LOSSES
from lass_lab.experiments.model_card import run_facts
from lass_lab.experiments.probes import forgetting
from lass_lab.models import LanguageSeparator, load_separator
from lass_lab.models.separator import CONFIG, WEIGHTS
from lass_lab.signal.files import InputError, atomic_path
from lass_lab.signal.metrics import sdr

Change = Callable[[FinetuningRecipe], FinetuningRecipe]


@dataclass(frozen=True)
class Study:
    """A question, and the answers to be tried: each a change of the recipe."""

    question: str
    variants: Mapping[str, Change]


def _with(**changes: Any) -> Change:
    return lambda recipe: replace(recipe, **changes)


def _items(**changes: Any) -> Change:
    return lambda recipe: replace(recipe, items=replace(recipe.items, **changes))


def _phase2(**changes: Any) -> Change:
    return lambda recipe: replace(recipe, phase2=replace(recipe.phase2, **changes))


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
    "losses": Study("What is to be lowered?", {loss: _with(loss=loss) for loss in LOSSES}),
    "hearing": Study(
        "What does it help to hear?",
        {
            "slices as they are": _items(remixed=0.0, augmented=0.0),
            "re-mixed": _items(augmented=0.0),
            "re-mixed and augmented": lambda recipe: recipe,
            "one word for each": _phase2(captions=False),
        },
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
        run: a folder for all of the runs, one each; what is there is not trained again.
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
    if name not in STUDIES:
        raise InputError(f"study '{name}': choose one of {', '.join(STUDIES)}")
    run, pieces = Path(run), validation_pieces(data)
    before = load_separator(start)
    rows = [{"variant": start} | balance(before, pieces, bank, pairs=pairs, progress=progress)]
    at_zero: dict[str, dict[str, float]] = {}  # by head, which alone decides it
    for variant, change in STUDIES[name].variants.items():
        changed, folder = change(recipe), run / variant.replace(" ", "_")
        if changed.head not in at_zero:
            at_zero[changed.head] = _sdrs(at_step_zero(load_separator(start), changed), pieces)
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


def validation_pieces(data: str | Path | None = None) -> list[Piece]:
    """The last 30 s of each training piece: what every choice is made on."""
    data = data or data_dir()
    pieces = [load_piece(name, data) for name in list_pieces("train", data)]
    return [piece.slice(piece.seconds - VALIDATION_S, VALIDATION_S) for piece in pieces]


def balance(
    separator: LanguageSeparator,
    pieces: list[Piece],
    bank: str | Path | None = None,
    *,
    pairs: int = 50,
    progress: bool = True,
) -> dict[str, float]:
    """What fine-tuning is for and what it may cost: SDR (dB) for each source of the pieces, and of others' their SDRi.

    Returns:
        Each source's SDR, the mean over pieces; others, low and high: SDRi of eight other instruments with its interval
        (`probes.forgetting`).
    """
    kept = forgetting("", separator, bank, pairs=pairs, progress=progress).query("detail == 'mean'").iloc[0]
    return _sdrs(separator, pieces) | {"others": kept["value"], "low": kept["low"], "high": kept["high"]}


def _sdrs(separator: LanguageSeparator, pieces: list[Piece]) -> dict[str, float]:
    """SDR for each source, the mean over pieces."""
    found: dict[str, list[float]] = {}
    for piece in pieces:
        estimates = separator.separate(piece.mixture, list(piece.sources), progress=False)
        for (source, waveform), estimate in zip(piece.sources.items(), estimates, strict=True):
            found.setdefault(source, []).append(sdr(waveform, estimate))
    return {source: float(np.mean(values)) for source, values in found.items()}
