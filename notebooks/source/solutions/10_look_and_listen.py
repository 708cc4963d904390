# %% [markdown]
# # Solutions to 10 Look and listen
#
# {{badge}}
#
# {{navigation}}
#
# One way to solve each exercise; yours may look different and pass the same check.

# %%
# {{bootstrap}}

# %% [markdown]
# ## Exercise 1: where caption and sound point
#
# A cosine is a product of two vectors of length one, so the regions are divided by their lengths first. Then two
# softmaxes, each with its scale.

# %%
import numpy as np
from scipy.special import log_softmax, softmax

from lass_lab.course.nb10.checks import check_pointing


def p_and_q(regions, caption, heard):
    unit = regions / np.linalg.norm(regions, axis=1, keepdims=True)
    return np.stack([softmax(unit @ caption / 0.07), softmax(100 * unit @ heard)])


assert check_pointing(p_and_q)

# %% [markdown]
# ## Exercise 2: the tri-modal loss
#
# Both in logarithms, so that a share too small for a float still has one.

# %%
from lass_lab.course.nb10.checks import check_trimodal


def trimodal_loss(regions, caption, heard):
    unit = regions / np.linalg.norm(regions, axis=1, keepdims=True)
    log_p, log_q = log_softmax(unit @ caption / 0.07), log_softmax(100 * unit @ heard)
    return np.sum(np.exp(log_p) * (log_p - log_q))


assert check_trimodal(trimodal_loss)

# %% [markdown]
# ## Exercise 3: what the ear should be shown
#
# The mask belongs inside the logarithm. Outside, a mask of 0 turns every magnitude into 1, whose logarithm is 0.

# %%
from lass_lab.course.nb10.checks import check_masked_log


def seen_by_the_ear(magnitude, mask):
    return np.log(mask * magnitude + 1e-10)


assert check_masked_log(seen_by_the_ear)
