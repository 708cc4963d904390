# %% [markdown]
# # 07 Evaluation: measure like a sceptic
#
# {{badge}}
#
# We put our numbers beside the paper's two tables, and then try hard not to believe them.
#
# **You will**
# - compute SDR, SDRi and SI-SDR, and learn what each measure cannot see;
# - measure the fine-tuned separators on the test piece, once, beside a floor that most tables lack;
# - find slips in a published table by subtracting, and test the paper's own explanations;
# - say how sure you are: a paired bootstrap, and a listening test with its p-value;
# - find the faults in four broken evaluations.
#
# {{time}} · **Study time:** about 100 minutes
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
# is wrong. For a source $s$, its estimate $\hat s$ and the mixture $x$, with sums over samples,
#
# $$\mathrm{SDR}(s, \hat s) = 10 \log_{10} \frac{\sum s^2}{\sum (\hat s - s)^2}, \qquad
# \mathrm{SDRi}(s, \hat s, x) = \mathrm{SDR}(s, \hat s) - \mathrm{SDR}(s, x).$$
#
# *SDR* (signal-to-distortion ratio) takes all that differs from the source as wrong; *SDRi*, its improvement, takes off
# what the mixture itself scores. Does the package compute the same?

# %%
import pandas as pd

from lass_lab.signal import sdr, sdr_improvement, si_sdr


def decibels(wanted, wrong):
    return 10 * np.log10(np.sum(wanted**2) / np.sum(wrong**2))


s, s_hat, x = (sound.astype(np.float64) for sound in (cut.sources["violin"], estimate, cut.mixture))
by_hand = [decibels(s, s_hat - s), decibels(s, s_hat - s) - decibels(s, x - s)]
assert np.allclose(by_hand, [sdr(s, s_hat), sdr_improvement(s, s_hat, x)])
print("by hand as by the package: SDR {:.2f} dB, SDRi {:.2f} dB".format(*by_hand))
print(f"by the package: SI-SDR {si_sdr(s, s_hat):.2f} dB")

# %% [markdown]
# *SI-SDR*, the scale-invariant one, first brings the source to the level that fits the estimate best:
#
# $$\text{SI-SDR}(s, \hat s) = 10 \log_{10} \frac{\sum (a s)^2}{\sum (\hat s - a s)^2}, \qquad
# a = \frac{\sum \hat s \, s}{\sum s^2}.$$
#
# Here it is not the same as SDR. Which gain $a$ does the estimate have, and why may an estimate that is a little too
# quiet do better in SDR than in SI-SDR? Think first, then open the answer.

# %%
from lass_lab.course.quiz import answer

gain = (s_hat @ s) / (s @ s)
answer(
    f"The gain a is {gain:.2f}. SDR counts everything that differs from the source, also a wrong level. Where an "
    "estimate holds both some of the source and some of the rest, turning it down loses source and loses error; up to "
    "a point the error is worth more. Silence is the extreme: 0 dB. SI-SDR does not pay for such caution, because any "
    "gain on the estimate leaves it as it is."
)

# %% [markdown]
# ### What they do not see
#
# The other two measures, *correlation* and *MSE* (mean squared error), compare the magnitudes of two spectrograms. To
# learn what a measure is blind to, spoil the truth on purpose. Here are five violins, each wrong in one known way.
# Listen first: which of them would you send back?

# %%
from lass_lab.signal import istft, stft

phases = np.exp(1j * np.angle(stft(x)))
spoiled = {
    "half as loud": s / 2,
    "one sample late": np.concatenate([[0], s[:-1]]),
    "upside down": -s,
    "with the mixture's phases": istft(np.abs(stft(s)) * phases, len(s)),
    "with some trumpet": s + 0.2 * (x - s),
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
# Read the table by columns. Which faults does no column but SDR's see?

# %%
answer(
    "The sign alone. A wrong level is seen by MSE, where it is the worst row; a delay and the mixture's phases by "
    "SI-SDR.\n\nSDR sees all of them. One sample is a thirtieth of a millisecond, which nobody hears, and only "
    f"{seen.loc['one sample late', 'SDR']:.1f} dB are left: the higher a harmonic, the more of its period is that.\n\n"
    "SI-SDR is at its limit (100 dB) for the wrong level, as it should be, and for the wrong sign: -1 is a gain, too. "
    "Correlation and MSE see no phase: a sign, a delay, even the mixture's phases leave them nearly perfect. "
    "But subtract the violin that is upside down from the mixture, and you hear it twice as loud."
)

# %% [markdown]
# Each of the first four rows is perfect, or nearly so, in some column. This is why tables have more than one column,
# and why we listen.
#
# Much older literature has yet another SDR, that of *BSS-eval*. It first lets a filter of 512 taps make the best of the
# source, and counts only what no filter can explain. A delay by one sample *is* such a filter, so that measure finds
# next to nothing wrong with *one sample late*. Neither is in error; they answer two questions. But never put a number
# of the one kind beside a number of the other. In this course SDR is the plain energy ratio, as in AudioSep.
#
# ### Exercise 1: what silence cannot buy
#
# In notebook 03, silence "improved" SDR wherever the mixture's was below 0 dB. The improvement of SI-SDR, SI-SDRi,
# cannot be had so cheaply. Write it, from the formula. The check uses estimates that you have not heard, and that have
# a constant added to every sample (an offset).
#
# <details><summary>Hint</summary>Two calls of one function: once for the estimate, once for the mixture.</details>
# <details><summary>Second hint</summary>Each of the two has a gain of its own; leave the means where they
# are.</details>

# %%
from lass_lab.course.nb07.checks import check_si_sdri


def si_sdri(source, estimate, mixture):
    """How many dB the estimate's SI-SDR is above the mixture's."""
    return ...


check_si_sdri(si_sdri)

# %% [markdown]
# ## Part 2: the test piece
#
# All choices so far were made on validation slices. Earlier notebooks played the test piece, and measured the
# *pretrained* separator on it; the fine-tuned separators meet it here for the first time. Once this cell has run, the
# piece is used up, in a sense: whoever changes a recipe because of what it says, and measures again, has made it a
# validation piece.
#
# The ideal masks (notebook 01) take part as ceilings, and the mixture as the floor. How did phase 1 and phase 2 do?

# %%
from lass_lab.datasets import list_pieces
from lass_lab.experiments.evaluation import SUBTRACTION, evaluate
from lass_lab.experiments.paper_tables import paper_tables

test = list_pieces("test")[0]
table = evaluate(separators, [test], longest=profile.seconds, oracles=True, progress=False)
tables = paper_tables(table)
asked = tables[[name for name in tables if not name.endswith(SUBTRACTION)]]
formats = {"SDR": "{:.2f} dB", "SDRi": "{:.2f} dB", "correlation": "{:.4f}", "MSE": "{:.6f}"}
asked.T["violin"].style.format(formats)

# %% [markdown]
# And the same for the trumpet:

# %%
asked.T["trumpet"].style.format(formats)

# %% [markdown]
# These are the paper's two tables with our rows beneath its own. It measured a model of another size on other
# recordings, so compare directions and not values. In the paper, the trumpet gains very much and the violin loses a
# little. Which directions do our three stages show? How much of the way from the mixture to the phase-sensitive mask
# is done? Is each above 0 dB in SDR, which is what silence scores?

# %%
scores = asked.xs("SDR", level="metric")
gone = scores.sub(scores["mixture"], axis=0).div(scores["phase-sensitive mask"] - scores["mixture"], axis=0)
answer(
    "".join(
        f"The {source}: {scores.loc[source, 'pretrained']:.1f}, {scores.loc[source, 'phase 1']:.1f} and "
        f"{scores.loc[source, 'phase 2']:.1f} dB; {gone.loc[source, 'pretrained']:.0%} of the way before, "
        f"{gone.loc[source, 'phase 2']:.0%} after.\n\n"
        for source in scores.index
    )
    + "Both gain, unlike the paper's. "
    + ("Not all are" if (scores[["pretrained", "phase 1", "phase 2"]] < 0).any(axis=None) else "All are")
    + " above the 0 dB of silence."
)

# %% [markdown]
# ### Subtract the columns
#
# A table of results is also a set of equations. SDRi is SDR minus something. SDR minus SDRi is the mixture's own SDR.
# May it differ from row to row? And when the mixture is the sum of two sources, $x = v + t$, how are the two columns
# related?
#
# <details><summary>Hint</summary>For the violin, the mixture's error is the trumpet, and the other way
# round.</details>

# %%
difference = (asked.xs("SDR", level="metric") - asked.xs("SDRi", level="metric")).T
difference["sum of both"] = difference.sum(axis=1)
assert abs(difference.loc["mixture", "sum of both"]) < 0.01
difference.style.format("{:+.2f} dB")

# %% [markdown]
# It belongs to the recording: no separator has any part in it, and in our rows
# it is the same for all of them. And of two sources the one is the other's error,
#
# $$\mathrm{SDR}(v, x) = 10 \log_{10} \frac{\sum v^2}{\sum t^2} = -\,\mathrm{SDR}(t, x),$$
#
# so our two columns have opposite signs and add up to nothing. Now the paper's two rows. What is wrong with them?

# %%
first, second = difference.loc["paper before"], difference.loc["paper after"]
answer(
    f"First: the rows differ. From before to after the violin's goes from {first['violin']:+.2f} to "
    f"{second['violin']:+.2f} dB, the trumpet's from {first['trumpet']:+.2f} to {second['trumpet']:+.2f} dB.\n\n"
    "Second, and stronger: the two columns must be each other's negatives, and they add up to "
    f"{first['sum of both']:+.2f} dB before and {second['sum of both']:+.2f} dB after. After fine-tuning both are "
    "above 0 dB, as if each instrument were louder than the other.\n\nWe cannot tell why: other excerpts, means over "
    "different slices, references at another level than in the mixture? But a part of each change may be just that."
)

# %% [markdown]
# Notebook 05 found two more: the new output layer is three linear maps in a row, which is one linear map with more
# parameters and no more capacity; and it gives one channel where AudioSep's mask needs three. None of this makes the
# paper's idea wrong. A careful reader multiplies out, subtracts, and counts channels.
#
# ### The floor that is missing
#
# The mixture and silence are floors for the trumpet. There is a higher one: take the separator's estimate of the
# *violin* away from the mixture, and call the rest the trumpet. That works with one that was never taught a trumpet.
#
# ### Exercise 2: what subtraction scores
#
# A mixture is the sum of a violin and a trumpet. Somebody estimated the violin, and tells you the two numbers of that
# estimate, its SDR and its SDRi. Which SDR and SDRi does the *trumpet* have, if mixture minus estimate stands for it?
# These two numbers are enough: start from the formulas above.
#
# <details><summary>Hint</summary>Write down the error of the trumpet's estimate, (mixture - estimate) - trumpet, and
# replace the mixture by what it is the sum of.</details>
# <details><summary>Second hint</summary>The error is the violin's own, with the sign changed. So only the numerator of
# SDR is another one; and you know the two mixtures' SDRs from each other.</details>

# %%
from lass_lab.course.nb07.checks import check_by_subtraction


def by_subtraction(violin_sdr, violin_sdri):
    """SDR and SDRi (dB) of the trumpet."""
    return ...


check_by_subtraction(by_subtraction)

# %% [markdown]
# So every paper that prints both numbers for one of two sources has printed this floor, too. What remains of the gain
# on the trumpet, then, here and in the paper?

# %%
rows = {}
for name in ("paper before", "paper after", "pretrained", "phase 1", "phase 2"):
    scores = tables.loc[("trumpet", "SDR"), name], tables.loc[("violin", "SDRi"), name]
    rows[name] = {"trumpet, asked for": scores[0], "by subtraction": scores[1], "difference": scores[0] - scores[1]}
    if name + SUBTRACTION in tables:
        assert np.isclose(scores[1], tables.loc[("trumpet", "SDR"), name + SUBTRACTION], atol=0.01)
floors = pd.DataFrame(rows).T
floors.style.format("{:+.2f} dB")

# %%
paper, trained, start, _, end = floors.to_numpy()
answer(
    f"Asked for the trumpet, our separator went from {start[0]:.1f} to {end[0]:.1f} dB. {start[1]:.1f} dB could be had "
    f"from the pretrained one, by subtraction; {end[0] - start[1]:.1f} dB are new.\n\nThat floor is the separator's "
    "before training. Within one row, the difference says only which estimate has the smaller error: for the "
    "violin it is the same number with the other sign. So one of two sources is always above subtraction, and the "
    f"other below it, however well both were learnt. After phase 2 the trumpet is at {end[2]:+.1f} dB.\n\n"
    f"The paper's trumpet has {trained[0]:.2f} dB after fine-tuning, and {paper[1]:.2f} dB by subtraction before (as "
    "far as its numbers fit together). What it learnt is to answer to the word. That is needed where more than two "
    "sources play; but it is no trumpet that could not be had before."
)

# %% [markdown]
# ### Figures 1 and 2
#
# Numbers sum up; pictures show where. Five seconds of the test piece for each instrument, on one colour scale: the
# mixture, the target, and the estimates before and after.

# %%
from lass_lab.datasets import load_piece

piece = load_piece(test)
excerpt = piece.slice(20, min(30, profile.seconds or 30))
queries, heard = list(excerpt.sources), {}
both = {name: each.separate(excerpt.mixture, queries, progress=False) for name, each in separators.items()}
for place, (source, target) in enumerate(excerpt.sources.items()):
    sounds = {"mixture": excerpt.mixture, f"target: {source}": target}
    sounds |= {name: each[place] for name, each in both.items()}
    heard[source] = {name: sound[: 5 * 32_000] for name, sound in sounds.items()}

# %%
from IPython.display import HTML

from lass_lab.course.nb07.plots import show_estimates
from lass_lab.course.plots import figure_html

page = ""
for number, (source, sounds) in enumerate(heard.items(), 1):
    figure = show_estimates({name: sound for name, sound in sounds.items() if name != "phase 1"})
    page += figure_html(figure, f"Figure {number}. Asked for the {source}: the target, before and after.").data
HTML(page)

# %% [markdown]
# In each figure, follow one harmonic of the target from panel to panel. Which estimate has lost it? Which shows lines
# that the target does not have, and whose are they? Now the same by ear, phase 1 too:

# %%
HTML("".join(f"<p>Asked for the {source}:</p>{players(sounds).data}" for source, sounds in heard.items()))

# %% [markdown]
# ### The paper's explanations, tested
#
# Why does the paper's violin lose, and ours gain? Look at what our estimates of the violin are made of. Fit both true
# sources to each estimate (least squares): a gain of 1 means all of a source, 0 nothing of it;
# *rest* is the energy that no gain explains, against the estimate's.

# %%
from lass_lab.course.nb07.errors import make_up, sdr_by_band, sdr_by_register

violins = {name: found[0] for name, found in both.items()}
held = make_up(excerpt.sources, violins)
held.style.format("{:.2f}")

# %%
answer(
    f"The pretrained violin holds {held.loc['pretrained', 'trumpet']:.0%} of the trumpet's amplitude, a sound that it "
    f"had not learnt to name; after phase 2, {held.loc['phase 2', 'trumpet']:.0%}. Our violin gains as it loses the "
    f"trumpet. The paper's began at {tables.loc[('violin', 'SDR'), 'paper before']:.1f} dB, so with next to no trumpet "
    "in it: there was little to gain, and something to lose by training for another sound. What is wrong now is mostly "
    f"the rest ({held.loc['phase 2', 'rest (dB)']:.0f} dB): errors that differ from note to note and band to band, "
    "which no single gain describes."
)

# %% [markdown]
# The paper supposes that what is still wrong lies in the mid-low range, where the two instruments overlap. That can be
# measured: SDR in each third-octave band (from the energies of a Fourier transform), and SDR by the pitch of the note
# that is played (a third of the playing time each), because a low note has high harmonics, too.

# %%
from lass_lab.course.nb07.plots import show_bands

bands, registers = {}, {}
for place, (source, target) in enumerate(excerpt.sources.items()):
    found = {name: each[place] for name, each in both.items()}
    bands[source], registers[source] = sdr_by_band(target, found), sdr_by_register(target, found)
figure_html(show_bands(bands), "SDR in third-octave bands (lines), and how much of the source is in each band (bars).")

# %%
pd.concat(registers, names=["source", "pitch of the note"]).style.format("{:.1f} dB")

# %% [markdown]
# Is the mid-low range (250 to 1000 Hz, say) where the error is? And compare each line with the bars of the *other*
# panel: where does it dip?

# %%
told = ""
for source, rows in bands.items():
    share = rows["share of the target"]
    error = share / 10 ** (rows["phase 2"] / 10)
    wrong, there = (each.loc[250:1000].sum() / each.sum() for each in (error, share))
    told += (
        f"The {source}, after phase 2: {wrong:.0%} of the error's energy lies from 250 to 1000 Hz, and {there:.0%} of "
        f"the source. {'More of the error: it does' if wrong > there else 'Less of the error: it does not do'} "
        f"worse there. The worst third of the notes, by pitch, is {registers[source]['phase 2'].idxmin()}.\n\n"
    )
answer(
    told
    + "Each estimate is worst where the other instrument is loud, so in narrow bands the paper's explanation holds."
)

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
# ### Exercise 3: a paired bootstrap
#
# On another minute of such music the mean over slices would differ. By how much? The *bootstrap* draws again from the
# data at hand. From $n$ slices draw $n$, with replacement, and take their mean, $\bar d^*$; do it 2000
# times. The middle 95% of those means are the *percentile interval*
#
# $$\bigl[\, q_{0.025}(\bar d^*),\; q_{0.975}(\bar d^*) \,\bigr].$$
#
# Is phase 2 better than what was before it? Both heard *the same* slices, and what is hard for one is often hard for
# the other. Write the interval of the mean difference that uses this. Both arrays have one number (dB) a slice, in the
# same order. Predict: will it be narrower than the interval for two that were measured on different slices?
#
# <details><summary>Hint</summary>A drawn slice is drawn for both.</details>
# <details><summary>Second hint</summary>Take the difference first; then there is one number a slice.
# <code>rng.choice(d, (2000, len(d)))</code> draws, <code>np.percentile(means, [2.5, 97.5])</code> ends it.</details>

# %%
from lass_lab.course.nb07.checks import check_paired


def paired(after, before):
    """Lower and upper end (dB) of the 95% interval of the mean of after - before."""
    return ...


check_paired(paired)

# %% [markdown]
# Here is what it gives, as the package computes it, beside the interval that takes the two for unrelated. (The
# mean over slices is not the whole piece's value: there, loud slices count more.)

# %%
from itertools import product

from lass_lab.experiments.evaluation import bootstrap, summarise

rng, rows = np.random.default_rng(0), {}
for source, before in product(heard, ("pretrained", "phase 1", "pretrained" + SUBTRACTION)):
    pairs = slices.loc[source][["phase 2", before]].dropna().to_numpy().T
    apart = np.diff([rng.choice(each, (2000, len(each))).mean(axis=1) for each in pairs[::-1]], axis=0)
    rows[f"{source}: phase 2 minus {before}"] = {
        "mean (dB)": f"{np.mean(pairs[0] - pairs[1]):+.2f}",
        "95%, paired": "{:+.2f} to {:+.2f}".format(*bootstrap(pairs[0] - pairs[1])),
        "95%, as if unrelated": "{:+.2f} to {:+.2f}".format(*np.percentile(apart, [2.5, 97.5])),
        "correlation of the two": f"{np.corrcoef(pairs)[0, 1]:.2f}",
    }
pd.DataFrame(rows).T

# %% [markdown]
# The last column is the correlation over slices. The nearer it is to 1, the more of the ups and downs cancel in the
# difference, and the narrower the paired interval; where it is below 0, the unpaired interval is too
# narrow. The paired one is right in both cases.
#
# Then read the signs. Where a paired interval lies on one side of zero, the two differ on music like this piece. Where
# it includes zero, this piece cannot tell them apart, whatever the mean may be. And with six intervals on the table,
# one that just misses zero proves little: each of them is wrong one time in twenty. Note what they are about, too:
# other slices *of this piece*, in this rendering. Neighbouring slices resemble each other (notebook 04),
# which makes an interval too narrow. About other pieces it says nothing: of pieces, we have tested one.
#
# It does not matter whether we subtract SDR or SDRi: the mixture's own SDR drops out, as it has to.
#
# ### What a synthetic piece cannot say
#
# A program played this piece. How do real performances compare? The pretrained weights were measured on some for their
# card: three seconds each of musicians alone (Medley-solos-DB, CC BY 4.0), mixed in pairs. Their sound is not part of
# the course; the numbers are the card's:

# %%
from lass_lab.signal.files import data_dir

card = (data_dir() / "tiny" / "MODEL_CARD.md").read_text(encoding="utf-8").splitlines()
wanted = [line.strip("| ").split(" | ") for line in card if "random pairs" in line and line.startswith("|")]
rendered, recorded = float(wanted[0][1]), next(float(line[1]) for line in wanted if "real performances" in line[0])
assert 0.6 < recorded / rendered < 0.73
pd.DataFrame(wanted, columns=["measured on", "mean", "95% interval", "mixtures"]).style.hide()

# %% [markdown]
# On recordings, the same separator gains about two thirds as much. Read every number of this notebook with that in
# mind; no trumpet that somebody recorded was measured at all, neither before fine-tuning nor after.
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

names = "pretrained", "phase 2"
abx_test(*(violins[name] for name in names), names=names, trials=10, seed=1)

# %% [markdown]
# The *p-value* is how often somebody who hears nothing and throws a coin would do at least as well. When it is small,
# you heard something, though not necessarily something better. When it is large, you have shown nothing: it is no proof
# that they are the same. With few trials it can hardly be small. Change the seed for another round, or `violin` and
# the names for another question.
#
# ### Exercise 4: the p-value
#
# A guesser gets each trial right with probability one half. With which probability does a guesser get *at least*
# `right` of `trials` right?
#
# <details><summary>Hint</summary><code>math.comb(n, k)</code> counts in how many ways k of n can be right.</details>
# <details><summary>Second hint</summary>All orders of right and wrong are equally likely; how many are there?</details>

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
answer(
    f"{small.any(axis=1).mean():.0%} of 20,000 simulated guessers, against {small[:, -1].mean():.0%} of those who look "
    "once, after forty trials. With enough patience every guesser succeeds. The same holds for training runs: to "
    "try recipes until the test piece says yes is to stop when it looks good."
)

# %% [markdown]
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
gallery.table().style.format("{:.1f}").format("{:.3f}", subset=(["correlation of the two estimates"], slice(None)))

# %% [markdown]
# ### Exercise 5: name the faults
#
# For each exhibit, look for a number that is not as it should be. You may leave some open. The check says of each
# exhibit you name what gives it away, or why it is something else.
#
# <details><summary>Hint</summary>Each fault breaks something that has to be true: how long a slice is, what a mixture
# is the sum of, that two queries get two answers, that a ceiling is above what is measured.</details>
# <details><summary>Second hint</summary>One of the four is too good, and only on this slice.</details>

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
for row in summarise(table).query("separator == 'phase 2'").itertuples():
    unit = "dB" if "SDR" in row.metric else ""
    ledger.record(name, f"{row.source}, {row.metric} after phase 2, test piece", row.value, unit)
for source in heard:
    change = (slices.loc[source]["phase 2"] - slices.loc[source]["pretrained"]).mean()
    ledger.record(name, f"{source}, SDR gained since pretrained, mean over slices", change, "dB")
ledger.record(name, "trumpet by subtraction, SDR after phase 2", floors.loc["phase 2", "by subtraction"], "dB")
ledger.read(name)[["name", "value", "unit", "profile"]].style.hide().format({"value": "{:.3g}"})

# %% [markdown]
# - Know what a measure cannot see, and never compare across definitions.
# - Subtract, multiply out, count: a table is a set of equations.
# - Of two sources, the second can be had by subtraction: a gain counts from there.
# - An interval says what it was drawn over. Slices of one piece are not pieces.
# - Compare two separators slice by slice, on the slices that both heard.
# - Decide what to measure, and how often, before you look.
#
# **Try:** repeat the A/B/X test with the two estimates of the trumpet (`both[name][1]`). Predict first how many of ten
# you will get right.
#
# The answers to the exercises are in [the solutions](solutions/07_evaluation.ipynb). Notebook 08 asks what this one
# did not: what became of all the other instruments.

# %%
from lass_lab.course.quiz import quiz

quiz("07")
