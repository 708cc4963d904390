"""Speed and memory, as ratios within one run on one machine: the only form in which they travel."""

import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig, load_separator
from lass_lab.signal.audio import SAMPLE_RATE

SLICE_S = 5.0
LEAST_RUNS, LEAST_S = 3, 2.0  # a row is the median of at least so many runs and so long a time


def bench(seconds: float = 180.0, progress: bool = True) -> pd.DataFrame:
    """Measure one slice by both sizes of network and a long file by the tiny separator.

    Returns:
        Columns what, precision, queries, seconds (median wall time), real_time (audio over wall time), ratio (the plain
        float32 contiguous pass of the same network and as many queries, over this row's time), agreement_db (the plain
        pass's energy over the difference to it), threads and peak_mb (of the process so far).
    """
    rows = []
    noise = np.random.default_rng(0).standard_normal(round(seconds * SAMPLE_RATE)).astype(np.float32) / 10
    sizes = {"tiny": ResUNetConfig(), "audiosep (made weights)": ResUNetConfig.audiosep()}
    for name, config in tqdm(sizes.items(), desc="slices", disable=not progress):
        rows += _slice_rows(name, config, torch.from_numpy(noise[: round(SLICE_S * SAMPLE_RATE)]))
    separator = load_separator("tiny", device="cpu")
    for queries in (["violin"], ["violin", "trumpet"]):
        rows += _file_rows(separator, noise, queries)
    columns = ["what", "precision", "queries", "seconds", "real_time", "ratio", "agreement_db"]
    table = pd.DataFrame(rows, columns=columns).round({"seconds": 3, "real_time": 1, "ratio": 2, "agreement_db": 1})
    table["threads"] = torch.get_num_threads()
    table["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return table


def _slice_rows(name: str, config: ResUNetConfig, mixture: torch.Tensor) -> list[tuple]:
    torch.manual_seed(0)
    network = ResUNet(config).eval()
    condition = torch.nn.functional.normalize(torch.randn(1, config.condition_size), dim=-1)
    modes = {
        "float32, contiguous": (torch.contiguous_format, False),
        "float32": (torch.channels_last, False),
        "bfloat16": (torch.channels_last, True),
    }
    rows, reference = [], None
    for mode, (layout, lowered) in modes.items():
        network.to(memory_format=layout)
        network.layout = layout

        def run(lowered: bool = lowered) -> torch.Tensor:
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, lowered):
                return network.separate(mixture[None], condition)

        seconds, estimate = _median_time(run)
        if reference is None:
            reference = (seconds, estimate)
        error = torch.linalg.vector_norm(estimate - reference[1]) / torch.linalg.vector_norm(reference[1])
        agreement = float(-20 * torch.log10(error)) if error else np.inf
        rows.append((f"{name}: one slice", mode, 1, seconds, SLICE_S / seconds, reference[0] / seconds, agreement))
    return rows


def _file_rows(separator: LanguageSeparator, mixture: np.ndarray, queries: list[str]) -> list[tuple]:
    what, length = f"tiny: {len(mixture) / SAMPLE_RATE:.0f} s file", len(mixture) / SAMPLE_RATE
    rows, reference = [], None
    for precision in (torch.float32, torch.bfloat16):
        separator.precision = precision
        seconds, estimate = _median_time(lambda: separator.separate(mixture, queries, progress=False), runs=1)
        if reference is None:
            reference = (seconds, estimate)
        error = np.linalg.norm(estimate - reference[1]) / np.linalg.norm(reference[1])
        agreement = float(-20 * np.log10(error)) if error else np.inf
        mode = str(precision).removeprefix("torch.")
        rows.append((what, mode, len(queries), seconds, length / seconds, reference[0] / seconds, agreement))
    return rows


def _median_time(run: Callable, runs: int = LEAST_RUNS) -> tuple[float, object]:
    """Median seconds of a call, after one that is not counted, and what it returned."""
    result, times = run(), []
    while len(times) < runs or (runs > 1 and sum(times) < LEAST_S):
        began = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - began)
    return float(np.median(times)), result
