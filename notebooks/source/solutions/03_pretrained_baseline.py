# %% [markdown]
# # Solutions to 03 The pretrained baseline
#
# {{badge}}
#
# {{navigation}}
#
# One way to solve each exercise; yours may look different and pass the same check.

# %%
# {{bootstrap}}

# %% [markdown]
# ## Exercise 1: an encoder block
#
# From the inside out, and the block's own input once more at the end.

# %%
from lass_lab.course.nb03.checks import check_block


def encoder_block(block, features, condition):
    inner = block.conv1(block.norm1(features, condition))
    inner = block.conv2(block.norm2(inner, condition))
    return inner + block.shortcut(features)


assert check_block(encoder_block)

# %% [markdown]
# Where the number of channels changes, `shortcut` is a 1x1 convolution, elsewhere it does nothing. Without it, every
# block would have to learn to pass on what it is given before it could learn anything else.
#
# ## Exercise 2: three channels, one mask
#
# The share is a sigmoid's; the direction is a complex number of length one.

# %%
import numpy as np

from lass_lab.course.nb03.checks import check_mask


def make_mask(size, across, up):
    share = 1 / (1 + np.exp(-size))
    direction = np.tanh(across) + 1j * np.tanh(up)
    return share * direction / np.abs(direction)


assert check_mask(make_mask)

# %% [markdown]
# ## Exercise 3: what a subtraction gains
#
# Let $x = v + t$ and $\hat v = v + e$. Then $x - \hat v = t - e$: the trumpet with the same error, its sign turned. In
# energies, and without the logarithms,
#
# $$ \mathrm{SDR}_t = \frac{t^2}{e^2}, \qquad \mathrm{SDRi}_v = \frac{v^2 / e^2}{v^2 / t^2} = \frac{t^2}{e^2}, \qquad
# \mathrm{SDRi}_t = \frac{t^2 / e^2}{t^2 / v^2} = \frac{v^2}{e^2} = \mathrm{SDR}_v $$
#
# So the trumpet's SDR is the violin's SDRi, and the trumpet's SDRi is the violin's SDR, which is its SDRi plus its SDR
# in the mixture.

# %%
from lass_lab.course.nb03.checks import check_subtraction


def gained_by_subtraction(violin_sdri, violin_in_mixture):
    return violin_sdri + violin_in_mixture


assert check_subtraction(gained_by_subtraction)
