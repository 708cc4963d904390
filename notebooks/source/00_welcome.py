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
# - find out what this separator cannot do yet, which is what the rest of the course is about.
#
# {{time}}
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
from lass_lab.course.profile import current, doctor

profile = current()
table = doctor().style.hide(axis="index").format(na_rep="")
table.set_table_styles([{"selector": "th, td", "props": "text-align: left"}])

# %% [markdown]
# No GPU is needed: the *tiny* model that ships with the course runs on two processor cores, without a network.
# The line `profile` says how much this run computes: `quick` for a laptop, `full` for all of everything.
#
# ## A mixture
#
# What does the problem sound like? Here is part of a duet that no model in this course is ever trained on: it is
# kept for testing, from this notebook to the last. Listen for the two voices.

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
# Each note is a ladder of bright lines, its *harmonics*. The two ladders lie across each other, and where they cross,
# one number holds both. Separation means deciding, for every point of this picture, whose it is.
#
# ## Type a query
#
# A *separator* takes the mixture and a *query*, a few words that name a sound, and returns its *estimate* of that
# sound. Can it find the violin? Type something else (*a fiddle*, *bowed strings*, *trumpet*, *a barking dog*) and
# press Enter or the button; the first answer stays below for comparison.

# %%
from lass_lab.course.nb00.widgets import query_bench
from lass_lab.models import load_separator

separator = load_separator("tiny")
query_bench(separator, excerpt.mixture, query="violin")

# %% [markdown]
# Compare the two pictures: where the estimate is darker than the mixture, the separator decided "not the violin".
# Then listen for what is left of the trumpet, and for what is missing from the violin. The players match loudness,
# so that you judge what you hear and not how loud it is; the caption has the true level.
#
# **Exercise 1.** Say *violin* without saying it: in place of the dots, put words that the separator takes for the
# violin. The check asks for them where you have not listened yet, and compares with the word itself. (Every exercise
# of the course has an answer in the folder `solutions`.)

# %%
from lass_lab.course.nb00.checks import check_words

my_words = ...

check_words(my_words)

# %% [markdown]
# Words that fail are as telling as words that pass: what did the separator take them for?
#
# ## Several queries at once
#
# Is it the words that decide? One call can ask several queries of the same mixture.

# %%
queries = ["violin", "a fiddle tune", "trumpet"]
estimates = separator.separate(excerpt.mixture, queries, progress=False)
players({f"“{query}”": estimate for query, estimate in zip(queries, estimates, strict=True)})

# %% [markdown]
# The first two name the same instrument in different words: do they sound alike? The third names the other one.
#
# We need not trust our ears alone. The duet was put together from two tracks, the *sources*, so the truth is known:
# how alike are the spectrograms of each estimate and each source? 1 is the same, near 0 unrelated.

# %%
import pandas as pd

from lass_lab.signal import spectral_correlation

rows = {
    f"“{query}”": {name: spectral_correlation(source, estimate) for name, source in excerpt.sources.items()}
    for query, estimate in zip(queries, estimates, strict=True)
}
alike = pd.DataFrame(rows).T.rename_axis("query").rename_axis("likeness to the source", axis=1)
alike.round(2)

# %% [markdown]
# **Exercise 2.** Whoever has one source has the other: given the mixture and the true violin, two rows of numbers of
# one length, return the trumpet.

# %%
from lass_lab.course.nb00.checks import check_the_other


def the_other(mixture, violin):
    """The trumpet: `(samples,)`, as both arguments are."""
    return ...


check_the_other(the_other)

# %% [markdown]
# With an *estimate* of the violin in the place of the true one, the same line gives an estimate of the trumpet. It
# is as wrong as the first, sample by sample: what was lost from the violin is now heard with the trumpet.
#
# ## The honest part: the trumpet
#
# Read the last row. A separator that knew this sound would show a number under *trumpet* as large as the first row's
# under *violin*. And how loud is its answer? A player makes everything equally loud; the true levels, in decibels
# against the mixture:

# %%
from lass_lab.datasets.instruments import TAUGHT
from lass_lab.experiments.evaluation import level_db

for query, estimate in zip(queries, estimates, strict=True):
    print(f"“{query}”: {level_db(estimate, excerpt.mixture):.0f} dB")
print(f"\nthe model was taught {len(TAUGHT)} instruments; the trumpet is one of them: {'trumpet' in TAUGHT}")
players({"estimate for “trumpet”": estimates[2], "the true trumpet": excerpt.sources["trumpet"]})

# %% [markdown]
# The last line is the point: this model was never taught the trumpet. It knows instruments, voices and some everyday
# sounds (ask for *a barking dog* above: it learnt to answer with next to nothing where something is not there). Asked
# for the trumpet, it guesses: what you just heard is a remainder of both players, made loud. The true trumpet beside it
# is the goal, and teaching the separator to reach it, without losing the violin, is what this course does.
#
# ## The map of the course
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
# | 08 | Beyond the paper | Which of the paper's choices matter? |
# | 09 | Scale up | What changes with the full model, your own recordings and many GPUs? |
# | 10 | Look and listen | Can words be learnt without a caption of any sound? |
#
# Each writes its results into a ledger, so that later ones, and you, find them. Which have left some here already?

# %%
from lass_lab.course import ledger
from lass_lab.course.profile import CHECKOUT

done = set(ledger.read()["notebook"])
for notebook in sorted((CHECKOUT / "notebooks").glob("[0-9]*.ipynb")):
    print("done" if notebook.stem in done else "    ", notebook.stem)

# %% [markdown]
# ## How to read the course
#
# Before each cell stands a question: answer it for yourself, then run the cell (Shift + Enter), then read on. Change
# things and run again; nothing can break. Every notebook runs by itself, in any order. The networks and measures are
# in the package `lass_lab`, short enough to read: add `??` to any name in a cell (`separator.separate??`).
#
# Six words come back everywhere. The *mixture* is what you have; a *source* is one true voice in it; the *target*
# is the source that a *query* names; the *estimate* is what a *separator* returns.
#
# The answers to the exercises are in [the solutions](solutions/00_welcome.ipynb).
#
# **Next:** [STFT and mel](01_stft_and_mel.ipynb) takes a sound apart, and puts it together again.
