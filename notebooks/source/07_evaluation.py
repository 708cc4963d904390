# %% [markdown]
# # 07 Evaluation: measure like a sceptic
#
# {{badge}}
#
# We put our numbers beside the paper's two tables, and then try hard not to believe them.
#
# **You will**
# - compute SDR, SDRi and SI-SDR by hand, and learn what each measure cannot see;
# - measure the fine-tuned separators on the test piece, once;
# - say how sure you are: intervals, differences slice by slice, and a listening test with its p-value;
# - find a slip in a published table by subtracting, and the faults in four broken evaluations.
#
# {{time}}
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## Part 1: five measures
#
# What does it mean that an estimate is *good*? We begin with five seconds of a validation piece, which training has
# not heard, and the pretrained separator's estimate of its violin.

# %%
import numpy as np

from lass_lab.course.players import players
from lass_lab.course.profile import current
from lass_lab.course.runs import find_stages
from lass_lab.experiments.evaluation import validation_pieces
from lass_lab.models import load_separator

profile = current()
separators = {name: load_separator(where) for name, where in find_stages().items()}
cut = validation_pieces()[0].slice(0, 5)
estimate = separators["pretrained"].separate(cut.mixture, "violin", progress=False)
players({"mixture": cut.mixture, "the true violin": cut.sources["violin"], "estimate": estimate})

# %% [markdown]
# ### By hand
#
# Three of the measures are one idea: so many decibels lie between the energy of what is wanted and the energy of what
# is wrong. *SDR* takes the difference from the source as wrong. *SDRi* takes off what the mixture scores. *SI-SDR*
# first brings the source to the level that fits the estimate best. Does the package compute the same?

# %%
import pandas as pd

from lass_lab.signal import sdr, sdr_improvement, si_sdr


def decibels(wanted, wrong):
    return 10 * np.log10(np.sum(wanted**2) / np.sum(wrong**2))


s, e, m = (sound.astype(np.float64) for sound in (cut.sources["violin"], estimate, cut.mixture))
scaled = (e @ s) / (s @ s) * s
by_hand = [decibels(s, e - s), decibels(s, e - s) - decibels(s, m - s), decibels(scaled, e - scaled)]
package = [sdr(s, e), sdr_improvement(s, e, m), si_sdr(s, e)]
assert np.allclose(by_hand, package)
pd.DataFrame({"by hand": by_hand, "package": package}, ["SDR", "SDRi", "SI-SDR"]).style.format("{:.4f} dB")

# %% [markdown]
# The same, digit for digit; the package only adds care for silence. Which is the larger here, SDR or SI-SDR? An
# estimate that is a little too quiet can do better in SDR: caution makes its error smaller. SI-SDR does not pay for it.
#
# ### What they do not see
#
# The other two measures, *correlation* and *MSE* (mean squared error), compare the magnitudes of two spectrograms. To
# learn what a measure is blind to, spoil the truth on purpose. Here are five violins, each wrong in one known way.
# Listen first: which of them would you send back?

# %%
from lass_lab.signal import istft, stft

phases = np.exp(1j * np.angle(stft(m)))
spoiled = {
    "half as loud": s / 2,
    "one sample late": np.concatenate([[0], s[:-1]]),
    "upside down": -s,
    "with the mixture's phases": istft(np.abs(stft(s)) * phases, len(s)),
    "with some trumpet": s + 0.2 * (m - s),
}
players(spoiled)

# %% [markdown]
# *Upside down* means that every sample has changed its sign. Now predict, for each row of the table: which measure will
# be perfect, and which will be poor? Then run the cell.

# %%
from lass_lab.signal import spectral_correlation, spectral_mse

measures = {"SDR": sdr, "SI-SDR": si_sdr, "correlation": spectral_correlation, "MSE": spectral_mse}
seen = pd.DataFrame({name: {fault: f(s, each) for fault, each in spoiled.items()} for name, f in measures.items()})
seen.style.format({"SDR": "{:.1f} dB", "SI-SDR": "{:.1f} dB", "correlation": "{:.4f}", "MSE": "{:.1e}"})

# %% [markdown]
# Read the table by columns.
#
# - *SDR* minds everything, also what nobody hears: one sample is a thirtieth of a millisecond. The higher a harmonic,
#   the larger a part of its swing that is.
# - *SI-SDR* is at its limit (100 dB) for the wrong volume, as it should be, and for the wrong sign: minus one is a
#   gain, too.
# - *Correlation* and *MSE* see no phase. A sign, a delay, even the phases of another sound leave them nearly perfect.
#   Who subtracts the violin that is upside down from the mixture hears it twice as loud. Correlation does not even see
#   the volume.
#
# Each of the first four rows is perfect, or nearly so, in some column. This is why tables have more than one, and why
# we listen.
#
# Much older literature has yet another SDR, that of *BSS-eval*. It first lets a filter of 512 taps make the best of the
# source, and counts only what no filter can explain. A delay by one sample *is* such a filter, so that measure would
# find next to nothing wrong with the row *one sample late*. Neither is in error; they answer two questions. But a
# number of the one kind never stands beside a number of the other. Here, SDR is the plain energy ratio, as in AudioSep.
#
# ### Exercise 1: what silence cannot buy
#
# In notebook 03, silence "improved" SDR wherever the mixture's was below 0 dB. The improvement of SI-SDR, SI-SDRi,
# cannot be had so cheaply. Write it. The check uses estimates that you have not heard, and that are not centred around
# zero.

# %%
from lass_lab.course.nb07.checks import check_si_sdri


def si_sdri(source, estimate, mixture):
    """How many dB the estimate's SI-SDR is above the mixture's."""
    return ...


check_si_sdri(si_sdri)

# %% [markdown]
# ## Part 2: the test piece
#
# All choices so far were made on validation slices. The test piece was played in earlier notebooks, and the
# *pretrained* separator was measured on it; the fine-tuned separators meet it here for the first time. Once this cell
# has run, the piece is used up, in a sense: whoever changes a recipe because of what it says, and measures again, has
# made it a validation piece.
#
# The ideal masks (notebook 01) take part as ceilings, and the mixture as the floor. How did phase 1 and phase 2 do?

# %%
from lass_lab.datasets import list_pieces
from lass_lab.experiments.evaluation import evaluate
from lass_lab.experiments.paper_tables import paper_tables

test = list_pieces("test")[0]
table = evaluate(separators, [test], longest=profile.seconds, oracles=True, progress=False)
tables = paper_tables(table)
formats = {"SDR": "{:.2f} dB", "SDRi": "{:.2f} dB", "correlation": "{:.4f}", "MSE": "{:.6f}"}
tables.T["violin"].style.format(formats)

# %% [markdown]
# And the same for the trumpet:

# %%
tables.T["trumpet"].style.format(formats)

# %% [markdown]
# These are the paper's two tables with our rows beneath its own. It measured a model of another size on other
# recordings, so compare directions and not values. In the paper, the trumpet gains very much and the violin pays a
# little. Which directions do our three stages show, from pretrained to phase 2? How much of the way from the floor to
# the ceilings is done? And is each of them above 0 dB in SDR, which is what silence scores? For MSE, smaller is better.
#
# ### Subtract
#
# A table of results is also a set of equations. SDRi is SDR minus something. What should SDR minus SDRi be, then, and
# from which row to which should it change? Decide before you run this.

# %%
difference = tables.xs("SDR", level="metric") - tables.xs("SDRi", level="metric")
difference.T.style.format("{:.2f} dB")

# %% [markdown]
# What is left is the mixture's own SDR. It belongs to the recording: no separator has any part in it, and in our rows
# it is the same for all of them, down to the last digit. Now look at the paper's two rows. For one and the same
# recording they can only be equal.
#
# They are not, for either instrument, and we cannot tell why: other excerpts before and after, a mean taken over other
# slices, a reference of another level? It is not what the paper wanted to show, yet it says that *before* and *after*
# were not measured on quite the same thing, and a part of each gain may be that. One subtraction found it.
#
# There are two more slips of that kind, and you have met both in notebook 05:
#
# - the new output layer puts two 1x1 convolutions in a row with nothing between them: one linear map, with many more
#   parameters and no more capacity;
# - it is said to take 512 channels in and give one out. AudioSep's decoder ends in 32 channels and needs three for its
#   mask, so this fits only with a lift in front of it and a mask of magnitudes behind.
#
# None of this makes the paper's idea wrong. A careful reader multiplies out, subtracts, and counts channels.
#
# ### Figures 1 and 2
#
# Numbers sum up; pictures show where. Here is one slice of the test piece for each instrument, in the order of the
# table, on one colour scale: the mixture, the target, and the three estimates.

# %%
from IPython.display import HTML

from lass_lab.course.plots import compare_spectrograms, figure_html
from lass_lab.datasets import load_piece

piece = load_piece(test)
cut, heard, page = piece.slice(20, 5), {}, ""
for number, (source, target) in enumerate(cut.sources.items(), 1):
    estimates = {name: each.separate(cut.mixture, source, progress=False) for name, each in separators.items()}
    heard[source] = {"mixture": cut.mixture, f"target: {source}": target, **estimates}
    figure = compare_spectrograms(heard[source], max_khz=6, db_range=50)
    figure.set_size_inches(13, 2.7)
    page += figure_html(figure, f"Figure {number}. Asked for the {source}: what it should be, and three stages.").data
HTML(page)

# %% [markdown]
# In each figure, follow one harmonic of the target from panel to panel. Which estimate has lost it? Which shows lines
# that the target does not have, and whose are they? Now the same by ear:

# %%
HTML("".join(f"<p>Asked for the {source}:</p>{players(sounds).data}" for source, sounds in heard.items()))

# %% [markdown]
# ## Part 3: how sure?
#
# One number for a whole piece does not say how much it owes to that piece. Cut into slices of five seconds, it is many
# numbers. How far apart are they?

# %%
import matplotlib.pyplot as plt

from lass_lab.course.plots import COLOURS

rows = table[(table["extent"] == "slice") & (table["metric"] == "SDR")]
slices = rows.pivot(index=["source", "start_s"], columns="separator", values="value")
figure, axes = plt.subplots(1, 2, figsize=(12, 3), sharey=True, layout="constrained")
for ax, source in zip(axes, heard, strict=True):
    for name, colour in zip((*separators, "ideal ratio mask"), COLOURS, strict=False):
        slices.loc[source][name].plot(ax=ax, marker="o", label=name, color=colour)
    ax.set(title=source, xlabel="start of the slice (s)", ylabel="SDR (dB)")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
figure_html(figure, "SDR on each slice of the test piece in which the source can be heard, by separator.")

# %% [markdown]
# Some slices are easy and some are hard. Do the lines rise and fall together?
#
# ### An interval, by hand
#
# If the musicians had played another minute, the mean over slices would be another one. By how much? The *bootstrap*
# asks the only data there is: draw as many slices as there are, with putting back, take the mean, and do it again and
# again. The middle 95% of those means are the interval.

# %%
from lass_lab.experiments.evaluation import summarise

rng = np.random.default_rng(0)


def redrawn_means(values):
    return rng.choice(values, (2000, len(values))).mean(axis=1)


low, high = np.percentile(redrawn_means(slices.loc["trumpet"]["phase 2"]), [2.5, 97.5])
print(f"by hand: {low:.2f} to {high:.2f} dB")
summary = summarise(table)
chosen = summary[(summary["source"] == "trumpet") & (summary["separator"] == "phase 2")]
chosen.set_index("metric")[["mean", "low", "high", "slices"]].style.format(precision=4)

# %% [markdown]
# The row SDR is our own interval: `summarise` does the same with the same seed. The last column says from how many
# slices; out of very few, even this comes out too narrow. And note what such an interval is about: other slices *of
# this piece*, with these players in this room. Neighbouring slices are relatives (notebook 04), which narrows it
# further. About other pieces it says nothing at all: of pieces, we have tested one.
#
# ### Differences, slice by slice
#
# Is phase 2 better than what was before it? One could look whether two intervals overlap. But both separators heard
# *the same* slices, and what is hard for one is often hard for the other. So take the difference on every slice first,
# and the interval of that. Predict: which interval is narrower, that of the differences, or the one that treats the
# slices of the two as if they had nothing to do with each other?

# %%
rows = {}
for source in heard:
    for before in ("pretrained", "phase 1"):
        after, old = slices.loc[source]["phase 2"].to_numpy(), slices.loc[source][before].to_numpy()
        paired = np.percentile(redrawn_means(after - old), [2.5, 97.5])
        apart = np.percentile(redrawn_means(after) - redrawn_means(old), [2.5, 97.5])
        rows[f"{source}: phase 2 minus {before}"] = {
            "mean (dB)": f"{np.mean(after - old):+.2f}",
            "95%, slice by slice": "{:+.2f} to {:+.2f}".format(*paired),
            "95%, as if unrelated": "{:+.2f} to {:+.2f}".format(*apart),
            "alike from slice to slice": f"{np.corrcoef(after, old)[0, 1]:.2f}",
        }
pd.DataFrame(rows).T

# %% [markdown]
# The last column is the correlation of the two lines above. The nearer it is to 1, the more of the ups and downs cancel
# in the difference, and the sharper the paired interval; where it is below 0 there is nothing to cancel, and pairing
# costs. Compare the two columns of intervals in each row.
#
# Then read the signs. Where the interval slice by slice lies on one side of zero, the two separators differ on music
# like this piece. Where it holds zero, this piece cannot tell them apart, whatever the mean may look like. And with
# four intervals on the table, one that just misses zero is no sensation: each of them is wrong one time in twenty.
#
# By the way: it does not matter whether we subtract SDR or SDRi. The mixture's own SDR drops out, as it has to.
#
# ## Part 4: ask your ears
#
# Can anybody *hear* the difference? To find out without fooling oneself takes three things. The same level, because
# what is louder sounds better. A question with a right answer. And not knowing which is which.
#
# That is an *A/B/X* test. A and B are two estimates of the violin, the pretrained separator's and that of phase 2: did
# the violin change audibly? X is one of them. Decide now how many trials you will do; here it is ten.

# %%
from lass_lab.course.nb07.abx import abx_test

excerpt = profile.cut(piece.mixture)
names = "pretrained", "phase 2"
violins = [separators[name].separate(excerpt, "violin", progress=False) for name in names]
abx_test(*violins, names=names, trials=10, seed=1)

# %% [markdown]
# The *p-value* is how often somebody who hears nothing and throws a coin would do at least as well. When it is small,
# you heard something, though not necessarily something better. When it is large, you have shown nothing: it is no proof
# that they are the same. With few trials it can hardly be small. Change the seed for another round, or `violin` and
# the names for another question.
#
# ### Exercise 2: the p-value
#
# A guesser gets each trial right with probability one half. With which probability does a guesser get *at least*
# `right` of `trials` right? (`math.comb(n, k)` counts in how many ways `k` of `n` can be right.)

# %%
from lass_lab.course.nb07.checks import check_p_value


def p_value(right, trials):
    """A probability, 0 to 1."""
    return ...


check_p_value(p_value)

# %% [markdown]
# ### Stop when it looks good?
#
# Why decide the number of trials beforehand? Suppose somebody who only guesses looks at the p-value after every trial,
# and stops, happily, as soon as it is below 0.05. Of many such guessers, how many will "hear a difference" within
# forty trials? Write down your guess.

# %%
from functools import cache

from lass_lab.course.nb07.abx import abx_p_value

trials = np.arange(1, 41)
right = rng.integers(0, 2, (20_000, len(trials))).cumsum(axis=1)
small = np.vectorize(cache(abx_p_value))(right, trials) < 0.05
_, ax = plt.subplots(figsize=(7, 2.6), layout="constrained")
ax.plot(trials, 100 * np.maximum.accumulate(small, axis=1).mean(axis=0), color=COLOURS[5], label="looks every time")
ax.plot(trials, 100 * small.mean(axis=0), color=COLOURS[0], label="looks once, here")
ax.set(xlabel="trials", ylabel="guessers with p < 0.05 (%)", ylim=(0, None))
ax.legend(frameon=False)
figure_html(ax, "Guessers who seem to hear a difference: when they look after every trial, and when they look once.")

# %% [markdown]
# The lower curve keeps what the p-value promises, one in twenty or less (these guessers, too, are only a sample). It
# has teeth because counts are whole numbers. The upper one has no limit but patience. The same goes for training runs:
# who tries recipes until the test piece says yes has thrown coins until it said so.
#
# ## Part 5: the failure gallery
#
# Four evaluations of one slice of the test piece, each broken in another way. No error was raised; each would have
# printed a table. The faults, in no order:
#
# - **wrong sample rate**: files at 44,100 samples a second were taken for files at 32,000;
# - **clipped mixture**: it was recorded too loud, and its peaks are cut off;
# - **leaked slice**: this slice was in training. Notebook 04 had relatives in training; here it is the slice itself;
# - **constant query vector**: the separation network gets the same condition, whatever the words say.
#
# First by ear. Each exhibit has the mixture, and then target and estimate for either instrument.

# %%
from lass_lab.course.nb07.gallery import hang_gallery

study = [load_piece(name).slice(20, 5) for name in list_pieces("train")]
gallery = hang_gallery(separators["phase 2"], piece, 30, study, seed=4)
HTML("".join(f"<p><b>Exhibit {letter}</b></p>{each.players().data}" for letter, each in gallery.exhibits.items()))

# %% [markdown]
# Which did you hear at once, and which not at all? Now by number. The *control* is the same slice, evaluated as it
# should be. A mixture that is exactly the sum of its sources leaves -100 dB.

# %%
gallery.table().style.format("{:.1f}").format("{:.3f}", subset=(["likeness of the two estimates"], slice(None)))

# %% [markdown]
# ### Exercise 3: name the faults
#
# For each exhibit, look for a number that is not as it should be; one of them is too good. You may leave some open. The
# check says of each exhibit you name what gives it away, or why it is something else.

# %%
from lass_lab.course.nb07.checks import check_gallery

faults = {
    "A": ...,  # "wrong sample rate", "clipped mixture", "leaked slice" or "constant query vector"
    "B": ...,
    "C": ...,
    "D": ...,
}
check_gallery(gallery, faults)

# %% [markdown]
# Cover all rows but the mean SDRi, and look once more: which exhibits would you have believed? A mean is where a fault
# hides best. And a result that is too good deserves at least as much suspicion as one that is too bad.
#
# ## What we take along

# %%
from lass_lab.course import ledger

name = "07_evaluation"
for row in summary[summary["separator"] == "phase 2"].itertuples():
    unit = "dB" if "SDR" in row.metric else ""
    ledger.record(name, f"{row.source}, {row.metric} after phase 2, test piece", row.value, unit)
for source in heard:
    change = (slices.loc[source]["phase 2"] - slices.loc[source]["pretrained"]).mean()
    ledger.record(name, f"{source}, SDR gained since pretrained, mean over slices", change, "dB")
ledger.read(name)[["name", "value", "unit", "profile"]].style.hide().format({"value": "{:.4g}"})

# %% [markdown]
# - Know what a measure cannot see, and never compare across definitions.
# - Subtract, multiply out, count: a table is a set of equations.
# - An interval says what it was drawn over. Slices of one piece are not pieces.
# - What was heard by both is compared slice by slice.
# - Decide what to measure, and how often, before you look.
#
# **Try:** put `tempus`, whose instruments are in no training, in place of the test piece (`test = "tempus"`). Predict
# first which of the rows above will fall, and which will not.
#
# The answers to the exercises are in [the solutions](solutions/07_evaluation.ipynb). Notebook 08 asks what this one
# did not: what became of all the other instruments.
