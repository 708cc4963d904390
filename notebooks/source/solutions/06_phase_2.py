# %% [markdown]
# # Solutions to 06 Phase 2
#
# {{badge}}
#
# {{navigation}}
#
# One way to solve each exercise; yours may look different and pass the same check.

# %%
# {{bootstrap}}

# %% [markdown]
# ## Exercise 1: one matrix for a frozen weight and its low-rank map
#
# What is in parallel is added, what is in a row is multiplied from the left. The rank is the length that the two thin
# matrices share: the rows of `down`, the columns of `up`. Dividing by it keeps the size of a step about the same when
# another rank is chosen.

# %%
from lass_lab.course.nb06.checks import check_low_rank


def low_rank(weight, down, up, alpha):
    rank = len(down)
    return weight + alpha / rank * (up @ down)


assert check_low_rank(low_rank)

# %% [markdown]
# ## Exercise 2: what it takes to freeze a network
#
# No gradients, so that no optimiser moves the weights; evaluation mode, so that batch norms keep their statistics and
# dropout leaves everything in.

# %%
from lass_lab.course.nb06.checks import check_freeze


def freeze(part):
    part.requires_grad_(False)
    part.eval()


assert check_freeze(freeze)
