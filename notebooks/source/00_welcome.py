# %% [markdown]
# # 00 Welcome: type what you want to hear
#
# {{badge}}
#
# Two instruments play at once; within a minute you type the name of one and hear what a separator makes of it.
#
# **You will**
# - hear a *mixture*: a violin and a trumpet in one recording;
# - give a *separator* a *query*, in your own words, and hear its *estimate*;
# - measure how near it comes, beside three floors: the mixture, silence and subtraction;
# - find out what this separator cannot do yet, which is what the rest of the course is about.
#
# {{time}} · **Study time:** about 30 minutes
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## This computer
#
# Is everything here? The doctor looks at the packages, the processor, the data and the model. A line with
# `False` comes with advice; the others need nothing.

# %%
from lass_lab.course.doctor import doctor
from lass_lab.course.profile import current

profile = current()
table = doctor().style.hide(axis="index").format(na_rep="")
table.set_table_styles([{"selector": "th, td", "props": "text-align: left"}])

# %% [markdown]
# No GPU is needed: the *tiny* model that ships with the course runs on two processor cores, offline. The line
# `profile` says how much this run computes: `quick` for a laptop, `full` for the complete course, on a GPU.
#
# ## How to read the course
#
# Before most cells stands a question: answer it for yourself, then run the cell (Shift + Enter), then read on. Folded
# answers have the numbers of your own run. Change things and run again; nothing can break. Every notebook runs by
# itself, in any order. The networks and measures are in the package `lass_lab`, short enough to read: add `??` to any
# name in a cell (`separator.separate??`).
#
# ## A mixture
#
# What does the problem sound like? Here is part of a duet that no model in this course is ever trained on: it is
# kept for testing, from this notebook to the last. Listen for the two voices.
#
# The sound is synthetic: a *sampler* plays a score with *SoundFonts*, collections of single notes recorded from real
# instruments. Each note is real, the performance is not. In return we have each voice by itself, to measure with.

# %%
from lass_lab.course.players import players
from lass_lab.datasets import list_pieces, load_piece

piece = load_piece(list_pieces("test")[0])
excerpt = piece.slice(20, min(25, profile.seconds or 25))
print(f"{piece.title}: {excerpt.seconds:.0f} s of {piece.seconds:.0f} s, {piece.sample_rate} samples a second")
players({"mixture": excerpt.mixture})

# %% [markdown]
# Your ear follows either voice at will. For a computer this is hard: the recording is one row of numbers, and each
# of them is already the sum of a violin's and a trumpet's. What does the sum look like?

# %%
from lass_lab.course.plots import figure_html, show_spectrogram

beginning = excerpt.mixture[: 8 * excerpt.sample_rate]
ax = show_spectrogram(beginning, title="mixture", max_khz=8, db_range=50)
figure_html(ax, "The first 8 s of the mixture: time runs to the right, pitch upwards; the brighter, the louder.")

# %% [markdown]
# This picture is a *spectrogram*; notebook 01 builds one. Each note is a ladder of bright lines, its *harmonics*, at
# the multiples of its pitch. Two ladders lie across each other, and where two lines cross, one number holds both.
# Separation means deciding, for every point of this picture, how much of it belongs to whom. Levels are in dBFS: 0 is a
# sine of amplitude 1, as loud as a file can hold.
#
# ## Type a query
#
# A *separator* takes the mixture and a *query*, a few words that name a sound, and returns its *estimate* of that
# sound. Inside, a *query network* turns the words into numbers, and a *separation network* uses them to take the sound
# out of the mixture. Can it find the violin? Type something else (*trumpet*, *a flute*, *a barking dog*) and press
# Enter or the button; the first answer stays below for comparison. What should it answer for *a barking dog*? Guess
# first.

# %%
from lass_lab.course.nb00.widgets import query_bench
from lass_lab.models import load_separator

separator = load_separator("tiny")
query_bench(separator, excerpt.mixture, query="violin")

# %% [markdown]
# Compare the two pictures: where the estimate is darker than the mixture, the separator decided "not the violin".
# Then listen for what is left of the trumpet, and for what is missing from the violin. The players match loudness,
# so that you judge what you hear and not how loud it is; the caption has the true level, in *decibels* (dB):
#
# $$L = 10 \log_{10} \frac{\text{energy of the estimate}}{\text{energy of the mixture}}$$
#
# 0 dB is equal energy, -3 dB half of it, -10 dB a tenth, -20 dB a hundredth. And *a barking dog*?

# %%
from lass_lab.course.quiz import answer
from lass_lab.experiments.evaluation import level_db

dog, violins = (
    level_db(separator.separate(excerpt.mixture, query, progress=False), excerpt.mixture)
    for query in ("a barking dog", "violin")
)
answer(
    f"Next to nothing: {dog:.0f} dB, where “violin” gets {violins:.0f} dB. That is right, because no dog is in the "
    "mixture. The model has heard dogs bark in its training, and it was also asked for sounds that were absent."
)

# %% [markdown]
# Does it find what is there? We add a sound that it was taught, a marimba as loud as both players together, and ask
# for it twice: in the duet, where it is absent, and in the trio, where it plays.

# %%
import numpy as np

from lass_lab.datasets import data_dir
from lass_lab.datasets.mixing import SourceBank, match_energy

duet = excerpt.mixture[: 10 * excerpt.sample_rate]
bank = SourceBank(data_dir() / "sources", "test")
marimba = match_energy(bank.cut(np.random.default_rng(0), "marimba", len(duet)), duet)
trio = duet + marimba
absent, present = (separator.separate(sound, "a marimba", progress=False) for sound in (duet, trio))
print(f"“a marimba”: {level_db(absent, duet):.0f} dB in the duet, {level_db(present, trio):.0f} dB in the trio")
assert level_db(absent, duet) < -15 < -6 < level_db(present, trio)
players({"trio": trio, "estimate for “a marimba”": present, "the true marimba": marimba})

# %% [markdown]
# Half the trio's energy is the marimba's, and -3 dB is half: the amount is right. Is it the marimba? A level does not
# say; compare the last two players.
#
# Do you have a recording of your own? Choose its file, drop it below, or record five seconds with the microphone.

# %%
from lass_lab.course.nb00.widgets import your_recording

your_recording(separator)

# %% [markdown]
# ## Several queries at once
#
# Is it the words that decide? One call can ask several queries of the same mixture.

# %%
queries = ["violin", "the part of the violin", "trumpet"]
estimates = separator.separate(excerpt.mixture, queries, progress=False)
players({f"“{query}”": estimate for query, estimate in zip(queries, estimates, strict=True)})

# %% [markdown]
# The first two name the same instrument: do they sound alike? The third names the other one.
#
# We need not trust our ears alone. The duet was put together from two tracks, the *sources*, so the truth is known.
# How well do the spectrograms of each estimate and each source *correlate*? 1 means equal up to loudness, 0 unrelated.

# %%
import pandas as pd

from lass_lab.signal import spectral_correlation

rows = {
    f"“{query}”": {name: spectral_correlation(source, estimate) for name, source in excerpt.sources.items()}
    for query, estimate in zip(queries, estimates, strict=True)
}
table = pd.DataFrame(rows).T.rename_axis("query").rename_axis("correlation with the true", axis=1)
assert table.iloc[0].idxmax() == "violin" and table.iloc[-1].max() < 0.7
table.round(2)

# %% [markdown]
# “trumpet” gives little, and that of both players: it is not found.
#
# **Exercise 1.** Say *violin* without saying it: in place of the dots, put words that the separator takes for the
# violin. The check asks for them where you have not listened yet, and sets the answer $\hat s$ beside the answer $s$ to
# the word itself. It measures with the *signal-to-distortion ratio*, the energy of a sound over that of the error:
#
# $$\mathrm{SDR}(s, \hat s) = 10 \log_{10} \frac{\sum_n s_n^2}{\sum_n (\hat s_n - s_n)^2}$$
#
# Above 5 dB it calls the two the same. (Every exercise of the course has an answer in the folder `solutions`.)
#
# <details><summary>A hint</summary>
#
# The query network has read many sentences about each instrument. What do folk musicians call their violin? Put that
# word into a sentence.
#
# </details>

# %%
from lass_lab.course.nb00.checks import check_words

my_words = ...

check_words(my_words)

# %% [markdown]
# **Exercise 2.** Whoever has one source has the other: given the mixture and the true violin, two rows of numbers of
# one length, return the trumpet.
#
# <details><summary>A hint</summary>
#
# How was the mixture made of the two sources, sample by sample? Solve that for the trumpet.
#
# </details>

# %%
from lass_lab.course.nb00.checks import check_the_other


def the_other(mixture, violin):
    """The trumpet: `(samples,)`, as both arguments are."""
    return ...


check_the_other(the_other)

# %% [markdown]
# ## A floor: subtraction
#
# Put an *estimate* of the violin in the place of the true one, and the same line gives an estimate of the trumpet. No
# network had to know a trumpet for it. Which is nearer to the true trumpet: this, or the answer to “trumpet”?

# %%
from lass_lab.signal import sdr, sdr_improvement

violin, trumpet = excerpt.sources["violin"], excerpt.sources["trumpet"]
rest = check_the_other.reference(excerpt.mixture, estimates[0])  # the answer to exercise 2
asked, subtracted = sdr(trumpet, estimates[-1]), sdr(trumpet, rest)
gain = sdr_improvement(violin, estimates[0], excerpt.mixture)
print(f"SDR of the trumpet: {asked:.2f} dB when asked for, {subtracted:.2f} dB by subtraction, 0 dB for silence")
print(f"SDR of the violin: {sdr(violin, estimates[0]):.2f} dB, {gain:.2f} dB more than the mixture's")
assert abs(subtracted - gain) < 0.001 and asked < subtracted
players({"“trumpet”": estimates[-1], "mixture minus “violin”": rest, "the true trumpet": trumpet})

# %% [markdown]
# Two of the printed numbers agree, and not by chance. With $x = v + t$ and the violin's error $e = \hat v - v$, the
# trumpet by subtraction is $x - \hat v = t - e$: it has the same error, upside down. Therefore
#
# $$\begin{aligned} \mathrm{SDR}(t, x - \hat v) &= 10 \log_{10} \frac{\sum t^2}{\sum e^2} \\
# &= 10 \log_{10} \frac{\sum v^2}{\sum e^2} - 10 \log_{10} \frac{\sum v^2}{\sum t^2} \\
# &= \mathrm{SDR}(v, \hat v) - \mathrm{SDR}(v, x) = \mathrm{SDRi}(v, \hat v), \end{aligned}$$
#
# the *improvement* of the violin's SDR over the mixture's, exactly. In a duet, whoever separates one source has the
# other without asking for it. A trumpet that is newly learnt has to beat what subtraction gave *before*. Subtraction is
# a floor, as the mixture and silence are. Remember it whenever this course says that the trumpet was learnt.
#
# ## What it was never taught
#
# Why does asking fail? What was this model taught?

# %%
from lass_lab.datasets.instruments import EVERYDAY, TAUGHT, VOICES

print(f"{len(TAUGHT)} instruments: {', '.join(TAUGHT)}")
print(f"voices: {', '.join(VOICES)}; everyday sounds: {', '.join(EVERYDAY)}")
assert "trumpet" not in TAUGHT

# %% [markdown]
# No trumpet. Asked for one, the model guesses. Teaching it the trumpet without losing the violin is what this course
# does, and the true trumpet, which you heard last, is the goal.
#
# Synthetic duets are where we can know the truth. What about people who play? The model was measured on recordings of
# musicians as well, mixed in pairs (their sound is not part of the course). From its card, SDRi in dB with a 95%
# interval, and the number of mixtures. How much do real performances cost, and is our duet's violin an easy case?

# %%
measured = pd.read_csv(data_dir() / "tiny" / "numbers.csv")
measured = measured[measured.iloc[:, 0].str.contains("random pairs")]
measured.style.hide().format(precision=2)

# %%
taught, *_, played = measured["mean"]
answer(
    f"Real performances gain {taught - played:.1f} dB less than the synthetic mixtures of the first row. The violin of "
    f"this duet gains {gain:.1f} dB here, with only one player beside it: it is no easy case, for that player's sound "
    "was never taught."
)

# %% [markdown]
# ## The map of the course
#
# The model has the architecture of *AudioSep* (Liu et al., "Separate Anything You Describe", 2023), in small. *The
# paper* is the study that this course follows, which fine-tunes AudioSep on duets of violin and trumpet.
#
# | | notebook | the question it answers |
# |---|---|---|
# | 00 | Welcome | What does language-guided separation sound like? |
# | 01 | STFT and mel | How does sound become a picture, and back? |
# | 02 | Words and sounds | How can a word and a sound be compared? |
# | 03 | The pretrained baseline | How is the separator built, and how good is it before we touch it? |
# | 04 | Slicing a dataset | How do three duets become training examples, without cheating? |
# | 05 | Phase 1 | What does the separation network learn while the query network is frozen? |
# | 06 | Phase 2 | What changes when the query network may learn too? |
# | 07 | Evaluation | What may we conclude from which number? |
# | 08 | Beyond the paper | What was forgotten, and how can it be kept? |
# | 09 | Scale up | What changes with the full model, your own recordings and many GPUs? |
# | 10 | Look and listen | Can words be learnt without a caption of any sound? |
#
# Notebooks 01 to 10 write their results into a ledger, so that later ones, and you, find them. Which have left some
# here already?

# %%
from lass_lab.course import ledger
from lass_lab.course.profile import CHECKOUT

done = set(ledger.read()["notebook"])
for notebook in sorted((CHECKOUT / "notebooks").glob("[0-9]*.ipynb"))[1:]:
    print("done" if notebook.stem in done else "    ", notebook.stem)

# %% [markdown]
# Six words come back everywhere. The *mixture* is what you have; a *source* is one true voice in it; the *target*
# is the source that a *query* names; the *estimate* is what a *separator* returns.
#
# Check yourself: five questions, and each choice is answered.

# %%
from lass_lab.course.quiz import quiz

quiz("00")

# %% [markdown]
# **Try:** the model was not taught the trumpet, but some of its relatives. Which name brings out most of the trumpet?
# Try *a trombone*, *a french horn* or *an oboe*: `sdr(trumpet, separator.separate(excerpt.mixture, "a trombone"))`.
#
# The answers to the exercises are in [the solutions](solutions/00_welcome.ipynb).
#
# **Next:** [STFT and mel](01_stft_and_mel.ipynb) takes a sound apart, and puts it together again.
