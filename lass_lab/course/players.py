"""Sound in a notebook: small, equally loud players, embedded in the page so that they work offline."""

import base64
import html
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from lass_lab.signal import SAMPLE_RATE, InputError, amplitude, checked_waveform, decibels

if TYPE_CHECKING:
    from IPython.display import HTML

LEVEL_DB = -23.0  # RMS, dB re full scale
MAX_BYTES = 300_000  # of HTML, a player

_PEAK_DB = -1.0  # MP3 decodes to peaks a little above those it was given
_MAX_GAIN_DB = 30.0  # a nearly silent estimate must stay a quiet one
_KBPS = (128, 96, 64)
_LAME_SCALE = 0.95  # what the encoder itself multiplies by at these rates


def players(waveforms: Mapping[str, np.ndarray]) -> "HTML":
    """A row of labelled audio players, all at one level.

    The level is matched to -23 dBFS RMS, so that estimates are compared by what they hold and not by how loud they
    are. A sound is amplified by at most 30 dB; where one of them would clip, all are that much quieter. The sound is
    in the page as MP3, which every browser plays, at 128 kbit/s or, where it is long, down to 64; what then does not
    fit in 300 kB is cut (after about 27 s), and the label says so.

    Args:
        waveforms: label to real `(samples,)`, 32 kHz.

    Raises:
        InputError: no waveforms, or one that is not one-dimensional, is empty, or holds NaN or infinite samples.
    """
    from IPython.display import HTML  # the command line writes reports without it

    if not waveforms:
        raise InputError("players: no waveforms were given")
    samples = {label: checked_waveform(waveform, label) for label, waveform in waveforms.items()}
    level_db = min(LEVEL_DB, *(_loudest_level_db(values) for values in samples.values()))
    figures = [_player(values, label, level_db) for label, values in samples.items()]
    return HTML(f'<div style="display:flex;flex-wrap:wrap;gap:1em">{"".join(figures)}</div>')


def _player(samples: np.ndarray, label: str, level_db: float) -> str:
    gain_db = min(level_db - decibels(np.mean(samples**2)), _MAX_GAIN_DB)
    room = (MAX_BYTES - 1000 - 2 * len(html.escape(label).encode())) * 3 // 4
    sound, seconds = _mp3(samples * amplitude(gain_db), room)
    notes = [] if samples.any() else ["silent"]
    if seconds < len(samples) / SAMPLE_RATE:
        notes.append(f"the first {seconds:.0f} s of {len(samples) / SAMPLE_RATE:.0f} s")
    caption = html.escape(label + (f" ({', '.join(notes)})" if notes else ""))
    return (
        f'<figure style="margin:0"><figcaption>{caption}</figcaption><audio controls preload="metadata" '
        f'aria-label="{caption}" src="data:audio/mpeg;base64,{base64.b64encode(sound).decode()}"></audio></figure>'
    )


def _mp3(samples: np.ndarray, room: int) -> tuple[bytes, float]:
    """An MP3 of at most `room` bytes, and how many seconds of the sound it holds."""
    whole = len(samples) / SAMPLE_RATE
    longest = {kbps: (room - 3000) * 8 / (1000 * kbps) for kbps in _KBPS}  # the encoder adds a few frames at both ends
    kbps = next((kbps for kbps, seconds in longest.items() if whole <= seconds), _KBPS[-1])
    kept = samples if whole <= longest[kbps] else samples[: int(longest[kbps]) * SAMPLE_RATE]
    buffer = io.BytesIO()
    soundfile.write(
        buffer,
        kept / _LAME_SCALE,
        SAMPLE_RATE,
        "MPEG_LAYER_III",
        format="MP3",
        bitrate_mode="CONSTANT",
        compression_level=(320 - kbps) / 288,  # libsndfile's scale from 320 to 32 kbit/s
    )
    return buffer.getvalue(), len(kept) / SAMPLE_RATE


def _loudest_level_db(samples: np.ndarray) -> float:
    """The highest RMS level, in dB re full scale, at which the waveform does not clip."""
    peak = np.abs(samples).max()
    return _PEAK_DB + decibels(np.mean((samples / peak) ** 2)) if peak else 0.0
