"""A set of sounds as one player: equally loud, embedded in the page so that it works offline and without a kernel."""

import base64
import html
import io
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import soundfile
from IPython.display import HTML
from PIL import Image

from lass_lab.course.plots import COLOUR_MAP, spectrogram_db, spectrogram_in_words
from lass_lab.signal import SAMPLE_RATE, InputError, amplitude, checked_waveform, decibels

LEVEL_DB = -23.0  # RMS, dB re full scale
MAX_BYTES = 300_000  # of HTML, a sound with its picture

_PEAK_DB = -1.0  # MP3 decodes to peaks a little above those it was given
_MAX_GAIN_DB = 30.0  # a nearly silent estimate must stay a quiet one
_KBPS = (128, 96, 64)
_LAME_SCALE = 0.95  # what the encoder itself multiplies by at these rates
_PICTURE_BYTES = 18_000
_COLUMNS, _ROWS = 640, 128  # of a picture, in pixels
_MAX_KHZ, _DB_RANGE = 8, 60


def players(waveforms: Mapping[str, np.ndarray], *, pictures: bool = True) -> HTML:
    """One player for a set of sounds, all at one level and on one clock.

    Whoever listens chooses between the sounds while they play, without a gap, and sees the spectrogram of the one that
    is heard. Where scripts are not run, each sound has a plain player of its own.

    The level is matched to -23 dBFS RMS, so that estimates are compared by what they hold and not by how loud they
    are. A sound is amplified by at most 30 dB; where one of them would clip, all are that much quieter. The sound is
    in the page as MP3, which every browser plays, at 128 kbit/s or, where it is long, down to 64; what then does not
    fit in 300 kB is cut (after about 25 s), and the label says so.

    Args:
        waveforms: label to real `(samples,)`, 32 kHz.
        pictures: leave the spectrograms out where they would tell what only the ear should.

    Raises:
        InputError: no waveforms, or one that is not one-dimensional, is empty, or holds NaN or infinite samples.
    """
    return HTML(player_html(waveforms, pictures=pictures) + player_script())


def player_html(waveforms: Mapping[str, np.ndarray], *, pictures: bool = True) -> str:
    """The same without the script: a page with many players needs that only once, after them (`player_script`)."""
    if not waveforms:
        raise InputError("players: no waveforms were given")
    samples = {label: checked_waveform(waveform, label) for label, waveform in waveforms.items()}
    level_db = min(LEVEL_DB, *(_loudest_level_db(values) for values in samples.values()))
    heard = {label: values * amplitude(_gain_db(values, level_db)) for label, values in samples.items()}
    room = MAX_BYTES - 1000 - 4 * max(len(html.escape(label).encode()) for label in heard)
    room = (room - (_PICTURE_BYTES if pictures else 0)) * 3 // 4
    sounds = {label: _mp3(values, room) for label, values in heard.items()}
    longest = max(seconds for _, seconds in sounds.values())
    shown = _pictures(heard, longest) if pictures else dict.fromkeys(heard, "")
    figures = [_figure(label, values, *sounds[label], shown[label]) for label, values in heard.items()]
    about = f'class="lass-player" data-seconds="{longest:.3f}" data-khz="{_MAX_KHZ}"'
    return f'<div {about} style="display:flex;flex-wrap:wrap;gap:1em">{"".join(figures)}</div>'


@cache
def player_script(*, hands: bool = False) -> str:
    """The script that makes one player of each set in a page, without its comments and indentation.

    Args:
        hands: with what serves figures to draw or click on, and files, as well (`lass_lab.course.players.hands`).
    """
    text = Path(__file__).with_name("player.js").read_text(encoding="utf-8")
    text = text if hands else text[: text.index("\n})();") + 6]
    lines = (re.sub(r"(^|\s)// .*", "", line).strip() for line in text.splitlines())
    return "<script>\n" + "\n".join(filter(None, lines)) + "\n</script>"


def _figure(label: str, samples: np.ndarray, sound: bytes, seconds: float, picture: str) -> str:
    notes = [] if samples.any() else ["silent"]
    if seconds < len(samples) / SAMPLE_RATE:
        notes.append(f"the first {seconds:.0f} s of {len(samples) / SAMPLE_RATE:.0f} s")
    caption = html.escape(label + (f" ({', '.join(notes)})" if notes else ""))
    return (
        f'<figure style="margin:0"><figcaption>{caption}</figcaption>{picture}<audio controls preload="metadata" '
        f'aria-label="{caption}" src="data:audio/mpeg;base64,{base64.b64encode(sound).decode()}"></audio></figure>'
    )


def _pictures(waveforms: Mapping[str, np.ndarray], seconds: float) -> dict[str, str]:
    """Label -> spectrogram as an image, all on one scale of time and one of colours."""
    size = round(seconds * SAMPLE_RATE)
    hop = min(320, max(64, size // _COLUMNS))
    found = {}
    for label, values in waveforms.items():
        whole = np.pad(values[:size], (0, max(size - len(values), 0)))
        found[label] = spectrogram_db(whole, hop=hop, max_khz=_MAX_KHZ, columns=_COLUMNS)
    top = max(levels.max() for levels, _, _ in found.values())
    return {label: _picture(*each, label, seconds, top) for label, each in found.items()}


def _picture(levels: np.ndarray, step: float, bin_khz: float, label: str, seconds: float, top: float) -> str:
    alt = html.escape(spectrogram_in_words(levels, step, bin_khz, label, seconds, _MAX_KHZ))
    rows = np.maximum.reduceat(levels, np.arange(0, levels.shape[1] - 1, levels.shape[1] // _ROWS), axis=1)
    colours = matplotlib.colormaps[COLOUR_MAP](np.clip((rows.T[::-1] - top) / _DB_RANGE + 1, 0, 1), bytes=True)
    image = Image.fromarray(colours[..., :3])
    for quality in (75, 50, 25, 5):  # noise takes the most
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=quality)
        if buffer.tell() * 4 / 3 + len(alt.encode()) + 200 <= _PICTURE_BYTES:
            break
    return (
        f'<img alt="{alt}" style="display:block;width:17rem;max-width:100%;height:4rem" '
        f'src="data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
    )


def _gain_db(samples: np.ndarray, level_db: float) -> float:
    return min(level_db - decibels(np.mean(samples**2)), _MAX_GAIN_DB)


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
