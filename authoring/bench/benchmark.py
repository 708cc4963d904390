"""Speed and memory, as ratios within one run on one machine: the only form in which they travel."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from authoring.bench import cases
from authoring.bench.cases import LARGE, PLAIN, TINY, Measured
from authoring.pages import page
from lass_lab.course.nb09.scaling import operations

# Seconds of the mixture, and queries; a minute of the large network's takes as long as many of the tiny one's.
EXTENTS = {TINY: ((5.0, 1), (5.0, 2), (180.0, 1)), LARGE: ((5.0, 1), (60.0, 1))}
CHANNELS_S = 180.0
FILES_S = (60.0, 600.0)  # from file to file: memory must not grow with it
DIGITS = {"time, s": 3, "real time": 1, "ratio": 2, "agreement, dB": 1, "GFLOP/s": 0, "peak, MB": 0}
COLUMNS = ["what", "device", "mode", "queries", *DIGITS]
COLD = """if True:
    import time
    began = time.perf_counter()
    import numpy
    from lass_lab.models import load_separator
    load_separator("tiny").separate(numpy.ones(160_000, dtype="float32") / 10, "violin", progress=False)
    print(time.perf_counter() - began)
"""


def bench() -> pd.DataFrame:
    """Measure separation, one training step of each phase, memory from file to file, and how long it takes to begin.

    Of two networks: the tiny one, and AudioSep's at its own size with made weights. Every case runs in a process of
    its own. Where there is a GPU, separation and training are measured there as well.

    Returns:
        `COLUMNS`, rounded: templates/bench.md says what they are. The mode "float32, plain" is PyTorch's own layout of
        memory, with no bfloat16.
    """
    rows: list[dict[str, Any]] = []
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        plan = [(model, *extent) for model, extents in EXTENTS.items() for extent in extents]
        for model, length, queries in tqdm(plan, desc=device):
            work = operations(cases.CONFIGS[model], 5.0) * queries * length / 5.0
            for row in _against_plain(f"{model}: {length:.0f} s", device, cases.separation, model, length, queries):
                row |= {"queries": queries, "real time": length / row["time, s"]}
                rows.append(row | {"GFLOP/s": work / row["time, s"] / 1e9})
        for phase in ("phase1", "phase2"):
            rows += _against_plain(f"tiny: training step, {phase}", device, cases.training_step, phase)
    mode = cases.modes("cpu")[-1]
    mono = None
    for what, case in {"mono": (1, False), "stereo": (2, False), "stereo, consistent": (2, True)}.items():
        found = _alone(cases.channels, CHANNELS_S, *case, mode)
        mono = mono or found
        row = {"what": f"tiny: {CHANNELS_S:.0f} s, {what}", "device": "cpu", "mode": mode, "queries": 2}
        row |= {"time, s": found.seconds, "real time": CHANNELS_S / found.seconds, "peak, MB": found.peak_mb}
        rows.append(row | {"ratio": mono.seconds / found.seconds})
    for length in FILES_S:
        found = _alone(cases.file_to_file, length, mode)
        row = {"what": f"tiny: {length:.0f} s from file to file", "device": "cpu", "mode": mode, "queries": 1}
        rows.append(row | {"time, s": found.seconds, "real time": length / found.seconds, "peak, MB": found.peak_mb})
    cold = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, check=True).stdout
    rows.append({"what": "tiny: first estimate from a cold start", "time, s": float(cold)})
    return pd.DataFrame(rows, columns=COLUMNS).round(DIGITS)


def bench_page(table: pd.DataFrame) -> str:
    """The table of `bench` as a page: the command that made it, the computer, and what each column means."""
    if table["device"].nunique() == 1:
        table = table.drop(columns="device")
    for name, digits in {"queries": 0, **DIGITS}.items():
        table = table.assign(**{name: table[name].map(f"{{:.{digits}f}}".format, "ignore")})
    return page("bench.md", table=table)


def _against_plain(what: str, device: str, case: Callable[..., Measured], *arguments: Any) -> list[dict[str, Any]]:
    rows, plain = [], None
    for mode in cases.modes(device):
        found = _alone(case, *arguments, mode, device)
        plain = plain or found
        row = {"what": what, "device": device, "mode": mode, "time, s": found.seconds, "peak, MB": found.peak_mb}
        row |= {"ratio": plain.seconds / found.seconds}
        if mode != PLAIN and found.estimate is not None:
            error = np.linalg.norm(found.estimate - plain.estimate)
            row |= {"agreement, dB": 20 * np.log10(np.linalg.norm(plain.estimate) / error) if error else np.inf}
        rows.append(row)
    return rows


def _alone(function: Callable, *arguments: Any) -> Any:
    """The function's result, from a process that does nothing else and has as many threads as this one."""
    with ProcessPoolExecutor(1, get_context("spawn"), torch.set_num_threads, (torch.get_num_threads(),)) as process:
        return process.submit(function, *arguments).result()
