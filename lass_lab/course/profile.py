"""How much of everything a run does: `ci`, `quick` or `full`.

Every size a notebook uses is set here, so that the same cells are a test, an evening on a laptop, or a long run on a
GPU. The environment variable LASS_LAB_PROFILE chooses.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from lass_lab.signal.files import InputError

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
    seconds: float | None = None
    training_minutes: float | None = None
    share: float = 1.0
    cell_timeout: int | None = None
    item_seconds: float = 1.26
    items: int = 16
    sample_rate: int = 12_000


_ci = Profile(
    "ci",
    epochs=(4, 1),
    study_epochs=1,
    pairs=3,
    contrastive_steps=12,
    sight_steps=3,
    seconds=10.0,
    cell_timeout=240,
    item_seconds=0.62,  # 32 frames: with one more, the U-Net pads them to 64
)
_quick = Profile(
    "quick",
    epochs=(30, 10),
    study_epochs=6,
    pairs=30,
    contrastive_steps=150,
    sight_steps=60,
    seconds=60.0,
    training_minutes=20.0,
    cell_timeout=1800,
)
# An item is a quarter of a slice: 75 times through all there is in phase 1, and 19 times in phase 2.
_full = Profile("full", epochs=(300, 75), study_epochs=40, pairs=100, contrastive_steps=800, sight_steps=400)
PROFILES = {profile.name: profile for profile in (_ci, _quick, _full)}


def current() -> Profile:
    """Return the profile that LASS_LAB_PROFILE names, `quick` where it is unset or empty.

    Raises:
        InputError: it names none of the three.
    """
    name = os.environ.get(VARIABLE, "").strip() or DEFAULT
    if name not in PROFILES:
        raise InputError(f"{VARIABLE}={name}: no such profile; choose one of {', '.join(PROFILES)}")
    return PROFILES[name]
