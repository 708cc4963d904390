# %% [markdown]
# # 01 STFT and mel: how sound becomes a picture, and back
#
# {{badge}}
#
# You will see a sound, take it apart into magnitude and phase, put it back together without loss, and find out how
# well any mask at all can separate a duet.
#
# **You will**
# - build a short-time Fourier transform (STFT) by hand, and choose its window and hop;
# - hear what magnitude and phase each carry, by swapping them between two instruments;
# - squeeze a spectrogram into mel bands, and say what is lost;
# - measure the ceiling of masks, the yardstick for every separator in this course, and paint a mask yourself.
#
# {{time}}
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## Part 1: see a sound
#
# What is a recording to a computer? A row of numbers, 32,000 a second. We take five seconds of one of the training
# duets, the violin and the trumpet each by itself, and look very closely: at 25 thousandths of a second.

# %%
from IPython.display import display

from lass_lab.course.nb01.plots import show_waveforms
from lass_lab.course.players import players
from lass_lab.course.plots import figure_html
from lass_lab.datasets import load_piece

piece = load_piece("greensleeves")
excerpt = piece.slice(10, 5)
violin, trumpet, rate = excerpt.sources["violin"], excerpt.sources["trumpet"], excerpt.sample_rate
start = round(3.7 * rate)
moment = {name: source[start : start + rate // 40] for name, source in excerpt.sources.items()}
display(players({"violin": violin, "trumpet": trumpet}))
figure_html(show_waveforms(moment), "25 ms of each instrument, 3.7 s into the excerpt.")

# %% [markdown]
# Each note repeats a shape; the faster it repeats, the higher the pitch. The shape itself is the instrument. Which
# of the two plays the higher note here? Counting is tedious, and in the mixture hopeless. We need another view.
#
# ### One window
#
# Which pitches sound at one moment? Cut out 2,048 samples, fade them in and out with a *window*, and let the
# Fourier transform say how much of each frequency is in them.

# %%
import numpy as np

from lass_lab.course.nb01.plots import show_curves

n_fft = 2048
window = np.hanning(n_fft + 1)[:-1]  # Hann's window: a smooth hill from 0 to 1 and back
hertz, levels = np.arange(n_fft // 2 + 1) * rate / n_fft, {}
for name, source in excerpt.sources.items():
    magnitude = np.abs(np.fft.rfft(window * source[start : start + n_fft]))
    levels[name] = 20 * np.log10(magnitude / (n_fft / 4))  # a sine as loud as can be is 0 dBFS
    print(f"{name}: strongest near {hertz[magnitude.argmax()]:.0f} Hz")
ax = show_curves(hertz / 1000, levels, xlabel="frequency (kHz)", ylabel="level (dBFS)", title="one window")
ax.set(xlim=(0, 6), ylim=(-90, 0))
figure_html(ax, f"The spectrum of one window of {1000 * n_fft / rate:.0f} ms, in bins {rate / n_fft:.1f} Hz apart.")

# %% [markdown]
# Each instrument is a comb: the spacing of its teeth, the *harmonics*, is the pitch, and their heights are the tone
# colour. The strongest tooth need not be the first one: compare the printed numbers with where each comb begins.
# Where the two combs miss each other, a separator has an easy life.
#
# ### Many windows
#
# Music moves on. What if we slide the window along, 320 samples at a time, and set the spectra side by side? That
# is all the STFT is. Is our version the one that the package uses?

# %%
from lass_lab.course.plots import show_spectrogram
from lass_lab.signal import istft, spectral_correlation, stft

hop = 320
padded = np.pad(violin, n_fft // 2, mode="reflect")  # so that the first window is centred on the first sample
frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
by_hand = np.fft.rfft(window * frames)
spectrum = stft(violin, n_fft, hop)
print(f"{len(violin):,} samples -> {spectrum.shape[0]} frames of {spectrum.shape[1]} bins")
print(f"largest difference: {np.abs(by_hand - spectrum).max() / np.abs(spectrum).max():.0e} of the loudest bin")
ax = show_spectrogram(violin, n_fft=n_fft, hop=hop, title="violin", max_khz=4, db_range=60)
figure_html(ax, "The violin's spectrogram: each column is one window, as in the figure before.")

# %% [markdown]
# The difference is rounding; four lines of NumPy are the transform that feeds every network in this course.
# Wavy lines are vibrato: can you say at which moments the player changes the note?
#
# ### Window and hop
#
# Why 2,048 samples? A window of $n$ samples gives bins $32000/n$ Hz apart, so a long one tells close pitches apart;
# but whatever happens inside one window is blurred over all of it. To see both sides at once, here is a sound made
# for the purpose: two tones a semitone apart, and two clicks 25 ms apart. Guess first: through which of the three
# windows below do you see two clicks, and through which two tones?

# %%
from lass_lab.course.nb01.explorer import spectrogram_explorer

seconds = np.arange(round(1.5 * rate)) / rate
probe = 0.1 * np.sin(2 * np.pi * 440 * seconds) + 0.1 * np.sin(2 * np.pi * 466.16 * seconds)
probe[[24_000, 24_800]] += 0.9
sounds = {"two tones and two clicks": probe, "violin": violin, "trumpet": trumpet, "mixture": excerpt.mixture}
spectrogram_explorer(sounds)

# %% [markdown]
# The short window shows two clicks and one throbbing band; the long one shows two lines and one wide smear; the
# middle one does neither well. No window wins, and none can: sharpness in time is paid for in frequency.
#
# In the sliders, try the violin: which window shows its vibrato best, as waves, and from which on does that turn
# into a ribbon? The **hop** adds no sharpness, only more columns; the caption says how many numbers that costs and
# whether the sound can still be had back. The slider *rows* belongs to part 3.
#
# ### Exercise 1: a window for the job
#
# Rule of thumb for Hann's window: two tones look like two when they are at least **two bins** apart. Write a
# function that takes their distance in hertz and returns the shortest sufficient window, in samples, as a power of
# two. The check tries your windows on real tones.

# %%
from lass_lab.course.nb01.checks import check_window


def window_for(apart_hz): ...  # your code here


check_window(window_for)

# %% [markdown]
# ## Part 2: take it apart, put it back
#
# Every bin is a complex number: a *magnitude*, how strong, and a *phase*, where in its swing the wave is. The picture
# shows the magnitude alone. Taken apart and put together again, how much of the violin survives?

# %%
magnitude, phase = np.abs(spectrum), np.angle(spectrum)
again = istft(magnitude * np.exp(1j * phase), len(violin), hop)
error = again - violin
error_db = 20 * np.log10(np.sqrt(np.mean(error**2) / np.mean(violin**2)))
print(f"largest error: {np.abs(error).max():.1e}; one step of a 16-bit file: {2**-15:.1e}")
print(f"energy of the error: {error_db:.0f} dB against the violin's")
players({"violin": violin, "taken apart and put together": again})

# %% [markdown]
# The error is far below what a 16-bit file rounds away: nothing is lost. The inverse adds up the overlapping windows
# and divides by what they add up to, which works as long as the hop is small enough for them to overlap.
#
# So a network may work on the picture and we can always come back to sound, if we have *both* halves.
#
# ### Exercise 2: swap the phase
#
# Which of the two makes a violin a violin? Write a function that takes the magnitudes of its first sound and the
# phases of its second, and returns the waveform. Leave `stft` and `istft` at their own window and hop.

# %%
from lass_lab.course.nb01.checks import check_swap


def swap(first, second): ...  # your code here


check_swap(swap)

# %% [markdown]
# ### By ear
#
# Here is one way to write it, with window and hop to choose. Before you listen: will the violin's magnitudes with
# the trumpet's phases sound like the violin, like the trumpet, or like neither?

# %%
import pandas as pd


def hybrid(first, second, n_fft=2048, hop=320):
    turn = np.exp(1j * np.angle(stft(second, n_fft, hop)))
    return istft(np.abs(stft(first, n_fft, hop)) * turn, len(first), hop)


noise = np.random.default_rng(0).normal(size=len(violin))
donors = {"its own": violin, "the trumpet's": trumpet, "noise's": noise}
heard = {f"violin's magnitudes, {name} phases": hybrid(violin, donor) for name, donor in donors.items()}
likeness = {label: [spectral_correlation(s, sound) for s in (violin, trumpet)] for label, sound in heard.items()}
display(pd.DataFrame(likeness, ["like the violin", "like the trumpet"]).T.round(2))
players(heard)

# %% [markdown]
# Read down the first column: even with random phases it stays a violin, roughened and washed out, because the phases
# no longer fit together from frame to frame. Through this window the magnitude says *what* sounds, and the phase
# keeps it clean. That is why separators mostly predict magnitudes, and why the mixture's phase is good
# enough to start from.
#
# Is that a law of sound, or of our window? We swap again, through windows from short to long.

# %%
windows = [64, 128, 256, 512, 1024, 2048, 4096]
mixed = [hybrid(violin, trumpet, n, n // 4) for n in windows]
parts = {"like the violin (magnitudes)": violin, "like the trumpet (phases)": trumpet}
alike = {name: [spectral_correlation(source, sound) for sound in mixed] for name, source in parts.items()}
for name, values in alike.items():
    print(f"{name}: {values[0]:.2f} at {windows[0]} samples, {values[-2]:.2f} at {windows[-2]}")
milliseconds = [1000 * n / rate for n in windows]
ax = show_curves(milliseconds, alike, xlabel="window (ms)", ylabel="spectral correlation", log_x=True)
display(figure_html(ax, "Violin's magnitudes, trumpet's phases: whom the result is like, window by window."))
players({f"swapped, window {windows[i]}": mixed[i] for i in (0, -2)})

# %% [markdown]
# Where the lines cross, the roles change. Through a window of 2 ms, about one swing of the violin's note, a
# magnitude is hardly more than the momentary loudness, and the pitch is in how the phase moves. "Phase does not
# matter" is a statement about long windows.
#
# ## Part 3: fewer rows
#
# A frame has 1,025 bins, and the ear does not treat them alike: it tells 200 from 220 Hz at once, 8,000 from 8,020
# never. The *mel* scale has equal steps where we hear equal steps. Adding up the bins in each step gives a *mel
# spectrogram*. What do 64 mel bands keep of the trumpet?

# %%
import matplotlib.pyplot as plt

from lass_lab.course.nb01.plots import show_mel_spectrogram
from lass_lab.signal import mel_spectrogram

figure, axes = plt.subplots(1, 2, figsize=(11.2, 3.2), layout="constrained")
show_spectrogram(trumpet, axes[0], title="trumpet, all bins", max_khz=16, db_range=60)
show_mel_spectrogram(trumpet, axes[1], title="trumpet, 64 mel bands", bands=64, max_khz=16)
rows = {"STFT": stft(trumpet).shape[-1], "mel": mel_spectrogram(trumpet, 64).shape[-1]}
print(f"numbers a frame: {rows}, {rows['STFT'] / rows['mel']:.0f} times fewer")
figure_html(figure, "The same trumpet in bins 16 Hz apart, and in mel bands: the low harmonics get most of the room.")

# %% [markdown]
# The melody stands out and the picture is a sixteenth of the size: just right for *recognising* a sound, and the
# input of the networks in notebook 02 that compare sounds with words. But there is no way back. The phase is gone,
# and many spectra have the same band sums. Separation therefore works on the STFT.
#
# ### Violin beside trumpet
#
# What tells the two instruments apart when the melody is taken away? We average over more of the piece, so that single
# notes no longer matter, and ask for the *centroid*: the frequency about which the energy is balanced.

# %%
import librosa

from lass_lab.course.profile import current

khz = librosa.mel_frequencies(66, fmin=50, fmax=rate / 2)[1:-1] / 1000
average = {}
for name, source in piece.sources.items():
    source = current().cut(source)
    bands, power = mel_spectrogram(source, 64).mean(axis=0), np.square(np.abs(stft(source))).mean(axis=0)
    average[name] = 10 * np.log10(bands / bands.max())
    print(f"{name}: centroid {(hertz * power).sum() / power.sum():.0f} Hz")
ax = show_curves(khz, average, xlabel="frequency (kHz)", ylabel="level (dB re loudest)", log_x=True)
figure_html(ax, f"Average level of {len(source) / rate:.0f} s of each instrument in 64 mel bands.")

# %% [markdown]
# The higher centroid is the brighter sound. Below the lowest notes both fall silent; further up each has a slope and
# hills of its own, from the body of the violin or the bell of the trumpet, which stay in place whatever the melody
# does. A query such as *violin* has to mean such a shape, and how the notes begin and sway.
#
# ### Do they collide?
#
# In the mixture, how much of the energy lies in bins where one instrument is clearly in charge, ten times as strong
# as the other?

# %%
V, T, Y = stft(violin), stft(trumpet), stft(excerpt.mixture)
ratio_db = 20 * np.log10((np.abs(V) + 1e-9) / (np.abs(T) + 1e-9))
energy = np.square(np.abs(Y))
shares = {"the violin": ratio_db > 10, "the trumpet": ratio_db < -10, "neither": np.abs(ratio_db) <= 10}
for name, where in shares.items():
    print(f"{name} in charge: {energy[where].sum() / energy.sum():6.1%} of the energy, {where.mean():6.1%} of the bins")

# %% [markdown]
# Two sounds that are mixed completely in time hardly meet in this picture: *neither* is the share where they really
# collide. Everything else can be sorted, bin by bin, and sorting bins is what a mask does.
#
# ## Part 4: the ceiling of masks
#
# A *mask* is a factor for every bin of the mixture. Suppose an *oracle* told us the true sources: which factors would
# we choose? The *ideal ratio mask* keeps the target's share. What does it look like, and how does it sound?

# %%
from lass_lab.course.nb01.plots import show_mask
from lass_lab.signal import ideal_ratio_mask, sdr

mask = ideal_ratio_mask(T, V)
through = istft(mask * Y, len(trumpet))
before, after = sdr(trumpet, excerpt.mixture), sdr(trumpet, through)
print(f"SDR against the true trumpet: the mixture {before:.1f} dB, masked {after:.1f} dB")
ax = show_mask(mask, hop=hop, title="ideal ratio mask for the trumpet")
display(figure_html(ax, "Which share of the mixture the ideal ratio mask keeps: yellow all, dark blue nothing."))
players({"mixture": excerpt.mixture, "through the ideal mask": through, "the true trumpet": trumpet})

# %% [markdown]
# Almost perfect to the ear, and still an SDR of finite size: where both sound in one bin, the mixture's phase
# belongs to neither, and a share of it is not what the trumpet played. (SDR, the *signal-to-distortion ratio*, is the
# target's energy over the error's.)
#
# How high can masks go? Four oracles, from strict to free:
#
# - **binary**: 1 where the target is the louder one, otherwise 0;
# - **ratio**: the target's share, as above;
# - **phase-sensitive**: the best factor from 0 to 1, bin by bin;
# - **with phase**: a complex factor that may turn the phase as well, still without amplifying.

# %%
from lass_lab.signal import phase_sensitive_mask


def ideal_masks(Y, S):
    turn = S / np.where(Y == 0, 1, Y)
    return {
        "binary mask": np.abs(S) > np.abs(Y - S),
        "ratio mask": ideal_ratio_mask(S, Y - S),
        "phase-sensitive mask": phase_sensitive_mask(S, Y),
        "mask with phase": turn / np.maximum(np.abs(turn), 1),
    }


players({kind: istft(mask * Y, len(trumpet)) for kind, mask in ideal_masks(Y, T).items()})

# %% [markdown]
# Can you hear a difference? Numbers can. From here on we measure on the test duet, as every model of this course is
# measured, and let the separator take part: it sees the mixture and one word, the oracles see the answer.

# %%
from lass_lab.datasets import list_pieces
from lass_lab.models import load_separator

separator, test = load_separator("tiny"), load_piece(list_pieces("test")[0])
mixture = current().cut(test.mixture)
estimates = separator.separate(mixture, list(test.sources), progress=True)
print(f"{test.title}: {len(mixture) / rate:.0f} s, separated by the words {' and '.join(test.sources)}")

# %%
from lass_lab.course.plots import show_metric_bars

rows, heard = [], stft(mixture)
for (name, source), estimate in zip(test.sources.items(), estimates, strict=True):
    source = source[: len(mixture)]
    masks = ideal_masks(heard, stft(source))
    sounds = {"mixture": mixture, "tiny model": estimate}
    sounds |= {kind: istft(mask * heard, len(mixture)) for kind, mask in masks.items()}
    rows += [(kind, name, "SDR", sdr(source, sound)) for kind, sound in sounds.items()]
ceilings = pd.DataFrame(rows, columns=["separator", "query", "metric", "value"])
ax = show_metric_bars(ceilings)
figure_html(ax, f"Four ideal masks beside the mixture and the model; {len(mixture) / rate:.0f} s of the test duet.")

# %% [markdown]
# From left to right: what you have for nothing, what the model reaches, and what masks can reach at best. No network
# that only takes away can be expected above *phase-sensitive*, which is best in every single bin (that frames overlap
# leaves a little room): this is the ceiling. The binary mask, for all its hard edges, scores above the soft ratio
# mask; compare with what you heard, and remember that SDR is not an ear.
#
# Turning the phase as well raises the ceiling by a lot, which is why AudioSep's mask has two channels more. A mask
# that may be *any* complex number reaches everything: it is the target divided by the mixture. The distance from the
# model to the ceiling is what training can still win; none of it is the fault of masks.
#
# ### Is 2,048 the right window?
#
# The ceiling depends on how well the picture keeps the two instruments apart, and that was a matter of the window.
# Which window has the highest ceiling?

# %%
from lass_lab.signal import oracle_estimate

windows, heard = [256, 512, 1024, 2048, 4096, 8192, 16384], test.mixture[: 10 * rate]
ceiling = {}
for name, source in test.sources.items():
    wanted = source[: 10 * rate]
    ceiling[name] = [sdr(wanted, oracle_estimate(heard, wanted, "psm", n, n // 4)) for n in windows]
    best = int(np.argmax(ceiling[name]))
    print(f"{name}: highest at {windows[best]}, {ceiling[name][best]:.1f} dB; at 2048 {ceiling[name][3]:.1f} dB")
ax = show_curves([1000 * n / rate for n in windows], ceiling, xlabel="window (ms)", ylabel="SDR (dB)", log_x=True)
figure_html(ax, "The trade-off in decibels: ceiling of the phase-sensitive mask, ten seconds of the test duet.")

# %% [markdown]
# A hill: short windows let harmonics run into each other, long ones let notes run into the next. Its top belongs to
# this music, two melodies with a few notes a second; for drums it would lie further left. AudioSep, made for all
# sounds, takes 2,048.
#
# ### Exercise 3: what a binary mask brings
#
# Write a function that takes a mixture and its target, makes the ideal *binary* mask, applies it, and returns the
# *improvement* of the SDR over the mixture, in dB. `stft`, `istft` and `sdr_improvement` are all you need.

# %%
from lass_lab.course.nb01.checks import check_gain
from lass_lab.signal import sdr_improvement  # noqa: F401  (you will need it)


def binary_gain(mixture, target): ...  # your code here


check_gain(binary_gain)

# %% [markdown]
# ## Paint a mask
#
# The model was never taught the trumpet. Can you do better, with a few boxes? Set *harmonics*, by which a box is
# repeated at the multiples of its pitch, and draw a box around one of the violin's notes with the mouse; or place it
# with the first two sliders, and *cut* it out. One note is gone already: the score to beat stands below the picture,
# beside the model's.

# %%
from lass_lab.course.nb01.painting import Box, mask_painter

by_model = separator.separate(excerpt.mixture, "trumpet", progress=False)
one_note = Box(2.55, 4.65, 605, 650, harmonics=10)
mask_painter(excerpt.mixture, trumpet, by_model, [one_note], name="trumpet")

# %% [markdown]
# Look at who wins, and note the score of silence: it is 0 dB, always, and an estimate below that is worse than
# nothing. Three more notes are left to cut. You use what you know, that notes have harmonics at multiples; a network
# has to learn this from examples, and then decides about a thousand bins a frame.
#
# ## What we take along
#
# The ceilings go into the ledger, so that every later score has something to be read against.

# %%
from lass_lab.course import ledger

ledger.record("01_stft_and_mel", "STFT and back, energy of the error", error_db, "dB")
for kind, name, _, value in ceilings.itertuples(index=False):
    if kind in ("phase-sensitive mask", "mask with phase"):
        ledger.record("01_stft_and_mel", f"{name}, SDR of the ideal {kind}", value, "dB")
ledger.read("01_stft_and_mel")[["name", "value", "unit", "profile"]].round(2)

# %% [markdown]
# - A spectrogram is many short spectra; the window trades sharpness in time for sharpness in frequency.
# - Magnitude and phase together are the sound. Through long windows the magnitude says what it is.
# - Mel bands are for recognising, the STFT is for separating.
# - A violin and a trumpet hardly collide in the picture, so masks can separate them, up to a ceiling we now know.
#
# **Try:** in part 4, measure the ceiling through a hop of `n // 3` and of `n // 16`: does it care about the hop? And
# paint the violin in place of the trumpet (three words change): is it the easier one?
#
# The answers to the exercises are in [the solutions](solutions/01_stft_and_mel.ipynb).
