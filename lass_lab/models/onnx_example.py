"""Separate a recording with an exported network: NumPy, onnxruntime and soundfile, no PyTorch.

    python separate.py recording.wav violin violin.wav

The recording must be at 32 kHz; it is taken whole (cut long ones into pieces of ten seconds or so that overlap). Beside
this file lie network.onnx and conditions.json, which has the words that can be asked for.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile

HERE = Path(__file__).parent
SIZES = json.loads((HERE / "conditions.json").read_text(encoding="utf-8"))
N_FFT, HOP, COMPRESSION = SIZES["n_fft"], SIZES["hop"], SIZES["compression"]
WINDOW = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)  # Hann's, periodic


def stft(waveform):
    """`(channels, samples)` -> complex `(channels, frames, bins)`: frames centred on multiples of the hop."""
    padded = np.pad(waveform, ((0, 0), (N_FFT // 2, N_FFT // 2)), mode="reflect")
    starts = range(0, waveform.shape[1] // HOP * HOP + 1, HOP)
    return np.fft.rfft(np.stack([padded[:, start : start + N_FFT] for start in starts], 1) * WINDOW)


def istft(spectrum, samples):
    """The way back: windowed frames are added up, and divided by the sum of the squared windows."""
    frames = np.fft.irfft(spectrum) * WINDOW
    total = np.zeros((len(frames), samples + 2 * N_FFT))
    weight = np.zeros(samples + 2 * N_FFT)
    for number in range(frames.shape[1]):
        place = slice(number * HOP, number * HOP + N_FFT)
        total[:, place] += frames[:, number]
        weight[place] += WINDOW**2
    inside = slice(N_FFT // 2, N_FFT // 2 + samples)
    return total[:, inside] / np.maximum(weight[inside], 1e-11)


def seen(spectrum):
    """What the network sees of a spectrogram: `(1, 1, frames, bins)`, one picture of all channels."""
    magnitude = np.sqrt(np.mean(np.abs(spectrum) ** 2, axis=0))
    if COMPRESSION:  # shares of the level, of which each frame has its part by its energy, to a power
        energy = np.sum(magnitude**2, axis=1)
        level = np.sqrt(np.sum(energy**2) / max(np.sum(energy), 1e-20))
        magnitude = np.maximum(magnitude / max(level, 1e-20), 1e-5) ** COMPRESSION
    return np.maximum(magnitude, 1e-5)[None, None].astype(np.float32)


def mask(logits):
    """Mask logits `(1, 1 or 3, frames, bins)` -> complex mask: how much of each bin, and turned by how much."""
    scale = 0.5 + 0.5 * np.tanh(logits[0, 0] / 2)  # the sigmoid
    if len(logits[0]) == 1:
        return scale
    turn = np.tanh(logits[0, 1]) + 1j * np.tanh(logits[0, 2])
    return scale * turn / np.maximum(np.abs(turn), 1e-5)


def separate(waveform, query):
    """The estimate of what the query names, `(channels, samples)` as the recording, 32 kHz."""
    network = onnxruntime.InferenceSession(HERE / "network.onnx", providers=["CPUExecutionProvider"])
    condition = np.array([SIZES["conditions"][query]], np.float32)
    if waveform.shape[1] >= 8_000:  # an offset, or one that drifts, is no sound
        time = np.linspace(-1, 1, waveform.shape[1])
        slope = waveform @ time / (time @ time)
        waveform = waveform - waveform.mean(axis=1, keepdims=True) - slope[:, None] * time
    spectrum = stft(waveform)
    logits = network.run(None, {"seen": seen(spectrum), "condition": condition})[0]
    return istft(spectrum * mask(logits), waveform.shape[1])


if __name__ == "__main__":
    recording, asked, out = sys.argv[1:]
    samples, rate = soundfile.read(recording, always_2d=True)
    if rate != 32_000:
        sys.exit(f"{recording}: is at {rate} Hz, and the network hears 32000 Hz; resample it first")
    soundfile.write(out, separate(samples.T, asked).T, rate)
