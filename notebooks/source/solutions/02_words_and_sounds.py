# %% [markdown]
# # Solutions to 02 Words and sounds
#
# {{badge}}
#
# {{navigation}}
#
# One way to solve each exercise; yours may look different and pass the same check.

# %%
# {{bootstrap}}

# %% [markdown]
# ## Exercise 1: the loss
#
# `cross_entropy` takes scores and the place of the right answer in each row: softmax, logarithm and mean in one.
# Transposed, the columns become rows, and the sounds do the choosing.

# %%
import torch

from lass_lab.course.nb02.checks import check_contrastive_loss


def loss(words, sounds, temperature):
    scores = words @ sounds.T / temperature
    own = torch.arange(len(words))
    choose = torch.nn.functional.cross_entropy
    return (choose(scores, own) + choose(scores.T, own)) / 2


assert check_contrastive_loss(loss)

# %% [markdown]
# ## Exercise 2: a batch of two
#
# With two pairs of which both sounds are the same, no network can do better than guess: each word is as near to the one
# as to the other. The loss is $\ln 2$, whatever was learnt; so a batch must not hold one sound twice.

# %%
import math

words = torch.nn.functional.normalize(torch.randn(2, 16), dim=1)
same = torch.nn.functional.normalize(torch.randn(1, 16), dim=1).expand(2, 16)
of_words = torch.nn.functional.cross_entropy(words @ same.T / 0.07, torch.arange(2))
assert math.isclose(of_words.item(), math.log(2), abs_tol=1e-5)
print(f"the words' loss is {of_words.item():.4f}, and ln 2 is {math.log(2):.4f}")
