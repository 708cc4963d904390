# %% [markdown]
# # Solutions to 05 Phase 1
#
# {{badge}}
#
# {{navigation}}
#
# One way to solve each exercise; yours may look different and pass the same check.

# %%
# {{bootstrap}}

# %% [markdown]
# ## Exercise 1: one matrix for three
#
# Layers that follow one another multiply from the left, and a factor for each channel scales the rows of the matrix
# before it.

# %%
from lass_lab.course.nb05.checks import check_one_matrix


def one_matrix(lift, factors, lower):
    return lower @ (factors[:, None] * lift)


assert check_one_matrix(one_matrix)

# %% [markdown]
# ## Exercise 2: the FiLM layer
#
# The shift has one number for each item and channel, `(batch, channels)`; two more axes of length one stretch it over
# frames and bins. In the package it is `torch.nn.Linear` that multiplies and adds: `ConditionedNorm` in
# `lass_lab/models/layers.py`.

# %%
from lass_lab.course.nb05.checks import check_film


def film(features, condition, weight, bias):
    shift = condition @ weight.T + bias
    return features + shift[:, :, None, None]


assert check_film(film)

# %% [markdown]
# ## Exercise 3: the loss in decibels
#
# The means within an item come first and the one over the batch last. Ratios of sums and of means are the same here,
# because error and mixture have as many samples.

# %%
import torch

from lass_lab.course.nb05.checks import check_decibels


def decibels(estimate, target, mixture):
    error, energy = ((each**2).mean((1, 2)) for each in (estimate - target, mixture))
    return (10 * torch.log10(error / energy + 1e-3)).mean()


assert check_decibels(decibels)
