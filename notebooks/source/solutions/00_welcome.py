# %% [markdown]
# # Solutions to 00 Welcome
#
# {{badge}}
#
# {{navigation}}
#
# One way to solve each exercise; yours may look different and pass the same check.

# %%
# {{bootstrap}}

# %% [markdown]
# ## Exercise 1: the violin in other words
#
# The query network has read many phrasings of each instrument; these words it has not.

# %%
from lass_lab.course.nb00.checks import check_words

my_words = "somebody plays the fiddle"

assert check_words(my_words)

# %% [markdown]
# ## Exercise 2: the other source
#
# The mixture is the sum of the two, sample by sample. What is left when one is taken away is the other.

# %%
from lass_lab.course.nb00.checks import check_the_other


def the_other(mixture, violin):
    return mixture - violin


assert check_the_other(the_other)
