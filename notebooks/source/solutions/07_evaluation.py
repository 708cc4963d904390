# %% [markdown]
# # Solutions to 07 Evaluation
#
# {{badge}}
#
# {{navigation}}
#
# One way to solve each exercise; yours may look different and pass the same check.

# %%
# {{bootstrap}}

# %% [markdown]
# ## Exercise 1: what silence cannot buy
#
# The best gain on the source is its inner product with the estimate over its own energy. The same measure is taken of
# the estimate and of the mixture, each with a gain of its own.

# %%
import numpy as np

from lass_lab.course.nb07.checks import check_si_sdri


def si_sdri(source, estimate, mixture):
    def score(heard):
        scaled = (heard @ source) / (source @ source) * source
        return 10 * np.log10(np.sum(scaled**2) / np.sum((heard - scaled) ** 2))

    return score(estimate) - score(mixture)


assert check_si_sdri(si_sdri)

# %% [markdown]
# Source and estimate may even change places: after the best gain, all that is left is the angle between the two. Means
# stay where they are; an estimate with an offset has an error.
#
# ## Exercise 2: what subtraction scores
#
# With $x = v + t$, the error of $x - \hat v$ as an estimate of the trumpet is $x - \hat v - t = v - \hat v$: the
# violin's own error, with its sign changed. So
#
# $$\mathrm{SDR}(t, x - \hat v) = 10 \log_{10} \frac{\sum t^2}{\sum (v - \hat v)^2}
# = \mathrm{SDR}(v, \hat v) - 10 \log_{10} \frac{\sum v^2}{\sum t^2} = \mathrm{SDR}(v, \hat v) - \mathrm{SDR}(v, x),$$
#
# which is SDRi of the violin. For SDRi take off what the mixture scores for the trumpet, $-\mathrm{SDR}(v, x)$: what is
# left is SDR of the violin.

# %%
from lass_lab.course.nb07.checks import check_by_subtraction


def by_subtraction(violin_sdr, violin_sdri):
    return violin_sdri, violin_sdr


assert check_by_subtraction(by_subtraction)

# %% [markdown]
# ## Exercise 3: a paired bootstrap
#
# The difference on every slice comes first; so whatever makes a slice hard for both is gone before anything is drawn.

# %%
from lass_lab.course.nb07.checks import check_paired


def paired(after, before):
    differences = after - before
    means = np.random.default_rng(1).choice(differences, (2000, len(differences))).mean(axis=1)
    return np.percentile(means, [2.5, 97.5])


assert check_paired(paired)

# %% [markdown]
# ## Exercise 4: the p-value
#
# All orders of right and wrong are equally likely for a guesser, and there are 2 to the power of `trials` of them.
# Count those with at least so many right.

# %%
import math

from lass_lab.course.nb07.checks import check_p_value


def p_value(right, trials):
    ways = sum(math.comb(trials, count) for count in range(right, trials + 1))
    return ways / 2**trials


assert check_p_value(p_value)
{f"{right} of 10": round(p_value(right, 10), 3) for right in range(5, 11)}

# %% [markdown]
# Look for the first that is below 0.05: of ten trials, fewer right answers than that are nothing out of the ordinary.
# `scipy.stats.binomtest` counts in the same way, with `alternative="greater"`.
#
# ## Exercise 5: name the faults

# %%
from lass_lab.course.nb07.checks import check_gallery
from lass_lab.course.nb07.gallery import hang_gallery
from lass_lab.datasets import list_pieces, load_piece
from lass_lab.models import load_separator

piece = load_piece(list_pieces("test")[0])
study = [load_piece(name).slice(20, 5) for name in list_pieces("train")]
gallery = hang_gallery(load_separator("tiny"), piece, 30, study, seed=4)
faults = {
    "A": "constant query vector",
    "B": "wrong sample rate",
    "C": "clipped mixture",
    "D": "leaked slice",
}
assert check_gallery(gallery, faults)

# %% [markdown]
# The separator here is the pretrained one, so the numbers differ from those of your own run; what gives each fault away
# is the same. The habits that find them are cheap: compare the length with the manifest, add up the sources and
# subtract the mixture, look at every source by itself, ask for two things and see whether two things come, and keep a
# ceiling at hand.
