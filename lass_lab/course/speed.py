"""How fast this computer trains, measured once, and how much of a profile it can do in an evening."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from lass_lab.course.ledger import runs_dir
from lass_lab.course.profile import PROFILES, Profile
from lass_lab.course.runs import sized_recipe
from lass_lab.datasets import data_dir, list_pieces, load_piece
from lass_lab.datasets.duet_mixing import FinetuningDataset
from lass_lab.datasets.duets import SLICE_S
from lass_lab.datasets.mixing import SourceBank, collate
from lass_lab.experiments.finetuning import FinetuningData, FinetuningTask, at_step_zero
from lass_lab.experiments.recipes import FinetuningRecipe
from lass_lab.experiments.training import at_rate
from lass_lab.models import load_separator
from lass_lab.models.weights import native_bfloat16
from lass_lab.signal.files import atomic_path

REFERENCE_STEP_S = 2.42  # in the run of the course that notebooks/times.json is from: its speed.json

_STUDY_RUNS = 3  # of `study_epochs` each, in notebook 08


def step_seconds() -> float:
    """Seconds that one step of fine-tuning takes here, as the quick profile trains; measured once a runs folder.

    Validation is counted in. The time is kept in `speed.json` in the runs folder, so that a run which is gone on with
    is as long as it was begun; without the file it is measured anew, in some seconds.
    """
    return _speed()["step_seconds"]


def fitted(profile: Profile, say: Callable[[str], object] = print) -> Profile:
    """The profile with as many epochs as fit its `training_minutes` here, never more than it has.

    Args:
        profile: one without `training_minutes` is returned as it is, and nothing is measured.
        say: gets one line: how fast this computer is, and how long the phases will take.
    """
    if profile.training_minutes is None:
        return profile
    speed = _speed()
    epoch_s = speed["step_seconds"] * speed["epoch_steps"]
    epochs = sum(profile.epochs) + _STUDY_RUNS * profile.study_epochs
    share = min(1.0, 60 * profile.training_minutes / (epochs * epoch_s))
    first, second = (max(1, round(share * each)) for each in profile.epochs)
    say(
        f"A training step takes {speed['step_seconds']:.2f} s here, "
        f"{speed['step_seconds'] / REFERENCE_STEP_S:.1f} times as long as on the computer where the course was timed. "
        f"This run takes {share:.0%} of the {profile.name} profile's steps: "
        f"about {first * epoch_s / 60:.0f} minutes for phase 1, {second * epoch_s / 60:.0f} for phase 2."
        + (f" If it was busy just then, delete {_path()} to measure again." if share < 1 else "")
    )
    study = max(1, round(share * profile.study_epochs))
    return replace(profile, epochs=(first, second), study_epochs=study, share=share)


def _path() -> Path:
    return runs_dir() / "speed.json"


def _speed() -> dict[str, float]:
    path = _path()
    try:
        speed = json.loads(path.read_text(encoding="utf-8"))
        return {name: float(speed[name]) for name in ("step_seconds", "epoch_steps")}
    except (OSError, ValueError, KeyError, TypeError):  # not there yet, or not what was written
        speed = _measure()
        with atomic_path(path, force=True) as temporary:
            temporary.write_text(json.dumps(speed, indent=1) + "\n", encoding="utf-8")
        return speed


def timed_step(recipe: FinetuningRecipe, items: int = 4) -> float:
    """Seconds that one step of a recipe's phase 1 takes here with the tiny separator: an estimate.

    The second and third step of `items` items are timed, the faster one counts, and it is taken `recipe.batch / items`
    times. What a run does besides (making the items, validating, saving) is left out.
    """
    pieces = [load_piece(name) for name in list_pieces("train")]
    bank = SourceBank(data_dir() / "sources", "train") if recipe.items.needs_bank else None
    drawn = collate(list(FinetuningDataset(pieces, bank, recipe.items, range(items))))
    chosen = "cuda" if torch.cuda.is_available() else "cpu"  # as training does
    separator = at_step_zero(load_separator("tiny", device=chosen), recipe)
    device, seconds = separator.device, []
    with at_rate(separator, recipe.sample_rate):
        task = FinetuningTask(separator, recipe, recipe.phase1, steps=3).to(device)
        moved = {key: value.to(device) if torch.is_tensor(value) else value for key, value in drawn.items()}
        batch, optimizer = task.on_after_batch_transfer(moved, 0), task.optimizer()
        for _ in range(3):
            began = time.perf_counter()
            with torch.autocast(device.type, torch.bfloat16, native_bfloat16(device)):
                estimate = task.separator(batch["mixture"], batch["query"])
            loss = task.loss(estimate, batch["target"], batch["mixture"])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            loss.item()  # waits until a GPU is done
            seconds.append(time.perf_counter() - began)
    return min(seconds[1:]) * recipe.batch / items


def _measure() -> dict[str, float]:
    recipe = sized_recipe("preserving", PROFILES["quick"])
    data = FinetuningData(recipe, data_dir(), None)
    # Validation takes forward passes alone: about a third of a step's time for as many seconds of sound.
    validation = len(data.validation) * SLICE_S / (recipe.batch * recipe.items.seconds) / 3
    every = recipe.checkpoint_every * recipe.validate_every
    return {
        "step_seconds": timed_step(recipe) * (1 + validation / every),
        "epoch_steps": data.epoch_items / recipe.batch,
    }
