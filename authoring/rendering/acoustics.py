"""Where a sound is heard: a room, a microphone and its noise, so that no source is as clean as a sampler's."""

import numpy as np
from scipy.signal import butter, fftconvolve, oaconvolve, sosfilt

from lass_lab.datasets.augmentation import equalise
from lass_lab.signal.audio import SAMPLE_RATE, amplitude

FIRST_WALL_S = 0.003  # sound needs a few milliseconds to the nearest wall and back


def record(waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sound as one microphone in one room takes it: `(samples,)` -> `(samples,)` float32 at 32 kHz.

    Each by chance: the room's echo, the microphone's response, a band as narrow as a telephone's or an old recording's
    (limits between 3 and 12 kHz, and up to 200 Hz), and a noise floor 40 to 75 dB below the sound.
    """
    sound = waveform.astype(np.float32)
    if rng.random() < 0.7:
        echo = room_response(rng, rt60=rng.uniform(0.15, 1.1))
        wet = oaconvolve(sound, echo)[: len(sound)]
        sound = sound + amplitude(rng.uniform(-24, -4)) * wet
    if rng.random() < 0.7:
        sound = equalise(sound.astype(np.float32), rng)
    if rng.random() < 0.2:
        sound = _filtered(sound, "lowpass", np.exp(rng.uniform(np.log(3000), np.log(12_000))))
    if rng.random() < 0.3:
        sound = _filtered(sound, "highpass", np.exp(rng.uniform(np.log(30), np.log(200))))
    if rng.random() < 0.5:
        noise = _filtered(rng.standard_normal(len(sound)), "lowpass", rng.uniform(500, 10_000))
        size = np.sqrt(np.mean(np.square(sound)) / np.mean(np.square(noise)))
        sound = sound + amplitude(rng.uniform(-75, -40)) * size * noise
    return np.asarray(sound, np.float32)


def add_room(waveform: np.ndarray, rng: np.random.Generator, *, rt60: float, wet_db: float) -> np.ndarray:
    """A little room: decaying noise, which rings `rt60` seconds to -60 dB, as the impulse response.

    (samples,) -> (samples,) float32. `wet_db` is the energy of the echo against the direct sound, which stays
    as it was.
    """
    time = np.arange(round(rt60 * SAMPLE_RATE)) / SAMPLE_RATE
    response = rng.standard_normal(len(time)) * 10 ** (-3 * time / rt60)
    response[: round(0.004 * SAMPLE_RATE)] = 0  # sound needs a few milliseconds to the nearest wall and back
    response *= 10 ** (wet_db / 20) / np.sqrt(np.sum(response**2))
    return (waveform + fftconvolve(waveform, response)[: len(waveform)]).astype(np.float32)


def room_response(rng: np.random.Generator, *, rt60: float) -> np.ndarray:
    """A simulated room's impulse response without the direct sound, `(samples,)`, of energy 1.

    A few early reflections, then noise that rings `rt60` seconds to -60 dB, its treble half as long, as walls and air
    take more of it.
    """
    time = np.arange(round(rt60 * SAMPLE_RATE)) / SAMPLE_RATE
    noise = rng.standard_normal(len(time))
    low = _filtered(noise, "lowpass", rng.uniform(1500, 5000))
    tail = low * 10 ** (-3 * time / rt60) + (noise - low) * 10 ** (-6 * time / rt60)
    tail[: round(FIRST_WALL_S * SAMPLE_RATE)] = 0
    for delay in rng.uniform(FIRST_WALL_S, 0.04, size=6):
        tail[round(delay * SAMPLE_RATE)] += rng.choice((-1, 1)) * rng.uniform(2, 8) * FIRST_WALL_S / delay
    return tail / np.sqrt(np.sum(np.square(tail)))


def _filtered(sound: np.ndarray, kind: str, hertz: float) -> np.ndarray:
    return sosfilt(butter(4 if kind == "lowpass" else 2, hertz, kind, fs=SAMPLE_RATE, output="sos"), sound)
