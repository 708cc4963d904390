"""What the benchmark measures: cases, each called in a process of its own, whose peak of memory is then its own."""

import resource
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.benchmark import Timer

from lass_lab.datasets.duet_mixing import FinetuningDataset
from lass_lab.datasets.duets import list_pieces, load_piece
from lass_lab.datasets.mixing import SourceBank, collate
from lass_lab.experiments.finetuning import FinetuningTask
from lass_lab.experiments.recipes import FinetuningRecipe
from lass_lab.experiments.training import at_rate
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig, load_separator
from lass_lab.models.layers import ConditionedNorm
from lass_lab.models.weights import native_bfloat16
from lass_lab.signal import read_blocks, write_blocks
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import data_dir

LEAST_S = 2.0  # a case is repeated for so long, and at least twice: the first time does not count
BLOCK_S = 10.0  # of noise that a file is written in
ITEMS, ITEM_S, RATE = 16, 1.26, 12_000  # of a training step, as in the quick profile
QUERIES = ("violin", "trumpet")
PLAIN, FLOAT32, BFLOAT16 = "float32, plain", "float32", "bfloat16"
TINY, LARGE = "tiny", "audiosep (made weights)"
CONFIGS = {TINY: ResUNetConfig(), LARGE: ResUNetConfig.audiosep()}


@dataclass(frozen=True)
class Measured:
    """What a case gave: median seconds, the peak of memory in MB (the GPU's where it ran there), and its estimate."""

    seconds: float
    peak_mb: float
    estimate: np.ndarray | None = None


def separation(model: str, seconds: float, queries: int, mode: str, device: str = "cpu") -> Measured:
    """Separate noise: `model` is TINY or LARGE; plain is float32, layer by layer in PyTorch's layout of memory."""
    separator = made(model).to(device)
    separator.precision = torch.bfloat16 if mode == BFLOAT16 else torch.float32
    if mode == PLAIN:
        lay_plainly(separator.network)
    mixture, words = noise(seconds), list(QUERIES[:queries])
    return measured(lambda: separator.separate(mixture, words, progress=False), device)


def channels(seconds: float, number: int, consistent: bool, mode: str) -> Measured:
    """Separate noise of so many channels by two queries with the tiny model, and have all of it add up or not."""
    separator = made(TINY)
    separator.precision = torch.bfloat16 if mode == BFLOAT16 else torch.float32
    mixture = noise(seconds * number).reshape(number, -1)
    return measured(lambda: separator.separate(mixture, QUERIES, consistent=consistent, progress=False))


def file_to_file(seconds: float, mode: str) -> Measured:
    """Separate a recording of noise with the tiny model, from file to file, in memory that its length does not move."""
    separator = made(TINY)
    separator.precision = torch.bfloat16 if mode == BFLOAT16 else torch.float32
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "noise.wav"), Path(folder, "violin.wav")
        block = noise(BLOCK_S)
        write_blocks([path], (block[None] for _ in range(round(seconds / BLOCK_S))))

        def separate() -> None:
            estimates = separator.separate_blocks(read_blocks(path), ["violin"], progress=False)
            write_blocks([out], estimates, force=True)

        return measured(separate)


def training_step(phase: str, mode: str, device: str = "cpu") -> Measured:
    """One step of fine-tuning the tiny separator, items made beforehand; `phase` is "phase1" or "phase2"."""
    recipe = FinetuningRecipe(sample_rate=RATE)
    recipe = replace(recipe, items=replace(recipe.items, seconds=ITEM_S, captions=phase == "phase2"))
    pieces, bank = [load_piece(name) for name in list_pieces("train")], SourceBank(data_dir() / "sources", "train")
    items = FinetuningDataset(pieces, bank, recipe.items, range(ITEMS))
    separator = made(TINY).to(device)
    separator.network.replace_head(recipe.head)
    with at_rate(separator, RATE):
        if mode == PLAIN:
            lay_plainly(separator.network)
        task = FinetuningTask(separator, recipe, getattr(recipe, phase), 1000).to(device)
        batch = task.on_after_batch_transfer(collate(list(items)), 0)
        batch = {key: value.to(device) if torch.is_tensor(value) else value for key, value in batch.items()}
        optimizer = task.optimizer()

        def step() -> None:
            with torch.autocast(device, torch.bfloat16, mode == BFLOAT16):
                estimate = task.separator(batch["mixture"], batch["query"])
                loss = task.loss(estimate, batch["target"], batch["mixture"])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(task.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()

        return measured(step, device)


def measured(run: Callable[[], Any], device: str = "cpu") -> Measured:
    """Call `run` for a while: its median time, the peak of memory of this process or of the GPU, and what it gave."""
    given: list[Any] = [None]
    threads = torch.get_num_threads()  # the timer's own default is one
    timer = Timer("given[0] = run()", globals={"given": given, "run": run}, num_threads=threads)
    seconds = timer.blocked_autorange(min_run_time=LEAST_S).median
    peak = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else _peak_of_process()
    return Measured(seconds, peak, given[0])


def _peak_of_process() -> float:
    status = Path("/proc/self/status")
    if status.is_file():  # `getrusage` counts what the process that started this one had, too
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # in bytes on a Mac


def made(model: str) -> LanguageSeparator:
    """The shipped tiny separator, or AudioSep's network at its own size, at a seeded random start."""
    separator = load_separator("tiny", device="cpu", precision="float32")
    if model == LARGE:
        torch.manual_seed(0)
        separator = LanguageSeparator(separator.query_network, ResUNet(CONFIGS[model])).eval()
    return separator


def lay_plainly(network: ResUNet) -> None:
    """Compute layer by layer, in PyTorch's own layout of memory."""
    network.layout = torch.contiguous_format
    for module in network.modules():
        if isinstance(module, ConditionedNorm):
            module.folds = False
    plain = torch.nn.Conv2d(1, network.config.channels[0], kernel_size=1)
    plain.load_state_dict(network.input_conv.state_dict())
    network.input_conv = plain.to(network.input_conv.weight.device)
    network.to(memory_format=torch.contiguous_format)


def noise(seconds: float) -> np.ndarray:
    """White noise, the same each time: how long the separator takes does not depend on the sound."""
    return np.random.default_rng(0).standard_normal(round(seconds * SAMPLE_RATE)).astype(np.float32) / 10


def modes(device: str) -> tuple[str, ...]:
    """The modes that are of use on a device: bfloat16 only where its arithmetic has it."""
    return (PLAIN, FLOAT32, BFLOAT16) if native_bfloat16(torch.device(device)) else (PLAIN, FLOAT32)
