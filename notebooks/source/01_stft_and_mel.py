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
# - build a mel filter bank, and hear what it loses;
# - measure the ceiling of masks, which later scores are read against, and paint a mask yourself.
#
# {{time}} · **Study time:** about 60 minutes
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## Part 1: see a sound
#
# What is a recording to a computer? A row of numbers, *samples*, 32,000 a second. They can hold frequencies up to half
# of that, 16,000 Hz, the *Nyquist frequency*. We take five seconds of one of the training duets (synthetic, as all of
# them), the violin and the trumpet each by itself, and look very closely: at 25 thousandths of a second.

# %%
import numpy as np
from IPython.display import display

from lass_lab.course.nb01.plots import show_curves
from lass_lab.course.players import players
from lass_lab.course.plots import figure_html
from lass_lab.datasets import load_piece

piece = load_piece("greensleeves")
excerpt = piece.slice(10, 5)
violin, trumpet, rate = excerpt.sources["violin"], excerpt.sources["trumpet"], excerpt.sample_rate
display(players({"violin": violin, "trumpet": trumpet}))

# %%
start = round(3.7 * rate)
moment = {name: source[start : start + rate // 40] for name, source in excerpt.sources.items()}
ax = show_curves(1000 * np.arange(rate // 40) / rate, moment, xlabel="time (ms)", ylabel="amplitude")
figure_html(ax, "25 ms of each instrument, 3.7 s into the excerpt.")

# %% [markdown]
# Each note repeats a shape; the faster it repeats, the higher the pitch, and the shape gives the tone colour. Which of
# the two plays the higher note here? Counting is tedious, and in the mixture hopeless. We need another view.
#
# ### One window
#
# Which frequencies sound at one moment? Cut out $N = 2048$ samples, fade them in and out with a *window* $w$, and let
# the Fourier transform say how much of each frequency is in them. *Bin* $k$ is at $32000\,k/N$ Hz; from sample $t$ on,
#
# $$X[k] = \sum_{n=0}^{N-1} w[n]\, x[t + n]\, e^{-2\pi i k n / N}$$

# %%
n_fft = 2048
window = np.hanning(n_fft + 1)[:-1]  # Hann's window: a smooth hill from 0 to 1 and back
hertz, levels = np.arange(n_fft // 2 + 1) * rate / n_fft, {}
for name, source in excerpt.sources.items():
    magnitude = np.abs(np.fft.rfft(window * source[start : start + n_fft]))
    levels[name] = 20 * np.log10(magnitude / (n_fft / 4))  # a full-scale sine (amplitude 1) is 0 dBFS
    print(f"{name}: strongest near {hertz[magnitude.argmax()]:.0f} Hz")
ax = show_curves(hertz / 1000, levels, xlabel="frequency (kHz)", ylabel="level (dBFS)", title="one window")
ax.set(xlim=(0, 6), ylim=(-90, 0))
figure_html(ax, f"The spectrum of one window of {1000 * n_fft / rate:.0f} ms, in bins {rate / n_fft:.1f} Hz apart.")

# %% [markdown]
# Each instrument is a comb: the spacing of its teeth, the *harmonics*, is the pitch, and their heights make the tone
# colour. Where the two combs miss each other, a separator has an easy task. The level is $20 \log_{10}$ of a magnitude,
# because energy is its square. Who plays the higher note, and is the strongest tooth the pitch?

# %%
from lass_lab.course.quiz import answer

strongest = {name: hertz[np.argmax(curve)] for name, curve in levels.items()}
pitch, number = {}, {}
for name, sound in excerpt.sources.items():
    sound = sound[start : start + n_fft]
    lag = 20 + np.correlate(sound, sound, "full")[n_fft + 19 : n_fft + 219].argmax()  # after which it repeats itself
    number[name] = round(strongest[name] * lag / rate)
    pitch[name] = strongest[name] / number[name]
assert pitch["violin"] > pitch["trumpet"] and min(number.values()) > 1
answer(
    f"The violin: its comb has a tooth every {pitch['violin']:.0f} Hz, the trumpet's every {pitch['trumpet']:.0f} Hz. "
    f"The strongest tooth is not the pitch: it is harmonic {number['violin']} of the violin and harmonic "
    f"{number['trumpet']} of the trumpet."
)

# %% [markdown]
# ### Many windows
#
# Music moves on. What if we slide the window along, a *hop* of $H = 320$ samples at a time, and set the spectra side by
# side? That is all the *short-time Fourier transform* is: frame $m$ is the formula above from sample $t = mH$ on,
#
# $$X[m, k] = \sum_{n=0}^{N-1} w[n]\, x[mH + n]\, e^{-2\pi i k n / N}.$$
#
# Is our version the one that the package uses?

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
# The difference is rounding; four lines of NumPy are the transform that feeds every network in this course. Wavy lines
# are vibrato, and where all lines jump together, the player changes the note.
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
# middle one blurs both. No window wins, and none can: sharpness in time is paid for in frequency. Bins $32000/N$
# Hz apart need $N/32000$ s, and the product of the two is 1 whatever $N$ is.
#
# In the sliders, try the violin: which window shows its vibrato best, as waves, and from which on does that turn
# into a ribbon? The **hop** adds no sharpness, only more columns; the caption says how many numbers that costs and
# whether the sound can still be recovered. The slider *rows* belongs to part 3.
#
# ### Exercise 1: a window for the job
#
# Rule of thumb for Hann's window: two tones look like two when they are at least **two bins** apart. Write a
# function that takes their distance in hertz and returns the shortest sufficient window, in samples, as a power of
# two. The check tries your windows on real tones.
#
# <details><summary>A hint</summary>
#
# How many hertz are two bins of a window of $n$ samples? Begin with a short window, and double it as long as that is
# more than the distance.
#
# </details>

# %%
from lass_lab.course.nb01.checks import check_window


def window_for(apart_hz): ...  # your code here


check_window(window_for)

# %% [markdown]
# ## Part 2: take it apart, put it back
#
# Every bin is a complex number, $X = |X|\, e^{i \angle X}$: a *magnitude* $|X|$, how strong, and a *phase* $\angle X$,
# where in its period the wave is. The picture shows the magnitude alone. From the whole spectrogram, how much of the
# violin can be recovered?

# %%
again = istft(spectrum, len(violin), hop)
error = again - violin
error_db = 20 * np.log10(np.sqrt(np.mean(error**2) / np.mean(violin**2)))
print(f"largest error: {np.abs(error).max():.1e}; one step of a 16-bit file: {2**-15:.1e}")
print(f"energy of the error: {error_db:.0f} dB against the violin's")
assert error_db < -100
players({"violin": violin, "there and back": again})

# %% [markdown]
# The error is far below what a 16-bit file rounds away: nothing is lost. The inverse is *overlap-add*: each frame $m$
# is transformed back to samples $x_m$, windowed once more, and added where it belongs; then the sum of the squared
# windows is divided out.
#
# $$x[n] = \frac{\sum_m w[n - mH]\, x_m[n - mH]}{\sum_m w^2[n - mH]}$$
#
# That works as long as the hop is small enough for the windows to overlap. So a network may work on the picture and we
# can always come back to sound, if we have *both* halves.
#
# ### Exercise 2: swap the phase
#
# Which of the two makes a violin a violin? Write a function that takes the magnitudes of its first sound and the
# phases of its second, and returns the waveform. Leave `stft` and `istft` at their own window and hop.
#
# <details><summary>A hint</summary>
#
# `np.abs` and `np.angle` take the spectrum of each sound apart. The formula above, $|X|\, e^{i \angle X}$, puts one
# together again; in Python the imaginary unit is `1j`. And `istft` wants to know how many samples there were.
#
# </details>

# %%
from lass_lab.course.nb01.checks import check_swap


def swap(first, second): ...  # your code here


check_swap(swap)

# %% [markdown]
# ### By ear
#
# The package has such a function, too, in which window and hop can be chosen. Before you listen: will the violin's
# magnitudes with the trumpet's phases sound like the violin, like the trumpet, or like neither? The table has the
# correlation of spectrograms that you know from notebook 00.

# %%
import pandas as pd

from lass_lab.course.nb01.lesson import swap_phases

noise = np.random.default_rng(0).normal(size=len(violin))
donors = {"its own": violin, "the trumpet's": trumpet, "noise's": noise}
heard = {f"violin's magnitudes, {name} phases": swap_phases(violin, donor) for name, donor in donors.items()}
closeness = {label: [spectral_correlation(s, sound) for s in (violin, trumpet)] for label, sound in heard.items()}
display(pd.DataFrame(closeness, ["with the violin", "with the trumpet"]).T.round(2))
assert all(with_violin > 0.8 > 0.2 > with_trumpet for with_violin, with_trumpet in closeness.values())
players(heard)

# %% [markdown]
# Read down the first column: even with random phases it stays a violin, roughened and washed out, because the phases
# no longer fit together from frame to frame. Through this window the magnitude says *what* sounds, and the phase
# keeps it clean. That is why many separators predict magnitudes and begin with the mixture's phase.
#
# Is that a law of sound, or of our window? We swap again, through windows from short to long.

# %%
windows = [64, 128, 256, 512, 1024, 2048, 4096]
mixed = [swap_phases(violin, trumpet, n, n // 4) for n in windows]
parts = {"with the violin (magnitudes)": violin, "with the trumpet (phases)": trumpet}
curves = {name: [spectral_correlation(source, sound) for sound in mixed] for name, source in parts.items()}
for name, values in curves.items():
    print(f"{name}: {values[0]:.2f} at {windows[0]} samples, {values[-2]:.2f} at {windows[-2]}")
milliseconds = [1000 * n / rate for n in windows]
assert all(curve[0] > 0.5 > curve[-1] or curve[0] < 0.5 < curve[-1] for curve in curves.values())
ax = show_curves(milliseconds, curves, xlabel="window (ms)", ylabel="spectral correlation", log_x=True)
display(figure_html(ax, "Violin's magnitudes, trumpet's phases: how well the result correlates with each, by window."))
players({f"swapped, window {windows[i]}": mixed[i] for i in (0, -2)})

# %% [markdown]
# Where the lines cross, the roles change. Through a window of 2 ms, about one period of the violin's note, a magnitude
# is hardly more than the loudness of the moment, and the pitch is in how the phase moves. "Phase does not matter" is a
# statement about long windows.
#
# ## Part 3: fewer rows
#
# A frame has 1,025 bins, and the ear does not treat them alike: it tells 200 from 220 Hz at once, 8,000 from 8,020
# never. Equal steps of the *mel* scale are steps that we hear as about equal; one common formula is
#
# $$\mathrm{mel}(f) = 2595 \log_{10}\left(1 + \frac{f}{700\,\mathrm{Hz}}\right).$$
#
# A *mel filter bank* adds up the bins of each step, weighted by a triangle.
#
# ### Exercise 3: a mel filter bank
#
# `bands` triangles have `bands + 2` edges, at equal steps in mel from `low_hz` to `high_hz`. In hertz, each triangle
# rises in a straight line from 0 at one edge to 1 at the next, and falls to 0 at the one after. Return the weights: a
# row for every frequency in `hertz`, a column for every band.
#
# <details><summary>A hint</summary>
#
# `np.linspace` in mel, then the formula solved for $f$. With `hertz[:, None]`, one line gives all rising sides, and
# one all falling sides; a triangle is the smaller of the two, and never less than 0.
#
# </details>

# %%
from lass_lab.course.nb01.checks import check_mel


def mel_filters(hertz, bands, low_hz, high_hz): ...  # your code here


check_mel(mel_filters)

# %% [markdown]
# The package's `mel_spectrogram` does this to the energy $|X|^2$, with Slaney's version of the scale and triangles of
# equal area. What do 64 mel bands keep of the trumpet?

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
# The melody stands out and the picture is a sixteenth of the size: just right for *recognising* a sound, and the input
# of the networks in notebook 02 that compare sounds with words. Is there a way back to the sound? Two things are lost.
# Many spectra have the same band sums, so we take one of them; and the phase is gone, so we guess one, with the
# algorithm of *Griffin and Lim*: come back to sound, take its STFT, keep that phase, put our magnitudes in, repeat.

# %%
from librosa import griffinlim
from librosa.feature.inverse import mel_to_stft

from lass_lab.signal import sdr

how = {"hop_length": 320, "length": len(trumpet), "random_state": 0}
bins = mel_to_stft(mel_spectrogram(trumpet, 64).T, sr=rate, fmin=50)
ways = {"all magnitudes, phases guessed": griffinlim(np.abs(stft(trumpet)).T, **how)}
ways["64 mel bands, phases guessed"] = griffinlim(bins, **how)
for name, back in ways.items():
    print(f"{name}: correlation {spectral_correlation(trumpet, back):.2f}, SDR {sdr(trumpet, back):.1f} dB")
    assert sdr(trumpet, back) < 0
players({"trumpet": trumpet} | ways)

# %% [markdown]
# From all magnitudes the spectrogram comes back almost exactly, with another waveform under it: SDR, which compares
# samples, is below the 0 dB of silence, though it sounds like the trumpet. From mel bands the spectrogram is off as
# well, as you hear. A separator that works on spectrograms therefore takes the STFT, and begins with the mixture's
# phase. (It need not be a spectrogram: Conv-TasNet and Demucs work on the waveform, with filters that they learn.)
#
# ### Do they collide?
#
# In the mixture, how much of the energy lies in bins where one instrument is clearly in charge: 10 dB above the other,
# which is ten times its energy, and 3.2 times its magnitude?

# %%
V, T, X = stft(violin), stft(trumpet), stft(excerpt.mixture)
ratio_db = 20 * np.log10((np.abs(V) + 1e-9) / (np.abs(T) + 1e-9))
energy = np.square(np.abs(X))
shares = {"the violin": ratio_db > 10, "the trumpet": ratio_db < -10, "neither": np.abs(ratio_db) <= 10}
for name, where in shares.items():
    print(f"{name} in charge: {energy[where].sum() / energy.sum():6.1%} of the energy, {where.mean():6.1%} of the bins")
assert energy[shares["neither"]].sum() < 0.1 * energy.sum()

# %% [markdown]
# Two sounds that are mixed at every moment hardly meet in this picture: *neither* is the share where they really
# collide. Everything else can be sorted, bin by bin, and sorting bins is what a mask does.
#
# ## Part 4: the ceiling of masks
#
# A *mask* $M$ is a factor for every bin of the mixture $X$, and the estimate is the sound of $M X$. Suppose an *oracle*
# told us the true target $S$ and the rest $R = X - S$: which factors would we choose? The *ideal ratio mask* is the
# root of the target's share of the energy, since it multiplies magnitudes. What does it look like, and how does it
# sound?
#
# $$M_\mathrm{ratio} = \sqrt{\frac{|S|^2}{|S|^2 + |R|^2}}$$

# %%
from lass_lab.course.nb01.plots import show_mask
from lass_lab.signal import ideal_ratio_mask

mask = ideal_ratio_mask(T, V)
through = istft(mask * X, len(trumpet))
before, after = sdr(trumpet, excerpt.mixture), sdr(trumpet, through)
print(f"SDR against the true trumpet: the mixture {before:.1f} dB, masked {after:.1f} dB")
ax = show_mask(mask, hop=hop, title="ideal ratio mask for the trumpet")
display(figure_html(ax, "Which share of the mixture the ideal ratio mask keeps: yellow all, dark blue nothing."))
players({"mixture": excerpt.mixture, "through the ideal mask": through, "the true trumpet": trumpet})

# %% [markdown]
# Almost perfect to the ear, and still a finite SDR: where both sound in one bin, the mixture's phase
# belongs to neither, and a share of it is not what the trumpet played.
#
# ### Exercise 4: what a binary mask brings
#
# Must a mask be soft? The ideal *binary* mask is 1 where the target is louder than the rest of the mixture, and 0
# everywhere else. Write a function that takes a mixture and its target, makes this mask, applies it, and returns the
# *improvement* of the SDR over the mixture, in dB. `stft`, `istft` and `sdr_improvement` are all you need.
#
# <details><summary>A hint</summary>
#
# The rest is the mixture without its target, in the STFT as well as in time. Compare magnitudes to make the mask, and
# multiply the mixture's complex spectrum by it: its phase is the only one that a separator has.
#
# </details>

# %%
from lass_lab.course.nb01.checks import check_gain
from lass_lab.signal import sdr_improvement  # noqa: F401  (you will need it)


def binary_gain(mixture, target): ...  # your code here


check_gain(binary_gain)

# %% [markdown]
# How high can masks go? Four oracles, from strict to free:
#
# - **binary**: 1 where $|S| > |R|$, otherwise 0;
# - **ratio**: $M_\mathrm{ratio}$, as above;
# - **phase-sensitive**: the best real factor in every bin, $\frac{|S|}{|X|}\cos(\angle S - \angle X)$, kept within 0
#   and 1;
# - **with phase**: the complex factor $S / X$, which turns the phase as well; where it would amplify, its size is 1.

# %%
from lass_lab.course.nb01.lesson import ideal_masks

players({kind: istft(mask * X, len(trumpet)) for kind, mask in ideal_masks(X, T).items()})

# %% [markdown]
# Can you hear a difference? Numbers can. For the ceilings we measure on the test duet, as every model of this course is
# measured, and let the separator take part: it sees the mixture and one word, the oracles see the answer.

# %%
from lass_lab.course.profile import current
from lass_lab.datasets import list_pieces
from lass_lab.experiments.evaluation import open_piece
from lass_lab.models import load_separator

separator, test = load_separator("tiny"), open_piece(list_pieces("test")[0], current().seconds)
mixture = test.mixture
estimates = separator.separate(mixture, list(test.sources), progress=True)
print(f"{test.title}: {len(mixture) / rate:.0f} s, separated by the words {' and '.join(test.sources)}")

# %%
from lass_lab.course.plots import show_metric_bars

rows, heard = [], stft(mixture)
for (name, source), estimate in zip(test.sources.items(), estimates, strict=True):
    masks = ideal_masks(heard, stft(source))
    sounds = {"mixture": mixture, "tiny model": estimate}
    sounds |= {kind: istft(mask * heard, len(mixture)) for kind, mask in masks.items()}
    rows += [(kind, name, sdr(source, sound)) for kind, sound in sounds.items()]
ceilings = pd.DataFrame(rows, columns=["separator", "query", "value"])
ax = show_metric_bars(ceilings)
scores = ceilings.set_index(["query", "separator"])["value"]
display(figure_html(ax, f"The mixture, the model and four ideal masks; {len(mixture) / rate:.0f} s of the test duet."))

# %% [markdown]
# From left to right: what you have for nothing, what the model reaches, and what four ideal masks reach. Which of them
# is the ceiling for a network that only takes away? And is the soft ratio mask better than the binary one?

# %%
phase_gain = scores["trumpet", "mask with phase"] - scores["trumpet", "phase-sensitive mask"]
assert scores["trumpet", "binary mask"] > scores["trumpet", "ratio mask"] and phase_gain > 5
answer(
    "The phase-sensitive mask, which is best in every single bin (frames overlap, so a slightly better mask exists): "
    f"{scores['violin', 'phase-sensitive mask']:.1f} dB for the violin and "
    f"{scores['trumpet', 'phase-sensitive mask']:.1f} dB for the trumpet, where the model has "
    f"{scores['violin', 'tiny model']:.1f} and {scores['trumpet', 'tiny model']:.1f} dB.\n\n"
    f"By SDR the binary mask is better than the ratio mask, {scores['trumpet', 'binary mask']:.1f} against "
    f"{scores['trumpet', 'ratio mask']:.1f} dB for the trumpet. That is the root's doing, not the soft edge's: where a "
    "tenth of the energy is the target's, the ratio mask lets a third of the magnitude through. And SDR is not "
    f"hearing: compare with what you heard.\n\nTurning the phase as well gives the trumpet {phase_gain:.1f} dB more."
)

# %% [markdown]
# Turning the phase raises the ceiling by a lot, which is why AudioSep's mask has two more channels. A mask that may be
# *any* complex number reaches everything: it is the target divided by the mixture. The distance from the model to the
# ceiling is the most that better training could win, and hardly all of it: the oracle knows the answer. But the mask is
# not what limits this model.
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
assert all(curve[0] < curve[3] for curve in ceiling.values())
figure_html(ax, "The trade-off in decibels: ceiling of the phase-sensitive mask, ten seconds of the test duet.")

# %% [markdown]
# A hill: short windows let harmonics run into each other, long ones let notes run into the next. Its top belongs to
# this music, two melodies with a few notes a second; for drums it would lie further left. AudioSep, made for all
# sounds, takes 2,048.
#
# ## Paint a mask
#
# The model was never taught the trumpet. Can you do better with a few boxes? Set *harmonics*, by which a box is
# repeated at the multiples of its pitch, and draw a box around one of the violin's notes with the mouse; or place it
# with the first two sliders, and *cut* it out. One note is gone already: your score so far stands below the picture,
# beside the model's.

# %%
from lass_lab.course.nb01.painting import Box, mask_painter

by_model = separator.separate(excerpt.mixture, "trumpet", progress=False)
one_note = Box(2.55, 4.65, 605, 650, harmonics=10)
mask_painter(excerpt.mixture, trumpet, by_model, [one_note], name="trumpet")

# %% [markdown]
# Look at who wins, and note the score of silence: it is 0 dB, always, and an estimate below that is worse than
# nothing. The violin's other notes are left to cut. You use what you know, that notes have harmonics at multiples of
# the pitch; a network has to learn this from examples, and then decides about a thousand bins a frame.
#
# ## What we take along
#
# The ceilings go into the ledger, so that every later score has something to be read against.

# %%
from lass_lab.course import ledger

ledger.record("01_stft_and_mel", "STFT and back, energy of the error", error_db, "dB")
for kind, name, value in ceilings.itertuples(index=False):
    if kind in ("phase-sensitive mask", "mask with phase"):
        ledger.record("01_stft_and_mel", f"{name}, SDR of the ideal {kind}", value, "dB")
ledger.read("01_stft_and_mel")[["name", "value", "unit", "profile"]].astype({"value": float}).round(1)

# %% [markdown]
# - A spectrogram is many short spectra; the window trades sharpness in time for sharpness in frequency.
# - Magnitude and phase together are the sound. Through long windows the magnitude says what it is.
# - Mel bands are for recognising: the way back from them is poor. The STFT leads back exactly, with its phase.
# - A violin and a trumpet hardly collide in the picture, so masks can separate them, up to a ceiling we now know.
#
# Check yourself:

# %%
from lass_lab.course.quiz import quiz

quiz("01")

# %% [markdown]
# **Try:** in part 4, measure the ceiling through a hop of `n // 3` and of `n // 16`: does it care about the hop? And
# paint the violin in place of the trumpet (three words change, and `[one_note]` becomes `[]`: that note is the violin's
# own): is it the easier one?
#
# The answers to the exercises are in [the solutions](solutions/01_stft_and_mel.ipynb).
#
# **Next:** [Words and sounds](02_words_and_sounds.ipynb) puts both into one space, so that a query can name a sound.
