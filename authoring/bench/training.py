"""One step of fine-tuning, as the benchmark measures it: apart from its other cases, which need no trainer."""

from dataclasses import replace

import torch

from authoring.bench import cases
from authoring.bench.cases import BFLOAT16, PLAIN, TINY, Measured
from lass_lab.datasets.duet_mixing import FinetuningDataset
from lass_lab.datasets.duets import list_pieces, load_piece
from lass_lab.datasets.mixing import SourceBank, collate
from lass_lab.experiments.finetuning import FinetuningTask
from lass_lab.experiments.recipes import FinetuningRecipe
from lass_lab.experiments.training import at_rate
from lass_lab.signal.files import data_dir

ITEMS, ITEM_S, RATE = 16, 1.26, 12_000  # the quick profile's


def training_step(phase: str, mode: str, device: str = "cpu") -> Measured:
    """One step of fine-tuning the tiny separator, items made beforehand; `phase` is "phase1" or "phase2"."""
    recipe = FinetuningRecipe(sample_rate=RATE)
    recipe = replace(recipe, items=replace(recipe.items, seconds=ITEM_S, captions=phase == "phase2"))
    pieces, bank = [load_piece(name) for name in list_pieces("train")], SourceBank(data_dir() / "sources", "train")
    items = FinetuningDataset(pieces, bank, recipe.items, range(ITEMS))
    separator = cases.made(TINY).to(device)
    separator.network.replace_head(recipe.head)
    if mode == PLAIN:
        cases.lay_plainly(separator.network)
    with at_rate(separator, RATE):
        if mode == PLAIN:
            cases.lay_plainly(separator.network)
        task = FinetuningTask(separator, recipe, getattr(recipe, phase), 1000).to(device)
        batch = task.on_after_batch_transfer(collate(list(items)), 0)
        batch = {key: value.to(device) if torch.is_tensor(value) else value for key, value in batch.items()}
        optimizer = task.optimizer()

        def step() -> None:
            with torch.autocast(device, torch.bfloat16, mode == BFLOAT16):
                loss = task.loss(task.estimate(batch), batch["target"], batch["mixture"])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(task.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            if device == "cuda":
                torch.cuda.synchronize()

        step()  # not counted: the first one sets up
        with cases.peak_memory(device) as peak:
            took, _ = cases.median_time(step)
        return Measured(took, peak())
