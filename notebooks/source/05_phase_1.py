# %% [markdown]
# # 05 Phase 1: a new word for a new sound
#
# {{badge}}
#
# We teach the separator the trumpet, from two duets, while its query network is frozen.
#
# **You will**
# - take the paper's new output layer apart, and find that it is less than it looks;
# - build one that can learn more and forgets nothing;
# - watch a training run: its loss, its learning rate, and what a slice sounds like on the way;
# - prove that what was meant to be frozen was.
#
# {{time}}
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## The output layer
#
# The last layer of the separation network, its *head*, makes three mask channels out of the decoder's features. The
# paper replaces it: up to 512 channels by a 1x1 convolution, a *depthwise separable* 1x1 convolution there, and down
# to one. That is some 18 thousand numbers in place of about a hundred at full size. What can they do that the old
# layer could not?

# %%
import torch

from lass_lab.course.profile import current
from lass_lab.models.heads import SeparableHead

profile = current()
torch.manual_seed(0)
head = SeparableHead(channels=32)
features = torch.randn(1, 32, 50, 100)
three_in_a_row = head.pointwise(head.depthwise(head.lift(features)))
weight, bias = head.kernel()
one = torch.nn.functional.conv2d(features, weight[:, :, None, None], bias)
print(f"parameters of the three: {sum(p.numel() for p in head.parameters()):,}; of the one: {weight.numel() + 1}")
print(f"largest difference between them: {(three_in_a_row - one).abs().max().item():.1e}")

# %% [markdown]
# The two lines say it: the many parameters of the three compute exactly what the few of the one can. A 1x1
# convolution is a matrix that is applied at every point of the picture; two of them in a row are a product of
# matrices, which is a matrix again. No *nonlinearity* stands between them, so the new layer adds parameters and no
# capacity. It is a good habit to multiply such things out before training them.
#
# **Exercise 1.** The same without convolutions: `lift` is a matrix, `factors` one number for each row of what it
# gives, `lower` a matrix. Which one matrix does what the three do in a row?

# %%
from lass_lab.course.nb05.checks import check_one_matrix


def one_matrix(lift, factors, lower):
    """One matrix, outputs by channels."""
    return ...


check_one_matrix(one_matrix)

# %% [markdown]
# What does replacing the head do to everything that the network knew? We give the pretrained separator each head in
# turn, train nothing, and ask for the violin.

# %%
from copy import deepcopy

import pandas as pd

from lass_lab.datasets import list_pieces, load_piece
from lass_lab.experiments.evaluation import validation_pieces
from lass_lab.models import load_separator
from lass_lab.models.heads import HEADS
from lass_lab.signal import sdr

piece = validation_pieces()[0].slice(0, 10)

# %%
before, rows = load_separator("tiny"), {}
for kind in HEADS:
    separator = deepcopy(before)
    if kind != "audiosep":
        separator.network.replace_head(kind)
    estimate = separator.separate(piece.mixture, "violin", progress=False)
    rows[kind] = {"parameters": sum(p.numel() for p in separator.network.head.parameters())}
    rows[kind] |= {"SDR at step 0 (dB)": sdr(piece.sources["violin"], estimate)}
pd.DataFrame(rows).T.style.format("{:,.0f}", subset=["parameters"]).format("{:.1f}", subset=["SDR at step 0 (dB)"])

# %% [markdown]
# The row `audiosep` is the pretrained separator as it is. How far below it are the two rows of the paper's head, which
# begins at random? Fine-tuning has to earn that back before it can gain anything. (`magnitude` is LASS-Net's, of
# notebook 03; it begins at random as well.) The row `preserving` starts from exactly the same value as the first. How?

# %%
import inspect

from lass_lab.models.heads import PreservingHead

print(inspect.getsource(PreservingHead))

# %% [markdown]
# Beside the old convolution stands a branch with a bend in it (the leaky ReLU), whose last layer is all zeros: it
# adds nothing, until training gives it something to add. That is the head we go on with.
#
# ## What it is trained on
#
# From what is the trumpet to be learnt? From slices of two duets, re-mixed and changed a little (notebook 04), now and
# then with a substitute in place of one player; and between them from mixtures of the old instruments alone, so that
# they are not forgotten. Each mixture is asked for both of its sources. Four items:

# %%
from IPython.display import HTML

from lass_lab.course.players import players
from lass_lab.course.runs import sized_recipe
from lass_lab.datasets import data_dir
from lass_lab.datasets.duet_mixing import FinetuningDataset
from lass_lab.datasets.mixing import SourceBank

recipe = sized_recipe("preserving", profile)
pieces = [load_piece(name) for name in list_pieces("train")]
bank = SourceBank(data_dir() / "sources", "train")
items = FinetuningDataset(pieces, bank, recipe.items, range(0, 16))

# %%
heard = [items[number] for number in (0, 1, 2, 3)]
names = [f"“{item['query']}”" + (", rehearsed" if item["rehearsed"] else "") for item in heard]
page = ""
for item, name in zip(heard, names, strict=True):
    page += players({"mixture": item["mixture"][0].numpy(), f"target for {name}": item["target"][0].numpy()}).data
HTML(page)

# %% [markdown]
# ## How fast
#
# Which loss function? The paper takes the mean absolute error of the waveform (L1). There, a loud item counts more than
# a quiet one, and an item that goes badly more than one that goes well. We will be judged by SDR, in decibels; so the
# course's recipe minimises the error's energy in decibels, and every item counts alike.

# %%
from lass_lab.experiments.losses import LOSSES

one = items[0]
target, mixture = one["target"][None], one["mixture"][None]
rows = {
    f"{share:.0%} of the target": {name: float(loss(share * target, target, mixture)) for name, loss in LOSSES.items()}
    for share in (0.0, 0.5, 0.9, 0.99)
}
pd.DataFrame(rows).T.round(4)

# %% [markdown]
# Read downwards: how much does the last step, from 90% to 99%, still earn in each column? (The decibels have a floor at
# -30, so that silence, where silence is right, cannot earn without end.)
#
# The optimiser is AdamW. Its learning rate is not constant. Why begin slowly, and end slowly? In the first steps
# AdamW's estimates of how large a gradient is rest on a handful of examples; at the end, small steps settle what large
# ones keep stirring up.

# %%
import matplotlib.pyplot as plt

from lass_lab.course.plots import COLOURS, figure_html
from lass_lab.experiments.finetuning import FinetuningData
from lass_lab.experiments.training import Schedule

steps = FinetuningData(recipe, data_dir(), bank).steps(recipe.phase1)
schedule = Schedule(steps, recipe.phase1.rate, recipe.phase1.warmup, recipe.descent)
_, ax = plt.subplots(figsize=(7, 2.2), layout="constrained")
ax.plot([recipe.phase1.rate * schedule(step) for step in range(steps)], color=COLOURS[0])
ax.set(xlabel="optimiser step", ylabel="learning rate", ylim=(0, None))
figure_html(ax, f"The learning rate over the {steps} steps of phase 1: warm-up, plateau, descent to zero.")

# %% [markdown]
# **Exercise 2.** Write it as a function of the step, counted from 0: a factor that rises in equal steps to 1 over
# `warmup` steps, stays there, and falls in equal steps to 0 over the last `descent` of all steps.

# %%
from lass_lab.course.nb05.checks import check_rate


def rate(step, steps, warmup, descent):
    """The factor on the peak rate."""
    return ...


check_rate(rate)

# %% [markdown]
# ## Train
#
# Now the run itself. It writes a checkpoint every few steps: if your kernel dies, run the cell again, and it goes on
# from there. The picture grows as it runs; the upper curve is the loss, the lower one the only number that choices
# are made by, SDRi on the last 30 s of both pieces, which are never trained on.

# %%
from lass_lab.course.live import LiveTraining
from lass_lab.course.runs import finetune_folder
from lass_lab.experiments import finetune

run = finetune_folder()
heard = piece.slice(0, 5)
live = LiveTraining(heard.mixture, "trumpet", heard.sources)
after = finetune("tiny", run, recipe, phases=["phase1"], callbacks=[live], progress=False)
print(f"{len(live.losses)} steps now; weights are in {run.name}/phase1")

# %% [markdown]
# Look at the lower curve: where does it begin, and has it levelled off? A loss that falls while this curve does not
# would mean that the slices are learnt by heart. (If the cell printed 0 steps, the run was there already: delete
# the folder to train anew.)
#
# ## Hear it learn
#
# What did “trumpet” mean before the first step, and what at each validation? Move the slider, or choose between the
# steps while they play, and watch the two curves: is the violin forgotten as the trumpet is learnt?

# %%
live.replay()

# %% [markdown]
# ## Was the query network frozen?
#
# Phase 1 promises that the query network does not move. Not "hardly": not at all. We compare every number.

# %%
moved = {
    part: sum(
        not torch.equal(value, dict(getattr(after, part).state_dict())[key])
        for key, value in getattr(before, part).state_dict().items()
        if key in getattr(after, part).state_dict()
    )
    for part in ("query_network", "network")
}
assert moved["query_network"] == 0
print({part: f"{count} tensors changed" for part, count in moved.items()})

# %% [markdown]
# Frozen is more than "no gradients": dropout and running statistics could move things too, which is why the query
# network also stands in evaluation mode. The batch norms of the separation network keep the statistics of pretraining
# as well: what is trained and what is used later are then the same function.
#
# ## What was gained
#
# The test piece has to wait for notebook 07. On the validation slices:

# %%
from itertools import product

from lass_lab.course.ledger import record
from lass_lab.course.plots import results_table
from lass_lab.experiments.evaluation import evaluate

slices = [part.slice(0, 10) for part in validation_pieces()]
table = evaluate({"pretrained": before, "phase 1": after}, slices, progress=False)
means = table[table["extent"] == "piece"].groupby(["separator", "source", "metric"], sort=False)["value"].mean()
for source, stage in product(("violin", "trumpet"), ("pretrained", "phase 1")):
    record("05_phase_1", f"SDRi of the {source}, {stage}, validation", means[stage, source, "SDRi"], "dB")
results_table(means.reset_index())

# %% [markdown]
# Read the trumpet's rows from top to bottom: the mixture, the separator before, the separator after. Then the
# violin's: has it paid, or gained? Whether anything else was paid, in instruments that are not in the duet, is a
# question for notebook 08; whether the words can still be improved, for notebook 06.
#
# ## What we take along
#
# - Layers in a row with no bend between them are one layer: multiply out what looks new before you train it.
# - A new part that begins by adding zero loses nothing of what the network knew.
# - The loss decides what counts: decibels treat all items alike, L1 does not.
# - *Frozen* means no gradients, no statistics and no dropout, and it can be proved to the last bit.
#
# **Try:** train again with `dataclasses.replace(recipe, loss="l1")` and a folder of its own in place of `run`. Predict
# first which of the two instruments will end lower. `replace(recipe, head="paper")` is the paper's new layer: how many
# steps does it take to come back to where the others begin?
#
# The answers to the exercises are in [the solutions](solutions/05_phase_1.ipynb).
