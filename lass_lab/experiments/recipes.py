"""The recipe of fine-tuning, and files and settings that change it; what a run's folder says about its own."""

import hashlib
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from lass_lab.datasets.duet_mixing import DuetRecipe
from lass_lab.datasets.manifest import MANIFEST
from lass_lab.datasets.mixing import Sources, list_folders
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError, atomic_path

RECIPE = "recipe.json"  # in a run's folder
FILES = Path(__file__).parent / "files"
Recipe = TypeVar("Recipe")


@dataclass(frozen=True)
class Phase:
    """One phase of fine-tuning.

    Attributes:
        epochs: times through all slices.
        rate: learning rate of the separation network at its peak.
        query_rate: of the query network; 0 where it is frozen, bit by bit.
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
    """Everything that decides the result of fine-tuning; by default the course's own recipe, which preserves.

    Attributes:
        head: the output layer to replace the old one by, one of `heads.HEADS`.
        phase1, phase2: the phases; a second one of no epochs is left out.
        loss: one of `losses.LOSSES`; the paper's is "l1".
        items: how the training items are drawn.
        batch: items a step, in each process.
        freeze_norms: batch norms keep the statistics of pretraining (then training and use compute the same function,
            whatever else is in the batch); else they follow the new data.
        sample_rate: below 32,000 Hz, only the bins below half of it are trained on, and the others follow: 12,000 takes
            about half the time (see `training.at_rate`).
        frozen_blocks: number of encoder blocks, outermost first, that are frozen.
        distillation: rehearse towards the answers of the separator before fine-tuning, not towards the true sources.
        average: share of the fine-tuned weights in the result, the rest being those before (Wortsman et al., "Robust
            fine-tuning of zero-shot models", 2022); 1 is the fine-tuned alone. Needs the preserving head.
        descent: share of a phase in which its rates fall to zero.
        checkpoint_every: steps.
        validate_every: checkpoints.
        seed: of the new head and of the items.
    """

    head: str = "preserving"
    phase1: Phase = Phase(epochs=75, rate=2e-3)
    phase2: Phase = Phase(epochs=75, rate=1e-4, query_rate=3e-4, captions=True)
    loss: str = "decibels"
    items: DuetRecipe = DuetRecipe()
    batch: int = 16
    freeze_norms: bool = True
    sample_rate: int = SAMPLE_RATE
    frozen_blocks: int = 0
    distillation: bool = False
    average: float = 1.0
    descent: float = 0.7
    checkpoint_every: int = 10
    validate_every: int = 2
    seed: int = 0


def read_table(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A recipe file (TOML) as it is. Raises InputError where it cannot be read."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"recipe {path}: cannot be read as a TOML file ({error})") from error


def changed(recipe: Recipe, table: Mapping[str, Any], within: str = "") -> Recipe:
    """A recipe, any dataclass, with what a table says in place of its own fields; tables within it change inner ones.

    Raises:
        InputError: a field that there is not, or a value of another kind, negative or infinite.
    """
    kinds = {field.name: field.type for field in fields(recipe)}
    values = {}
    for name, value in table.items():
        where = within + name
        if name not in kinds:
            raise InputError(f"recipe: no field '{where}'; choose one of {', '.join(within + kind for kind in kinds)}")
        old, kind = getattr(recipe, name), kinds[name]
        if is_dataclass(old) and isinstance(value, Mapping):
            values[name] = changed(old, value, f"{where}.")
            continue
        if kind is float and type(value) is int:
            value = float(value)
        if isinstance(old, tuple) and isinstance(value, list):
            values[name] = tuple(value)
            continue
        if type(value) is not kind or (kind in (int, float) and not 0 <= value < float("inf")):
            wanted = {int: "a whole number from 0", float: "a number from 0", bool: "true or false", str: "a word"}
            raise InputError(f"recipe: {where} = {value}: needs {wanted.get(kind, 'a table')}")
        values[name] = value
    return replace(recipe, **values)


RECIPES = {name: changed(FinetuningRecipe(), read_table(FILES / f"{name}.toml")) for name in ("preserving", "paper")}


def described(
    start: str | os.PathLike[str],
    weights: str,
    recipe: FinetuningRecipe,
    bank: Sources | None = None,
    data: Path | None = None,
    processes: int = 1,
) -> dict[str, Any]:
    """What identifies a run: `start` and the hash of its `weights`, `recipe`, and `sources` other than the shipped.

    And of a data folder the hash of its manifest, which has those of all its files; and how many processes train, where
    there are several, as each takes a batch of its own.
    """
    told = {"start": str(start), "weights": weights, "recipe": asdict(recipe)}
    if data:
        told["data"] = hashlib.sha256((data / MANIFEST).read_bytes()).hexdigest()[:16]
    if processes > 1:
        told["processes"] = processes
    if bank and recipe.items.needs_bank:
        told["sources"] = [str(folder) for folder in list_folders(bank)]
    return told


def read_recipe(run: Path) -> dict[str, Any]:
    """The recipe.json of a run, as `described` made it.

    Raises:
        InputError: no recipe.json, or one without a start.
    """
    path = run / RECIPE
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told["start"], str):
            raise TypeError("its start is no text")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: not a run's recipe ({type(error).__name__}: {error})") from error
    return told


def claim(run: Path, told: Mapping[str, Any]) -> None:
    """Write a run's recipe.json, as `described` made it, or see that the one there is the same.

    Raises:
        InputError: the folder holds a run of another recipe, start, sources, data or number of processes.
    """
    path, text = run / RECIPE, json.dumps(told, indent=1) + "\n"
    if not path.is_file():
        with atomic_path(path, force=True) as temporary:  # of several processes each writes the same
            temporary.write_text(text)
    there, told = read_recipe(run), json.loads(text)
    keys = ("recipe", "start", "weights", "sources", "data", "processes")
    if others := [key for key in keys if there.get(key) != told.get(key)]:
        raise InputError(
            f"{run}: holds a run that differs in {' and '.join(others)}; remove it or choose another folder"
        )
