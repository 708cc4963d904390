# %% [markdown]
# # Solutions to 09 Scale up
#
# {{badge}}
#
# {{navigation}}
#
# One way to solve each exercise; yours may look different and pass the same check.

# %%
# {{bootstrap}}

# %% [markdown]
# ## Exercise 1: what training holds
#
# A parameter that learns has four numbers, or five: weight, gradient, and two or three moments. A frozen one has one.

# %%
from lass_lab.course.nb09.checks import check_training_bytes


def training_bytes(learning, frozen, bytes_each, amsgrad):
    moments = 3 if amsgrad else 2
    return bytes_each * (frozen + learning * (2 + moments))


assert check_training_bytes(training_bytes)

# %% [markdown]
# For the full-size separation network in float32, and beside it what a batch of twelve mixtures of five seconds keeps
# for the backward pass:

# %%
import torch

from lass_lab.course.nb09.scaling import kept_on_paper
from lass_lab.models import ResUNet, ResUNetConfig

with torch.device("meta"):  # shapes alone, no memory
    network = ResUNet(ResUNetConfig.audiosep())
learning = sum(parameter.numel() for parameter in network.parameters())
print(f"weights, gradients, moments: {training_bytes(learning, 0, 4, True) / 1e9:.1f} GB")
print(f"kept for the backward pass: {12 * kept_on_paper(network.config, 5) / 1e9:.1f} GB")

# %% [markdown]
# The second number decides. It is also the one that mixed precision, a smaller batch or shorter slices bring down.
#
# ## Exercise 2: unequal shares
#
# A mean of means is the mean of all only where each stands for as many items. Elsewhere each counts by its items.

# %%
from lass_lab.course.nb09.checks import check_mean_gradient


def mean_gradient(gradients, items):
    return (items[:, None] * gradients).sum(axis=0) / items.sum()


assert check_mean_gradient(mean_gradient)

# %% [markdown]
# `numpy.average(gradients, axis=0, weights=items)` says the same in one call.
