"""Floor 1: numbers and sound, no learning. Files, transforms, oracle masks and measures.

Names are fetched on first use, because `lass_lab.signal.spectral` needs torch, which takes seconds to import.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "audio": [
            "SAMPLE_RATE",
            "amplitude",
            "audio_info",
            "checked_waveform",
            "decibels",
            "read_audio",
            "read_blocks",
            "write_audio",
        ],
        "audio_blocks": ["beside", "write_blocks"],
        "files": ["AudioError", "AudioWarning", "DamageWarning", "InputError", "atomic_path"],
        "metrics": ["sdr", "sdr_improvement", "si_sdr", "spectral_correlation", "spectral_mse"],
        "spectral": [
            "ideal_ratio_mask",
            "istft",
            "mel_spectrogram",
            "oracle_estimate",
            "phase_sensitive_mask",
            "stft",
        ],
    },
)
