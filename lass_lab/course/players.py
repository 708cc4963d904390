"""Sound in a notebook: small, equally loud players, embedded in the page so that they work offline."""

import base64
import html
import io
import math
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from lass_lab.signal import SAMPLE_RATE, InputError, checked_waveform

if TYPE_CHECKING:
    from IPython.display import HTML

LEVEL_DB = -23.0  # RMS, dB re full scale
MAX_BYTES = 300_000  # of HTML, a player

_PEAK = 10 ** (-1 / 20)  # MP3 decodes to peaks a little above those it was given
_MAX_GAIN_DB = 30.0  # a nearly silent estimate must stay a quiet one
_KBPS = (128, 96, 64)
_LAME_SCALE = 0.95  # what the encoder itself multiplies by at these rates


def player(waveform: np.ndarray, label: str, *, sample_rate: int = SAMPLE_RATE, show_gain: bool = False) -> "HTML":
    """A labelled audio player for one waveform.

    The level is matched to -23 dBFS RMS, so that two estimates are compared by ear for what they hold and not
    for their loudness. It is brought up by at most 30 dB and never so far that it clips. The sound travels in
    the page as MP3, which every browser plays, at 128 kbit/s or, where the sound is long, down to 64; what
    then does not fit in 300 kB is cut (after about 27 s), and the label says so.

    Args:
        waveform: real `(samples,)`.
        label: what is heard, in words.
        sample_rate: in Hz; one that MP3 knows (32,000, 44,100 or 48,000).
        show_gain: say in the label what gain was applied.

    Raises:
        InputError: not one-dimensional, empty, NaN or infinite, or a rate that MP3 lacks.
    """
    return players({label: waveform}, sample_rate=sample_rate, show_gain=show_gain)


def players(waveforms: dict[str, np.ndarray], *, sample_rate: int = SAMPLE_RATE, show_gain: bool = False) -> "HTML":
    """A row of labelled players, as `player`, all at one level.

    Where one of them could not reach -23 dBFS without clipping, all are that much quieter.

    Args:
        waveforms: label to real `(samples,)`.

    Raises:
        InputError: no waveforms, or as `player`.
    """
    from IPython.display import HTML  # a plain `import lass_lab.course` has no use for it

    if not waveforms:
        raise InputError("players: no waveforms were given")
    samples = {label: checked_waveform(waveform, label) for label, waveform in waveforms.items()}
    level_db = min(LEVEL_DB, *(_loudest_level_db(values) for values in samples.values()))
    figures = [_figure(values, label, level_db, sample_rate, show_gain) for label, values in samples.items()]
    return HTML(f'<div style="display:flex;flex-wrap:wrap;gap:1em">{"".join(figures)}</div>')


def _figure(samples: np.ndarray, label: str, level_db: float, sample_rate: int, show_gain: bool) -> str:
    rms = math.sqrt(np.mean(samples**2))
    gain_db = min(level_db - 20 * math.log10(rms), _MAX_GAIN_DB) if rms else 0.0
    notes = [] if rms else ["silent"]
    if show_gain and rms:
        notes.append(f"gain {gain_db:+.1f} dB")
    encoded, seconds = _encoded(samples * 10 ** (gain_db / 20), sample_rate, label)
    if seconds < len(samples) / sample_rate:
        notes.append(f"the first {seconds:.0f} s of {len(samples) / sample_rate:.0f} s")
    caption = html.escape(label + (f" ({', '.join(notes)})" if notes else ""))
    return (
        f'<figure style="margin:0"><figcaption>{caption}</figcaption>'
        f'<audio controls preload="metadata" aria-label="{caption}" src="data:audio/mpeg;base64,{encoded}">'
        "</audio></figure>"
    )


def _encoded(samples: np.ndarray, sample_rate: int, label: str) -> tuple[str, float]:
    """Base64 of the MP3 and how many seconds of the sound are in it."""
    room = (MAX_BYTES - 1000 - 2 * len(html.escape(label).encode())) * 3 // 4
    # The encoder adds a few frames of its own at both ends.
    seconds = [(room - 3000) * 8 / (1000 * kbps) for kbps in _KBPS]
    whole = len(samples) / sample_rate
    choice = next((index for index, limit in enumerate(seconds) if whole <= limit), len(_KBPS) - 1)
    kept = samples if whole <= seconds[choice] else samples[: int(seconds[choice]) * sample_rate]
    buffer = io.BytesIO()
    try:
        with soundfile.SoundFile(
            buffer,
            "w",
            sample_rate,
            1,
            "MPEG_LAYER_III",
            format="MP3",
            bitrate_mode="CONSTANT",
            compression_level=(320 - _KBPS[choice]) / 288,  # libsndfile's scale from 320 to 32 kbit/s
        ) as file:
            file.write(kept / _LAME_SCALE)
    except soundfile.LibsndfileError as error:
        raise InputError(f"{label}: cannot be made an MP3 at {sample_rate} Hz") from error
    return base64.b64encode(buffer.getvalue()).decode(), len(kept) / sample_rate


def _loudest_level_db(samples: np.ndarray) -> float:
    """The highest RMS level, in dB re full scale, at which the waveform does not clip."""
    peak = np.abs(samples).max()
    return 20 * math.log10(_PEAK * math.sqrt(np.mean((samples / peak) ** 2))) if peak else 0.0
