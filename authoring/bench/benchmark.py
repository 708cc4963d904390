"""Speed and memory, as ratios within one run on one machine: the only form in which they travel."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from authoring.bench import cases
from authoring.bench.cases import LARGE, PLAIN, TINY, Measured
from authoring.bench.training import training_step
from authoring.tables import markdown
from lass_lab.experiments.trainer import hardware

SLICE_S, FILE_S, HOUR_S, MINUTE_S = 5.0, 180.0, 3600.0, 60.0
COLUMNS = (
    "what", "device", "mode", "queries", "seconds", "real_time", "ratio", "agreement_db", "against_slices", "gflops",
    "share", "peak_mb", "threads",
)  # fmt: skip
DIGITS = {
    "seconds": 3, "real_time": 1, "ratio": 2, "agreement_db": 1, "against_slices": 2, "gflops": 0, "share": 2,
    "peak_mb": 0,
}  # fmt: skip
PHASES = ("phase1", "phase2")
IMPORT = "import time; began = time.perf_counter(); import lass_lab; print(time.perf_counter() - began)"
COLD = """if True:
    import time
    began = time.perf_counter()
    import numpy
    from lass_lab.models import load_separator
    load_separator("tiny").separate(numpy.ones(160_000, dtype="float32") / 10, "violin", progress=False)
    print(time.perf_counter() - began)
"""
HEADINGS = {
    "seconds": "time, s", "real_time": "real time", "agreement_db": "agreement, dB", "against_slices": "against slices",
    "gflops": "GFLOP/s", "peak_mb": "peak, MB",
}  # fmt: skip
PAGE = """# Speed and memory

Made by `{command}` on {day}: {hardware}. Every case ran alone, in a process of its own.

{table}

- time: median wall time; real time: length of the audio over it.
- ratio: time of the plain pass over this one's. The plain pass is float32 in PyTorch's own layout of memory, layer
  by layer; the rows below it are what `separate` does. Seconds are this computer's, ratios travel better.
- agreement: energy of the plain estimate over that of the difference to it.
- against slices: time over that of its 5 s slices one after the other.
- GFLOP/s: operations of the U-Net proper over the whole time; share: of the rate of a matrix product in that precision.
- peak: of the process's memory, PyTorch included; on a GPU, of the GPU's.
"""


def bench(
    seconds: float = FILE_S, hour: float = HOUR_S, models: tuple[str, ...] = (TINY, LARGE), progress: bool = True
) -> pd.DataFrame:
    """Measure separation, one training step of each phase, memory from file to file, and how long it takes to begin.

    Every case runs in a process of its own. Where there is a GPU, separation and training are measured there as well.

    Args:
        seconds: of the long file; 0 leaves it out.
        hour: of the recording that is separated from file to file, beside one of a minute; 0 leaves both out.
        models: "tiny", and AudioSep's network at its own size, with made weights.

    Returns:
        Columns what, device, mode ("float32, plain" is PyTorch's own layout of memory, with no bfloat16), queries,
        seconds (median wall time), real_time (audio over wall time), ratio (the plain mode of the same row, over this
        one's time), agreement_db (the plain estimate's energy over that of the difference to it), against_slices (the
        time over that of its slices laid end to end), gflops (GFLOP/s of the U-Net), share (of the rate of a matrix
        product in that precision, which has rows of its own), peak_mb (of the process or, on a GPU, of its memory),
        threads (of the CPU).
    """
    rows: list[dict[str, Any]] = []
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        rates = {mode: _alone(cases.matrix_rate, mode, device) for mode in cases.modes(device)}
        product = {"what": "product of two matrices", "device": device}
        rows += [product | {"mode": mode, "gflops": rate} for mode, rate in rates.items() if mode != PLAIN]
        plan = [(model, length, queries) for model in models for length in (SLICE_S, seconds) for queries in (1, 2)]
        for model, length, queries in tqdm([entry for entry in plan if entry[1]], disable=not progress, desc=device):
            rows += _separation(model, length, queries, device, rates, rows)
            if progress:
                tqdm.write(_told(rows[-1]), file=sys.stderr)
        for phase in tqdm(PHASES, disable=not progress, desc=f"{device}, training"):
            rows += _against_plain(f"tiny: training step, {phase}", device, training_step, phase)
    rows += _files(hour)
    rows.append({"what": "import lass_lab", "seconds": _printed(IMPORT)})
    rows.append({"what": "tiny: first estimate from a cold start", "seconds": _printed(COLD)})
    table = pd.DataFrame(rows, columns=list(COLUMNS)).assign(threads=torch.get_num_threads())
    return table.round(DIGITS)


def page(table: pd.DataFrame, command: str) -> str:
    """The table of `bench` as a page: the command that made it, the computer, and what each column means."""
    shown = table.drop(columns=["threads", *([] if table["device"].nunique() > 1 else ["device"])])
    heads = [HEADINGS.get(name, name) for name in shown.columns]
    cells = [[_cell(*pair) for pair in zip(shown.columns, row, strict=True)] for row in shown.itertuples(index=False)]
    told = {"command": command, "hardware": hardware(), "day": f"{date.today():%Y-%m-%d}"}
    return PAGE.format(**told, table=markdown(heads, cells))


def _cell(name: str, value: Any) -> str:
    if pd.isna(value):
        return ""
    return f"{value:.{DIGITS.get(name, 0)}f}" if isinstance(value, float) else str(value)


def _told(row: dict[str, Any]) -> str:
    queries = "1 query" if row["queries"] == 1 else f"{row['queries']} queries"
    return f"{row['what']}, {queries}, {row['mode']}: {row['seconds']:.2f} s, {row['ratio']:.2f} times as fast"


def _separation(
    model: str, length: float, queries: int, device: str, rates: dict[str, float], before: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    what = f"{model}: {'one slice' if length == SLICE_S else f'{length:.0f} s'}"
    rows = _against_plain(what, device, cases.separation, model, length, queries)
    work = cases.gflop(model, SLICE_S) * queries * length / SLICE_S
    for row in rows:
        row |= {"queries": queries, "real_time": length / row["seconds"], "gflops": work / row["seconds"]}
        row |= {"share": row["gflops"] / rates[row["mode"]]}
        slices = [
            old["seconds"] * length / SLICE_S
            for old in before
            if old["what"] == f"{model}: one slice"
            and (old["device"], old["mode"], old["queries"]) == (device, row["mode"], queries)
        ]
        row |= {"against_slices": row["seconds"] / slices[0]} if slices else {}
    return rows


def _against_plain(what: str, device: str, case: Callable[..., Measured], *arguments: Any) -> list[dict[str, Any]]:
    rows, plain = [], None
    for mode in cases.modes(device):
        found = _alone(case, *arguments, mode, device)
        plain = plain or found
        row = {"what": what, "device": device, "mode": mode, "seconds": found.seconds, "peak_mb": found.peak_mb}
        row |= {"ratio": plain.seconds / found.seconds}
        if mode != PLAIN and found.estimate is not None:
            row |= {"agreement_db": agreement_db(plain.estimate, found.estimate)}
        rows.append(row)
    return rows


def _files(hour: float) -> list[dict[str, Any]]:
    mode = cases.modes("cpu")[-1]
    rows = []
    for length in (MINUTE_S, hour) if hour else ():
        found = _alone(cases.file_to_file, length, mode)
        row = {"what": f"tiny: {length:.0f} s from file to file", "device": "cpu", "mode": mode, "queries": 1}
        row |= {"seconds": found.seconds, "real_time": length / found.seconds, "peak_mb": found.peak_mb}
        rows.append(row)
    return rows


def agreement_db(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Energy of the reference over that of the difference to it, in dB; infinite where there is none."""
    error = np.linalg.norm(estimate - reference)
    return float(20 * np.log10(np.linalg.norm(reference) / error)) if error else np.inf


def _alone(function: Callable, *arguments: Any) -> Any:
    """The function's result, from a process that does nothing else and has as many threads as this one."""
    with ProcessPoolExecutor(1, get_context("spawn"), torch.set_num_threads, (torch.get_num_threads(),)) as process:
        return process.submit(function, *arguments).result()


def _printed(code: str) -> float:
    """The number that a fresh interpreter prints."""
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
