# %% [markdown]
# # 06 Phase 2: let words and sound learn together
#
# {{badge}}
#
# Phase 1 taught the trumpet under one name. Now the query network may learn too, so that every name for it counts.
#
# **You will**
# - hear what other words for the trumpet bring after phase 1;
# - see what must be changed so that a loss in a waveform can reach the meaning of a word;
# - let an encoder of 22 million parameters learn by training a few thin matrices beside it, and see what that is worth;
# - watch the words move, and find out which of them moved.
#
# {{time}} · **Study time:** about 60 minutes
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
# no separation at all (below 0 dB)?

# %%
from lass_lab.course.quiz import answer

asked = words_before[words_before["detail"].str.endswith('"')].set_index("detail")["value"]
plain, trumpets = asked.filter(like="trumpet").iloc[0], asked.filter(like="trumpet").iloc[1:]
answer(
    f"The plain word “trumpet” gains {plain:.1f} dB, the others from {trumpets.min():.1f} to "
    f"{trumpets.max():.1f} dB; the worst of them is {trumpets.idxmin().removeprefix('trumpet: ')}. "
    f"{(asked < 0).sum()} of the {len(asked)} are below 0 dB."
    "\n\nWhere words do worse, it is not for lack of knowing the sound: the separation network is the same for all of "
    "them. Their conditions are elsewhere among the 512 numbers, and it was not trained on such conditions."
)

# %% [markdown]
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
print("parameter tensors of the query network with a gradient that is not zero:")
print({"as it is": gradients(condition), "detached": gradients(condition.detach().requires_grad_())})

# %% [markdown]
# AudioSep's published code encodes its queries under `no_grad` and detaches the result (which cuts the way back). What
# would a phase 2 train there?

# %%
answer(
    "The separation network, and it alone. Its gradients do not pass through the condition, so they are all there; the "
    "query network gets none and does not move. Nothing stops and nothing warns: the loss goes on falling, and phase 2 "
    "is a longer phase 1. Counting the gradients, as above, is how one notices."
)

# %% [markdown]
# ## How much of it?
#
# For words, the query network is a sentence encoder of 22 million parameters (a transformer, notebook 02) and a small
# projection. How much of the encoder should learn from two duets? `top` is its last layer. Whatever learns has to be
# stored.

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
# Beside two of the matrices in each attention layer stand two thin ones that learn. A layer with the
# frozen weight $W$ (outputs, inputs) gets a second way from its input $v$ to its output $y$, over only $r$ numbers:
#
# $$ y = W v + \frac{\alpha}{r} \, U (D v) $$
#
# $D$ (`down`) leads to those $r$ numbers, $U$ (`up`) back. At the start $U$ is all zeros, so that nothing has changed.
# Only the thin matrices are stored; the rest of the encoder is the published one.
#
# **Exercise 1.** When training is over, nobody wants to compute two ways. Which single matrix replaces both? The rank
# $r$ is not given: read it off the shapes.
#
# <details><summary>Hint</summary>Write the formula as one matrix times v.</details>
# <details><summary>Second hint</summary>There are r numbers between the two thin matrices. It is the one length that
# they share: which axis of <code>down</code> is it, and which of <code>up</code>?</details>

# %%
from lass_lab.course.nb06.checks import check_low_rank


def low_rank(weight, down, up, alpha):
    """One matrix, outputs by inputs."""
    return ...


check_low_rank(low_rank)

# %% [markdown]
# ## Freezing the rest
#
# Phase 1 froze the whole query network; phase 2 still freezes most of it. What does *frozen* take?
#
# **Exercise 2.** Write `freeze(part)`. The check trains a network around it for three steps and then compares: the
# weights, the statistics of its batch norm, and whether it answers twice alike.
#
# <details><summary>Hint</summary>Three kinds of numbers may change what a network answers: those that an optimiser
# moves, those that a layer gathers by itself, and those that are drawn at random.</details>
# <details><summary>Second hint</summary>A <code>torch.nn.Module</code> has one method against the first kind, and
# another one against the other two.</details>

# %%
from lass_lab.course.nb06.checks import check_freeze


def freeze(part):
    """Freeze a `torch.nn.Module`, in place."""
    return ...


check_freeze(freeze)

# %% [markdown]
# ## A rate of its own
#
# How fast may a word move? Too slowly, and the loss has no say; too fast, and it drags along everything that was
# learnt around it. We give the query network one single AdamW step at each of several rates, towards "a brilliant
# fanfare" for this trumpet, and look at two words: that one, and *violin*, which nobody asked for.

# %%
asked_word, bystander = "a brilliant fanfare", "violin"
moved, at_first = {}, separator.query_network
for rate in (1e-4, 3e-4, 1e-3, 1e-2):
    separator.query_network = query_network = deepcopy(at_first)
    old = query_network([asked_word, bystander]).detach()
    optimizer = torch.optim.AdamW([p for p in query_network.parameters() if p.requires_grad], rate)
    gradients(query_network([asked_word]))
    optimizer.step()
    angle = torch.rad2deg(torch.arccos((query_network([asked_word, bystander]).detach() * old).sum(1).clamp(-1, 1)))
    moved[f"{rate:g}"] = dict(zip((asked_word, bystander), angle.tolist(), strict=True))
separator.query_network = at_first
pd.DataFrame(moved).rename_axis("turned by (degrees) at a rate of").style.format("{:.2f}")

# %% [markdown]
# AdamW's first step moves every parameter by about the rate, whatever the gradient (its formula is in notebook 05): the
# rows grow with it. Read the last column: after a single step at that rate, is a violin still where it was?

# %%
largest = moved["0.01"]
answer(
    f"At a rate of 0.01 one step turns “{asked_word}” by {largest[asked_word]:.0f} degrees and “violin”, which "
    f"nobody asked for, by {largest['violin']:.0f}. At 0.0003, the rate of phase 2, it is "
    f"{moved['0.0003']['violin']:.1f} degrees."
    "\n\nThis is why the query network has a rate of its own, a seventh of what the separation network had in phase "
    "1, and why a new phase begins with a new warm-up: AdamW has no means of gradients yet. Both rates follow the "
    "schedule of notebook 05."
)

# %% [markdown]
# ## Train
#
# Phase 2 goes on from the weights of phase 1, with both networks learning, and asks in all phrasings that are for
# training; three of each instrument stay unheard. The validation slices, which choose the weights to keep, are asked
# for in such phrasings too: judged by the plain word alone, the best weights could be those that had learnt no others.
# The separation network's rate is smaller now than the query network's: it has learnt the trumpet, and now the words
# are to come to it. The lower curve (SDRi) may begin below where phase 1's ended: it is asked in other words.

# %%
from lass_lab.course.live import LiveTraining
from lass_lab.course.runs import sized_recipe
from lass_lab.course.speed import fitted
from lass_lab.experiments import finetune

recipe = sized_recipe("preserving", fitted(profile))
print({"separation network": recipe.phase2.rate, "query network": recipe.phase2.query_rate})
excerpt = piece.slice(0, 5)
live = LiveTraining(excerpt.mixture, {"high, ringing brass": excerpt.sources["trumpet"]})
phase2 = finetune(start, run, recipe, phases=["phase2"], callbacks=[live], progress=False)
print(f"{len(live.losses)} steps now; weights are in {run.name}/phase2")

# %% [markdown]
# "High, ringing brass", which no training asks for: before phase 2, at each validation, and after it.

# %%
live.replay()

# %% [markdown]
# ## Other words, again
#
# The words of the first cell again, by both separators; training used only the two plain ones:

# %%
from lass_lab.course.ledger import record

words_after = paraphrases("phase 2", phase2, piece)
both = pd.concat([words_before, words_after])
table = both.pivot(index="detail", columns="separator", values="value").loc[words_before["detail"]]
for source in ("violin", "trumpet"):
    mean = table.at[f"{source}: mean of the held-out", "phase 2"]
    record("06_phase_2", f"SDRi of the {source} in words never asked for, validation", round(mean, 2), "dB")
table.style.format("{:.1f} dB")

# %% [markdown]
# Compare the two columns in the lines *mean* and *worst*: the mean says what a user may hope for, the worst what a
# user may get. How far is either from the plain word?

# %%
far = {
    kind: table.loc['trumpet: "trumpet"'] - table.loc[f"trumpet: {kind} of the held-out"] for kind in ("mean", "worst")
}
answer(
    "\n\n".join(
        f"The {kind} of the trumpet's other words differs from the plain word by {-gap['phase 1']:+.1f} dB after "
        f"phase 1, and by {-gap['phase 2']:+.1f} dB after phase 2."
        for kind, gap in far.items()
    )
    + "\n\nOne excerpt of ten seconds cannot say whether a difference is more than chance: notebook 07 asks that."
)

# %% [markdown]
# ## Which words moved?
#
# A condition is a direction; training can only turn it. All of these but “high, ringing brass” are asked for in phase
# 2, the last three in rehearsal: by how many degrees did each turn?

# %%
from lass_lab.course.plots import figure_html, show_similarity

words = ["violin", "a fiddle", "trumpet", "a brilliant fanfare", "high, ringing brass", "french horn", "cello", "piano"]
before, after = (each.query_network(words).detach().cpu() for each in (phase1, phase2))
turned = torch.rad2deg(torch.arccos((before * after).sum(1).clamp(-1, 1)))
pd.DataFrame({"turned by (degrees)": turned.tolist()}, words).style.format("{:.1f}")

# %% [markdown]
# “high, ringing brass” moved although it was never asked for: all words pass through the same parameters. Have words
# that mean the same come closer together, and those that do not gone apart? Both networks against themselves:

# %%
import matplotlib.pyplot as plt

_, axes = plt.subplots(1, 2, figsize=(13, 4), layout="constrained")
for ax, conditions, title in zip(axes, (before, after), ("after phase 1", "after phase 2"), strict=True):
    show_similarity((conditions @ conditions.T).numpy(), words, words, ax)
    ax.set_title(title)
figure_html(axes[0].figure, "How alike the conditions of eight queries are, before and after phase 2.")

# %% [markdown]
# Look at the row *trumpet*: which words did it approach? And at *violin* against *trumpet*: are they further apart now?

# %%
change = ((after @ after.T) - (before @ before.T))[words.index("trumpet")]
others = {word: by for word, by in zip(words, change.tolist(), strict=True) if word != "trumpet"}
nearer, further = max(others, key=others.get), min(others, key=others.get)
answer(
    f"“trumpet” came closest to “{nearer}” ({others[nearer]:+.2f}); the lowest change is {others[further]:+.2f}, with "
    f"“{further}”; with “violin” it is {others['violin']:+.2f}."
    "\n\nThe further apart two conditions are, the easier it is for the separation network to treat them differently. "
    "But the loss never asks for distance: it is on the waveform, and stops pulling where the estimates are right."
)

# %% [markdown]
# ## Are thin matrices better?
#
# Than what? The study of the encoder trained phase 2 in four ways, from one phase 1 (with earlier weights than those
# that ship now, a third of our rate for the query network, three times ours for the separation network, and measured
# by the plain words alone). Before you look: by how much does *low-rank* beat *frozen*, where only
# the projection behind the encoder learns?

# %%
from lass_lab.course.studies import study_table

encoders = study_table("How much of the sentence encoder should phase 2 let learn?").drop(index="tiny")
encoders[["violin, dB", "trumpet, dB", "others, SDRi, dB", "stored, MB"]]

# %%
gain = encoders[["violin, dB", "trumpet, dB"]].astype(float)
ahead = gain.loc["low-rank"] - gain.loc["frozen"]
answer(
    f"By {ahead['violin, dB']:.2f} dB (violin) and {ahead['trumpet, dB']:.2f} dB (trumpet): asked by the plain "
    "words, a frozen encoder is as good. Other words, which phase 2 is for, were not measured. Training the last "
    f"layer came out first on the trumpet ({gain.at['top', 'trumpet, dB']:.2f} dB) and the whole encoder last "
    f"({gain.at['whole', 'trumpet, dB']:.2f} dB), which takes {encoders.at['whole', 'stored, MB']} MB in place of "
    f"{encoders.at['low-rank', 'stored, MB']}."
    "\n\nEach row is one run, so small differences mean nothing. This course cannot show that LoRA is needed: it does "
    "no harm, and it is cheap. Words that the encoder takes for something else might need more than a projection; that "
    "has not been measured."
)

# %% [markdown]
# ## What we take along
#
# - A loss reaches a word only where nothing on the way is detached or frozen. Count the gradients before you train.
# - Two thin matrices beside a large one are cheap to train and to store. Asked by the plain words, a
#   frozen encoder was as good.
# - What is shared turns together: too large a rate drags along words that nobody asked for.
# - The mean over phrasings is what users may hope for, the worst is what one of them will get.
#
# **Try:** put words of your own into `words`: two that mean a trumpet, two that mean nothing like it. Predict by how
# many degrees each has turned. Then hear what phase 1 and phase 2 make of the one that turned most (`players`, from
# `lass_lab.course.players`).

# %%
from lass_lab.course.quiz import quiz

quiz("06")

# %% [markdown]
# The answers to the exercises are in [the solutions](solutions/06_phase_2.ipynb).
