"""What decides what fine-tuning ends in: the recipe that preserves, and the paper's."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lass_lab.datasets.duet_mixing import DuetRecipe
from lass_lab.datasets.mixing import Sources, list_folders
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError

RECIPE = "recipe.json"  # in a run's folder: what it was told


@dataclass(frozen=True)
class Phase:
    """One phase: how long, how fast, and what of the query network learns.

    Attributes:
        epochs: times through all slices.
        rate: learning rate of the separation network at its peak.
        query_rate: of the query network; 0 where it stands still, bit by bit.
        encoder: how much of its sentence encoder learns (`QueryNet.learn`), where any of it does.
        captions: ask in all the phrasings for training, not in the one canonical word.
        warmup: steps in which both rates rise; a phase begins with its own.
    """

    epochs: int
    rate: float
    query_rate: float = 0.0
    encoder: str = "low-rank"
    captions: bool = False
    warmup: int = 20


@dataclass(frozen=True)
class FinetuningRecipe:
    """Everything that decides what fine-tuning ends in.

    Attributes:
        head: the output layer to replace the old one by, one of `heads.HEADS`.
        phase1, phase2: the phases; a second one of no epochs is left out.
        loss: what is lowered, one of `losses.LOSSES`; the paper's is "l1".
        items: what is heard.
        batch: items a step, in each process.
        still_norms: batch norms keep the statistics of pretraining (then training and use compute the same function,
            whatever else is in the batch); else they follow the new data.
        sample_rate: below 32,000 Hz, only the bins below half of it are trained on, and the others follow: 12,000 takes
            about half the time (see `lower_rate`).
        frozen_blocks: so many encoder blocks, outermost first, stand still.
        distillation: rehearse towards what the separator answered before fine-tuning, not towards the true sources.
        average: share of the fine-tuned weights in the result, the rest being those before (Wortsman et al., "Robust
            fine-tuning of zero-shot models", 2022); 1 is the fine-tuned alone. Needs the preserving head.
        descent: share of a phase in which its rates fall to zero.
        patience: validations without a gain after which a phase ends; None for never.
        checkpoint_every: steps.
        validate_every: checkpoints.
        seed: of the new head and of the items.
    """

    head: str = "preserving"
    phase1: Phase = Phase(epochs=75, rate=2e-3)
    phase2: Phase = Phase(epochs=75, rate=3e-4, query_rate=1e-4, captions=True)
    loss: str = "decibels"
    items: DuetRecipe = DuetRecipe()
    batch: int = 16
    still_norms: bool = True
    sample_rate: int = SAMPLE_RATE
    frozen_blocks: int = 0
    distillation: bool = False
    average: float = 1.0
    descent: float = 0.7
    patience: int | None = None
    checkpoint_every: int = 10
    validate_every: int = 2
    seed: int = 0


# The paper's own recipe: its head at a random start, and nothing to keep what was known before.
PAPER = FinetuningRecipe(
    head="paper",
    loss="l1",
    phase1=Phase(epochs=75, rate=1e-3),  # AudioSep's; the paper does not tell its own
    phase2=Phase(epochs=75, rate=3e-4, query_rate=1e-4, encoder="whole"),
    items=DuetRecipe(remixed=0.0, substitutes=0.0, rehearsal=0.0, augmented=0.0, level_db=0.0),
)
RECIPES = {"preserving": FinetuningRecipe(), "paper": PAPER}


def described(
    start: str | os.PathLike[str], weights: str, recipe: FinetuningRecipe, bank: Sources | None = None
) -> dict[str, Any]:
    """What a run is told: `start` and its `weights`, by their hash, `recipe` with every choice, and `sources` where it
    hears others than the shipped."""
    told = {"start": str(start), "weights": weights, "recipe": asdict(recipe)}
    if bank and recipe.items.needs_bank:
        told["sources"] = [str(folder) for folder in list_folders(bank)]
    return told


def read_recipe(run: Path) -> dict[str, Any]:
    """What a run was told, as `described` says it.

    Raises:
        InputError: no recipe.json, or one that says no start.
    """
    path = run / RECIPE
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told["start"], str):
            raise TypeError("its start is no text")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: not a run's recipe ({type(error).__name__}: {error})") from error
    return told
