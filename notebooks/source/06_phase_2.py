# %% [markdown]
# # 06 Phase 2: let words and sound learn together
#
# {{badge}}
#
# The trumpet was learnt under one name. Now the query network may learn too, so that every name for it counts.
#
# **You will**
# - hear what other words for the trumpet bring after phase 1;
# - see what must be changed so that a loss in a waveform can reach the meaning of a word;
# - let an encoder of 22 million parameters learn by training a few thin matrices beside it;
# - watch the words move, and find out which of them moved.
#
# {{time}}
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## One word is not a language
#
# In phase 1 each mixture was asked for in one word: "violin" or "trumpet". A user may type anything. What does the
# separator of phase 1 make of other words for the same two sounds? Of those below, no training has used any but the
# two plain words.
# Predict first: will "high, ringing brass" do as well as "trumpet"?

# %%
from lass_lab.course.profile import current
from lass_lab.course.runs import find_phase1
from lass_lab.experiments.evaluation import validation_pieces
from lass_lab.experiments.probes import paraphrases
from lass_lab.models import load_separator

profile = current()
start, run, weights = find_phase1()
phase1 = load_separator(weights)
piece = validation_pieces()[0].slice(0, 10)
words_before = paraphrases("phase 1", phase1, piece)
words_before[["detail", "value"]].rename(columns={"value": "SDRi (dB)"}).style.hide().format(precision=1)

# %% [markdown]
# Compare each line in quotes with the plain word above it: which of them were understood, and which are worse than
# no separation at all (below 0 dB)? The separation network knows the trumpet now. What it does not know is that these
# words mean it: their conditions are elsewhere among the 512 numbers.
#
# ## What has to give way
#
# The loss is measured on a waveform. Can it reach a word at all? Follow it backwards: from the estimate through the
# separation network to the condition, from there into the query network. We ask one mixture for one word and look
# where gradients arrive.

# %%
import torch

mixture = torch.from_numpy(piece.mixture[:32_000])[None, None]
target = torch.from_numpy(piece.sources["trumpet"][:32_000])[None, None]
separator = load_separator(weights, precision="float32").cpu().eval()
query_network = separator.query_network.learn("low-rank")  # what that is comes below


# %%
def gradients(condition):
    separator.zero_grad()
    (separator.network(mixture, condition) - target).abs().mean().backward()
    return sum(p.grad is not None and bool(p.grad.any()) for p in separator.query_network.parameters())


condition = separator.query_network(["a brilliant fanfare"])
print("parameters of the query network that a gradient reaches:")
print({"as it is": gradients(condition), "detached": gradients(condition.detach().requires_grad_())})

# %% [markdown]
# AudioSep's published code encodes its queries under `no_grad` and detaches them: there, phase 2 would train nothing
# and say nothing. That is why the second number is worth knowing. A query network that is to learn must keep its
# gradients.
#
# ## How much of it?
#
# The query network is a sentence encoder of 22 million parameters and a small projection. Which of them should learn
# from two duets? All of them *could*; all of them would have to be stored, too.

# %%
from copy import deepcopy

import pandas as pd

from lass_lab.models.querynet import ENCODERS

rows = {}
for choice in ENCODERS:
    query_network = deepcopy(phase1.query_network).learn(choice)
    sizes = {name: p.numel() for name, p in query_network.named_parameters() if p.requires_grad}
    encoder = sum(size for name, size in sizes.items() if name.startswith("encoder."))
    rows[choice] = {"of the encoder": encoder, "with the projection": sum(sizes.values())}
pd.DataFrame(rows).T.style.format("{:,}")

# %% [markdown]
# The second row is what we take: *low-rank adaptation* (LoRA; Hu et al., 2021). The encoder's matrices are frozen.
# Beside some of them stand two thin ones, `down` and `up`, whose product is added. At the start `up` is all zeros:
# nothing has changed yet, and everything may.
#
# **Exercise 1.** Which single matrix does what a frozen weight and its low-rank map do together? The map counts
# `alpha / rank` times; `down` has the shape `(rank, inputs)`, `up` has `(outputs, rank)`.

# %%
from lass_lab.course.nb06.checks import check_low_rank


def low_rank(weight, down, up, alpha):
    """One matrix, outputs by inputs."""
    return ...


check_low_rank(low_rank)

# %% [markdown]
# ## Freezing the rest
#
# Phase 1 froze the whole query network; phase 2 still freezes most of it. What does *frozen* take? The gradient is
# the part that everybody remembers.
#
# **Exercise 2.** Write `freeze(part)`. The check trains a network around it for three steps and then compares: the
# weights, the statistics of its batch norm, and whether it answers twice alike.

# %%
from lass_lab.course.nb06.checks import check_freeze


def freeze(part):
    """Freeze a `torch.nn.Module`, in place."""
    return ...


check_freeze(freeze)

# %% [markdown]
# The same mistake is easy to make one level up: `model.train()` switches every part inside it back to training. The
# course's query network therefore overrides `train`. This is how:

# %%
import inspect

from lass_lab.models.querynet import QueryNet

print(inspect.getsource(QueryNet.train))

# %% [markdown]
# ## A rate of its own
#
# How fast may a word move? Too slowly, and the loss has no say; too fast, and it drags along everything that was
# learnt around it. We give the query network one single AdamW step at each of several rates, towards "a brilliant
# fanfare" for this trumpet, and look at two words: that one, and *violin*, which nobody asked for.

# %%
asked, bystander = "a brilliant fanfare", "violin"
moved, at_first = {}, separator.query_network
for rate in (1e-5, 1e-4, 1e-3, 1e-2):
    separator.query_network = query_network = deepcopy(at_first)
    old = query_network([asked, bystander]).detach()
    optimizer = torch.optim.AdamW([p for p in query_network.parameters() if p.requires_grad], rate)
    gradients(query_network([asked]))
    optimizer.step()
    angle = torch.rad2deg(torch.arccos((query_network([asked, bystander]).detach() * old).sum(1).clamp(-1, 1)))
    moved[f"{rate:g}"] = dict(zip((asked, bystander), angle.tolist(), strict=True))
pd.DataFrame(moved).rename_axis("turned by (degrees) at a rate of").style.format("{:.2f}")

# %% [markdown]
# AdamW's first step moves every parameter by about the rate, whatever the gradient: the rows grow with it. Read the
# last column: after a single step at that rate, is a violin still where it was? This is why the query network gets a
# small rate of its own, and why a new phase begins with a new warm-up: AdamW knows nothing yet of gradients that it has
# never seen. The separation network's rate is smaller still: it has learnt the trumpet, and now the words are to come
# to it.
#
# ## Train
#
# Phase 2 goes on from the weights of phase 1, with both networks learning, and asks in all phrasings that are for
# training; three of each instrument stay unheard. The validation slices, which choose the weights to keep, are asked
# for in such phrasings too: judged by the plain word alone, the best weights could be those that had learnt no others.
# Before you start it: which of the two curves below will move more than in phase 1, and which less?

# %%
from lass_lab.course.live import LiveTraining
from lass_lab.course.runs import sized_recipe
from lass_lab.experiments import finetune

recipe = sized_recipe("preserving", profile)
print({"separation network": recipe.phase2.rate, "query network": recipe.phase2.query_rate})
live = LiveTraining(piece.slice(0, 5).mixture, "high, ringing brass")
phase2 = finetune(start, run, recipe, phases=["phase2"], callbacks=[live], progress=False)
print(f"{len(live.losses)} steps now; weights are in {run.name}/phase2")

# %% [markdown]
# "High, ringing brass", which no training asks for: before phase 2, midway, and after it. (If only two sounds appear,
# the run was there already.)

# %%
from lass_lab.course.players import players

truth = {"the true trumpet": piece.slice(0, 5).sources["trumpet"]}
players({"mixture": live.mixture, **live.estimates, **truth})

# %% [markdown]
# ## Other words, again
#
# The phrasings of the first cell, which no training uses but for the plain words, by both separators:

# %%
from lass_lab.course.ledger import record

words_after = paraphrases("phase 2", phase2, piece)
both = pd.concat([words_before, words_after])
table = both.pivot(index="detail", columns="separator", values="value").loc[words_before["detail"]]
for source in ("violin", "trumpet"):
    mean = table.at[f"{source}: mean of the held-out", "phase 2"]
    record("06_phase_2", f"SDRi of the {source} in words never asked for, validation", mean, "dB")
table.style.format("{:.1f} dB")

# %% [markdown]
# Compare the two columns in the lines *mean* and *worst*: the mean says what a user may hope for, the worst what a
# user may get. How far is either from the plain word?
#
# ## Which words moved?
#
# A condition is a direction; training can only turn it. For some words that were asked for, some that were not, and
# some that name other instruments: by how many degrees?

# %%
from lass_lab.course.plots import figure_html, show_similarity

words = ["violin", "a fiddle", "trumpet", "a brilliant fanfare", "high, ringing brass", "french horn", "cello", "piano"]
before, after = (each.query_network(words).detach().cpu() for each in (phase1, phase2))
turned = torch.rad2deg(torch.arccos((before * after).sum(1).clamp(-1, 1)))
pd.DataFrame({"turned by (degrees)": turned.tolist()}, words).style.format("{:.1f}")

# %% [markdown]
# Words that were never asked for can move as well: the same few matrices make all of them. Have words that mean the
# same come closer together, and those that do not gone apart? Both networks against themselves:

# %%
import matplotlib.pyplot as plt

_, axes = plt.subplots(1, 2, figsize=(13, 4), layout="constrained")
for ax, conditions, title in zip(axes, (before, after), ("after phase 1", "after phase 2"), strict=True):
    show_similarity((conditions @ conditions.T).numpy(), words, words, ax)
    ax.set_title(title)
figure_html(axes[0].figure, "How alike the conditions of eight queries are, before and after phase 2.")

# %% [markdown]
# Look at the row *trumpet*: which words did it approach? And at *violin* against *trumpet*: the further apart the
# two are, the easier it is for the separation network to tell them apart.
#
# ## What is kept
#
# The sentence encoder has 22 million parameters. How much of them does a folder of phase 2 hold?

# %%
from safetensors import safe_open

with safe_open(run / "phase2" / "model.safetensors", "pt") as file:
    sizes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
rows = pd.Series({name: torch.Size(shape).numel() for name, shape in sizes.items()})
kinds = rows.index.str.extract(r"^(query_network\.\w+|network)", expand=False)
rows.groupby(kinds).sum().to_frame("parameters stored").style.format("{:,}")

# %% [markdown]
# Of the encoder only the thin matrices are there; the rest is the published one, which everybody has.
#
# ## What was gained
#
# On the validation slices, by the plain words:

# %%
from lass_lab.course.plots import results_table
from lass_lab.experiments.evaluation import evaluate

slices = [part.slice(0, 10) for part in validation_pieces()]
results = evaluate({"phase 1": phase1, "phase 2": phase2}, slices, progress=False)
means = results[results["extent"] == "piece"].groupby(["separator", "source", "metric"], sort=False)["value"].mean()
results_table(means.reset_index())

# %% [markdown]
# By how much do the rows of phase 2 differ from those of phase 1? Is that more than chance? Two excerpts of ten
# seconds cannot say. Notebook 07 opens the test piece, and asks what may be concluded from how much.
#
# ## What we take along
#
# - A loss reaches a word only where nothing on the way is detached or frozen. Count the gradients before you train.
# - Two thin matrices beside a large one are enough to turn words, and are all that has to be stored.
# - What is shared turns together: too large a rate drags along words that nobody asked for.
# - The mean over phrasings is what users may hope for, the worst is what one of them will get.
#
# **Try:** put words of your own into `words`: two that mean a trumpet, two that mean nothing like it. Predict by how
# many degrees each has turned. Then let `players` play what phase 1 and phase 2 make of the one that turned most.
#
# The answers to the exercises are in [the solutions](solutions/06_phase_2.ipynb).
