"""Floor 1: numbers and sound, no learning. Files, transforms, oracle masks and measures.

`lass_lab.signal.spectral` needs torch, which takes seconds to import: its names are fetched on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from lass_lab.signal.audio import (
    SAMPLE_RATE,
    AudioError,
    AudioInfo,
    AudioWarning,
    audio_info,
    checked_waveform,
    read_audio,
    read_blocks,
    write_audio,
)
from lass_lab.signal.audio_blocks import write_blocks
from lass_lab.signal.files import InputError, atomic_path
from lass_lab.signal.metrics import sdr, sdr_improvement, si_sdr, spectral_correlation, spectral_mse

if TYPE_CHECKING:
    from lass_lab.signal.spectral import (
        ideal_ratio_mask,
        istft,
        magnitude_phase,
        mel_spectrogram,
        oracle_estimate,
        phase_sensitive_mask,
        stft,
    )

__all__ = [
    "SAMPLE_RATE",
    "AudioError",
    "AudioInfo",
    "AudioWarning",
    "InputError",
    "atomic_path",
    "audio_info",
    "checked_waveform",
    "ideal_ratio_mask",
    "istft",
    "magnitude_phase",
    "mel_spectrogram",
    "oracle_estimate",
    "phase_sensitive_mask",
    "read_audio",
    "read_blocks",
    "sdr",
    "sdr_improvement",
    "si_sdr",
    "spectral_correlation",
    "spectral_mse",
    "stft",
    "write_audio",
    "write_blocks",
]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("lass_lab.signal.spectral"), name)
