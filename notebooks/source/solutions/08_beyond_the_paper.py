# %% [markdown]
# # Solutions to 08 Beyond the paper
#
# {{badge}}
#
# {{navigation}}
#
# One way to solve each exercise; yours may look different and pass the same check.

# %%
# {{bootstrap}}

# %% [markdown]
# ## Exercise 1: between two networks
#
# What the one gains in share, the other loses.

# %%
from lass_lab.course.nb08.checks import check_between


def between(before, after, share):
    return {name: (1 - share) * before[name] + share * after[name] for name in before}


assert check_between(between)

# %% [markdown]
# ## Exercise 2: beaten by none
#
# Another one beats this one where it is at least as good at both, and better at one. Two that are alike beat neither.

# %%
from lass_lab.course.nb08.checks import check_unbeaten


def unbeaten(gained, kept):
    marks = []
    for number in range(len(gained)):
        as_good = (gained >= gained[number]) & (kept >= kept[number])
        better = (gained > gained[number]) | (kept > kept[number])
        marks.append(not (as_good & better).any())
    return marks


assert check_unbeaten(unbeaten)
