# %% [markdown]
# # Solutions to 01 STFT and mel
#
# {{badge}}
#
# {{navigation}}
#
# One way to solve each exercise; yours may look different and pass the same check.

# %%
# {{bootstrap}}

# %% [markdown]
# ## Exercise 1: a window for the job
#
# A window of $n$ samples has bins $32000/n$ Hz apart. Two of them have to fit between the tones: $n$ is at least
# $2 \cdot 32000$ over the distance, and the next power of two is found by doubling.

# %%
from lass_lab.course.nb01.checks import check_window


def window_for(apart_hz):
    window = 2
    while 2 * 32_000 / window > apart_hz:
        window *= 2
    return window


assert check_window(window_for)
{apart_hz: window_for(apart_hz) for apart_hz in (10, 26, 100, 440)}

# %% [markdown]
# A semitone at concert pitch, 26 Hz, takes a window of 128 ms; ten hertz take a quarter of a second. Why two bins?
# The spectrum of Hann's window is a hill two bins wide to either side, so at two bins each tone is just out of the
# other's peak. How deep is the valley between them, one bin apart and two?

# %%
from lass_lab.course.nb01.checks import valley_db

{f"{bins} bins apart": f"{valley_db(bins * 32_000 / 2048, 2048):.1f} dB" for bins in (1, 1.5, 2, 3)}

# %% [markdown]
# At one bin there is no valley at all; at two its floor has half the power of its rims (3 dB), enough to see.
#
# ## Exercise 2: swap the phase
#
# Magnitudes come from `np.abs`, angles from `np.angle`, and $e^{i \cdot \text{angle}}$ is the number of length one that
# points in that direction.

# %%
import numpy as np

from lass_lab.course.nb01.checks import check_swap
from lass_lab.signal import istft, stft


def swap(first, second):
    direction = np.exp(1j * np.angle(stft(second)))
    return istft(np.abs(stft(first)) * direction, len(first))


assert check_swap(swap)

# %% [markdown]
# No sound has the spectrogram that we put together: its overlapping windows contradict each other. `istft` gives the
# sound whose STFT is closest to it, so the magnitudes of the result are only near the first sound's. How near?

# %%
from lass_lab.datasets import load_piece

violin, trumpet = load_piece("greensleeves").slice(10, 5).sources.values()
wanted, got = np.abs(stft(violin)), np.abs(stft(swap(violin, trumpet)))
print(f"error of the magnitudes: {20 * np.log10(np.linalg.norm(got - wanted) / np.linalg.norm(wanted)):.1f} dB")

# %% [markdown]
# Not very: -6 dB would be an error half as large as the magnitudes. Phases of another sound make neighbouring frames
# cancel each other, and that is the roughness you hear.
#
# ## Exercise 3: a mel filter bank
#
# Equal steps in mel become edges in hertz, each a little farther from the last than the one before. A triangle is the
# smaller of its rising and its falling side, and 0 where that would be negative.

# %%
from lass_lab.course.nb01.checks import check_mel


def mel_filters(hertz, bands, low_hz, high_hz):
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (low_hz, high_hz))
    edges = 700 * (10 ** (np.linspace(low, high, bands + 2) / 2595) - 1)
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (hertz[:, None] - left) / (centre - left)
    falling = (right - hertz[:, None]) / (right - centre)
    return np.maximum(0, np.minimum(rising, falling))


assert check_mel(mel_filters)

# %% [markdown]
# ## Exercise 4: what a binary mask brings
#
# The rest of the mixture is the mixture without the target, so its spectrum is the difference of the two. The mask
# multiplies the mixture's *complex* spectrum, whose phase the estimate keeps.

# %%
from lass_lab.course.nb01.checks import check_gain
from lass_lab.signal import sdr_improvement


def binary_gain(mixture, target):
    spectrum, wanted = stft(mixture), stft(target)
    mask = np.abs(wanted) > np.abs(spectrum - wanted)
    estimate = istft(mask * spectrum, len(mixture))
    return sdr_improvement(target, estimate, mixture)


assert check_gain(binary_gain)
print(f"the trumpet of notebook 01: {binary_gain(violin + trumpet, trumpet):+.1f} dB")

# %% [markdown]
# `sdr` alone would also count what the mixture has for nothing: add a quieter violin and the SDR rises, though the mask
# has done less. The improvement is what the mask itself has earned.
