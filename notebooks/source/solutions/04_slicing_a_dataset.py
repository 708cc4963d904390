# %% [markdown]
# # Solutions to 04 Slicing a dataset
#
# {{badge}}
#
# {{navigation}}
#
# One way to solve each exercise; yours may look different and pass the same check.

# %%
# {{bootstrap}}

# %% [markdown]
# ## Exercise 1: where is it heard?
#
# Samples cannot tell a tone of $f$ from one of $f - k r$ for any whole number $k$, where $r$ is the rate: between two
# samples they differ by $k$ whole turns. So take the nearest multiple off. What is left lies within half the rate, and
# a tone of $-f$ sounds like one of $f$: $|f - r \, \mathrm{round}(f / r)|$.

# %%
import numpy as np

from lass_lab.course.nb04.checks import check_heard_at


def heard_at(hertz, rate):
    return abs(hertz - rate * round(hertz / rate))


assert check_heard_at(heard_at)
{hertz: heard_at(hertz, 32_000) for hertz in (440, 16_000, 17_000, 22_050, 32_000, 47_000)}

# %% [markdown]
# The rising tone of notebook 04 ended at 22,050 Hz, and was heard at 9,950. A tone of exactly the rate is heard as no
# tone at all: every sample meets it at the same point of its period.
#
# ## Exercise 2: split by piece
#
# Put the pieces into a random order, and take one after the other until enough *slices* are in.

# %%
from lass_lab.course.nb04.checks import check_split


def split(pieces, share):
    owners = np.asarray(pieces)
    tested = np.zeros(len(owners), dtype=bool)
    for piece in np.random.default_rng(0).permutation(np.unique(owners)):
        if tested.mean() >= share:
            break
        tested |= owners == piece
    return tested


assert check_split(split)

# %% [markdown]
# The seed is fixed, so that the test pieces are the same tomorrow. `np.unique` sorts before the order is drawn, so
# that the result does not depend on the order in which files happened to be found. And the share is of slices: a share
# of the pieces tests on too much or too little where pieces are not equally long.
#
# `scikit-learn` calls this a `GroupShuffleSplit`: pieces are the groups. With recordings of one orchestra the groups
# may have to be larger still: the players, the hall, the day.
#
# ## Exercise 3: mix at a level
#
# The mixture minus the target is the other source, so the SDR is the ratio of their energies. Both are brought to one
# energy first; then the other one goes down by as many decibels as the target is to be above it.

# %%
from lass_lab.course.nb04.checks import check_mix


def mix(target, other, sdr_db):
    factor = np.sqrt(np.sum(target**2) / np.sum(other**2))
    return target + factor * 10 ** (-sdr_db / 20) * other


assert check_mix(mix)

# %% [markdown]
# Why 20 and not 10? Decibels count energies, and a factor on the samples is squared in the energy. The package's own
# `match_energy` does the same, with a limit to how much a faint sound may be amplified.
#
# ## Try: does the correlation find the softer copy?
#
# In logarithmic levels the volume is only a constant, and a correlation does not see constants. A transposed copy is
# harder. Beside both, the honest pair of slices that is most alike, in the whole piece:

# %%
import librosa

from lass_lab.datasets import load_piece
from lass_lab.signal import mel_spectrogram


def spectrum(sound):
    return np.log(mel_spectrogram(sound).mean(axis=0) + 1e-9)


# %%
piece = load_piece("greensleeves")
slices = [piece.slice(start).mixture for start in range(0, 170, 5)]
spectra = np.array([spectrum(sound) for sound in slices])
average = spectra.mean(axis=0)
correlation = np.corrcoef(spectra - average) - 2 * np.eye(len(slices))
print(f"two slices of the piece, at most: {correlation.max():.3f}")

# %%
copies = {"softer": 0.9 * slices[8], "a semitone up": librosa.effects.pitch_shift(slices[8], sr=32_000, n_steps=1)}
for name, sound in copies.items():
    print(f"{name}: {np.corrcoef(spectra[8] - average, spectrum(sound) - average)[0, 1]:.3f}")

# %% [markdown]
# The softer copy stands above every honest pair, so a threshold finds it. The transposed one lies far below: no
# threshold on average spectra tells it from relatives, and one would have to compare melodies, whatever their key. The
# surest protection is to know where recordings come from.
