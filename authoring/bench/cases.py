"""What the benchmark measures: cases, each called in a process of its own, whose peak of memory is then its own."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig, load_separator
from lass_lab.models.layers import ConditionedNorm
from lass_lab.models.weights import native_bfloat16
from lass_lab.signal import read_blocks, write_blocks
from lass_lab.signal.audio import SAMPLE_RATE

LEAST_RUNS, LEAST_S = 3, 2.0  # a short pass is the median of at least so many runs and so long a time
LONG_S = 30.0  # from here on, a case is run once
WARM_S = 10.0  # of the sound that a long case is warmed up with
QUERIES = ("violin", "trumpet")
PLAIN, FLOAT32, BFLOAT16 = "float32, plain", "float32", "bfloat16"
TINY, LARGE = "tiny", "audiosep (made weights)"


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
    separator.separate(mixture[: round(WARM_S * SAMPLE_RATE)], words, progress=False)
    with peak_memory(device) as peak:
        took, estimate = median_time(lambda: separator.separate(mixture, words, progress=False), seconds >= LONG_S)
    return Measured(took, peak(), estimate)


def file_to_file(seconds: float, mode: str = BFLOAT16, device: str = "cpu") -> Measured:
    """Separate a recording of noise with the tiny model, from file to file, in memory that its length does not move."""
    separator = made(TINY).to(device)
    separator.precision = torch.bfloat16 if mode == BFLOAT16 else torch.float32
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "noise.wav"), Path(folder, "violin.wav")
        block = noise(WARM_S)
        write_blocks([path], (block[None] for _ in range(round(seconds / WARM_S))))
        with peak_memory(device) as peak:
            began = time.perf_counter()
            write_blocks([out], separator.separate_blocks(read_blocks(path), ["violin"], progress=False))
            return Measured(time.perf_counter() - began, peak())


def matrix_rate(mode: str, device: str = "cpu") -> float:
    """GFLOP/s of a product of two square matrices: the rate that a network could reach at best."""
    size = 2048 if device == "cpu" else 8192
    kind = torch.bfloat16 if mode == BFLOAT16 else torch.float32
    left, right = (torch.randn(size, size, device=device).to(kind) for _ in range(2))

    def product() -> None:
        left @ right
        if device == "cuda":
            torch.cuda.synchronize()

    return 2 * size**3 / median_time(product)[0] / 1e9


def gflop(model: str, seconds: float) -> float:
    """Operations of the U-Net proper for one window and query, in GFLOP; the transforms before and after are not in."""
    config = _config(model)
    frames = round(seconds * SAMPLE_RATE) // config.hop + 1
    with torch.device("meta"), FlopCounterMode(display=False) as counter:  # shapes alone, no arithmetic
        network = ResUNet(config).eval()
        network.logits(torch.empty(1, 1, frames, config.n_fft // 2 + 1), torch.empty(1, config.condition_size))
    return counter.get_total_flops() / 1e9


def made(model: str) -> LanguageSeparator:
    """The shipped tiny separator, or AudioSep's network at its own size, at a seeded random start."""
    separator = load_separator("tiny", device="cpu", precision="float32")
    if model == LARGE:
        torch.manual_seed(0)
        separator = LanguageSeparator(separator.query_network, ResUNet(_config(model))).eval()
    return separator


def noise(seconds: float) -> np.ndarray:
    """White noise, the same each time: what is computed does not depend on what is heard."""
    return np.random.default_rng(0).standard_normal(round(seconds * SAMPLE_RATE)).astype(np.float32) / 10


def modes(device: str) -> tuple[str, ...]:
    """The modes that are of use on a device: bfloat16 only where its arithmetic has it."""
    return (PLAIN, FLOAT32, BFLOAT16) if native_bfloat16(torch.device(device)) else (PLAIN, FLOAT32)


def _config(model: str) -> ResUNetConfig:
    return ResUNetConfig.audiosep() if model == LARGE else ResUNetConfig()


def lay_plainly(network: ResUNet) -> nn.Module:
    network.layout = torch.contiguous_format
    for module in network.modules():
        if isinstance(module, ConditionedNorm):
            module.folds = False
    return network.to(memory_format=torch.contiguous_format)


@contextmanager
def peak_memory(device: str) -> Iterator[Callable[[], float]]:
    """A function that gives the peak of memory in MB: the GPU's from here on, or this process's so far."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        yield lambda: torch.cuda.max_memory_allocated() / 2**20
        return
    yield _peak_of_process


def _peak_of_process() -> float:
    status = Path("/proc/self/status")
    if status.is_file():  # `getrusage` counts what the process that started this one had, too
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource  # which Windows has not

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def median_time(run: Callable, once: bool = False) -> tuple[float, object]:
    """Median seconds of a call, after one that is not counted unless it is to be called once; and what it returned."""
    result, times = (None if once else run()), []
    while not times or (not once and (len(times) < LEAST_RUNS or sum(times) < LEAST_S)):
        began = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - began)
    return float(np.median(times)), result
