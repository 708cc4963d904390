"""How long a recipe would train on this computer, from a few of its steps (notebook 05)."""

import time
from dataclasses import replace

import torch

from lass_lab.datasets import data_dir, list_pieces, load_piece
from lass_lab.datasets.duet_mixing import FinetuningDataset
from lass_lab.datasets.mixing import SourceBank, collate
from lass_lab.experiments.finetuning import FinetuningTask, at_step_zero
from lass_lab.experiments.recipes import FinetuningRecipe
from lass_lab.experiments.training import at_rate
from lass_lab.models import load_separator
from lass_lab.models.weights import native_bfloat16


def step_seconds(recipe: FinetuningRecipe, items: int = 2) -> float:
    """Seconds that one step of a recipe's phase 1 takes here with the tiny separator: an estimate.

    The second and third step of `items` items are timed, the faster one counts, and it is taken `recipe.batch / items`
    times. What a run does besides (making the items, validating, saving) is left out.
    """
    pieces = [load_piece(name) for name in list_pieces("train")]
    bank = SourceBank(data_dir() / "sources", "train") if recipe.items.needs_bank else None
    drawn = collate(list(FinetuningDataset(pieces, bank, recipe.items, range(items))))
    separator = at_step_zero(load_separator("tiny"), replace(recipe, seed=0))
    device, seconds = separator.device, []
    with at_rate(separator, recipe.sample_rate):
        task = FinetuningTask(separator, recipe, recipe.phase1, steps=3).to(device)
        moved = {key: value.to(device) if torch.is_tensor(value) else value for key, value in drawn.items()}
        batch, optimizer = task.on_after_batch_transfer(moved, 0), task.optimizer()
        for _ in range(3):
            began = time.perf_counter()
            with torch.autocast(device.type, torch.bfloat16, native_bfloat16(device)):
                estimate = task.estimate(batch)
            loss = task.loss(estimate, batch["target"], batch["mixture"])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            loss.item()  # waits until a GPU is done
            seconds.append(time.perf_counter() - began)
    return min(seconds[1:]) * recipe.batch / items
