# %% [markdown]
# # 05 Phase 1: a new word for a new sound
#
# {{badge}}
#
# We teach the separator the trumpet, from two duets, while its query network is frozen.
#
# **You will**
# - read what is really trained on here, and what a run of the paper's size would take on this computer;
# - take the paper's new output layer apart, and find that it is less than it looks;
# - write a FiLM layer, a loss and a training loop by hand, and train the real separator with them;
# - watch the whole run, and prove that what was meant to be frozen was.
#
# {{time}} · **Study time:** about 90 minutes
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## What is really trained on
#
# A paper's recipe is many numbers. Which of them does this notebook keep? Here are both recipes, from the objects that
# decide them. *Items* are the pieces of sound that a step learns from; an *epoch* goes through all slices of the
# training duets once; *rehearsal* is the share of items that hold only instruments which the separator knew before. In
# the quick profile, a few timed steps first choose how many epochs fit an evening on this computer.

# %%
import pandas as pd

from lass_lab.course.profile import current
from lass_lab.course.runs import sized_recipe
from lass_lab.course.speed import fitted
from lass_lab.datasets import data_dir
from lass_lab.experiments.finetuning import FinetuningData
from lass_lab.experiments.recipes import RECIPES

profile = fitted(current())
recipe, paper = sized_recipe("preserving", profile), RECIPES["paper"]
steps = {each.head: FinetuningData(each, data_dir(), None).steps(each.phase1) for each in (recipe, paper)}

# %%
rows = {}
for name, each in {"this run": recipe, "the paper": paper}.items():
    rows[name] = {"seconds an item": each.items.seconds, "sample rate (Hz)": each.sample_rate}
    rows[name] |= {"items a step": each.batch, "epochs": each.phase1.epochs, "steps": steps[each.head]}
    rows[name] |= {"loss": each.loss, "head": each.head, "learning rate": each.phase1.rate}
    rows[name] |= {"warm-up (steps)": each.phase1.warmup, "rehearsal": f"{each.items.rehearsal:.0%}"}
pd.DataFrame(rows)

# %% [markdown]
# No number of this course comes from a run of the paper's size: its two phases do not fit an evening. (Of the paper's
# column, the items a step and the learning rate are AudioSep's; the paper gives neither, nor the length of its
# warm-up.) How long would its phase 1 take here? We time a few steps and multiply: an estimate without validation.

# %%
import torch

from lass_lab.course.speed import timed_step

where = "this GPU" if torch.cuda.is_available() else "this CPU"
hours = timed_step(paper, items=2) * steps["paper"] / 3600
print(f"phase 1 of the paper's size on {where}, with the tiny separator: about {hours:.1f} hours (an estimate)")

# %% [markdown]
# `lass-lab finetune --recipe paper --profile full` really runs it: items of 5 s at 32 kHz, 75 epochs in each phase, L1,
# and the paper's head. Its time on a GPU has not been measured.
#
# What do the small sizes cost? At 12 kHz nothing above 6 kHz is trained on; in use, the same convolutions run over the
# bins above as well. How much of the duets is up there? Suppose that an estimate was perfect
# below 6 kHz and nothing was separated above: what would be its SDR?

# %%
import numpy as np

from lass_lab.experiments.evaluation import validation_pieces
from lass_lab.signal import SAMPLE_RATE, sdr

piece = validation_pieces()[0].slice(0, 10)
border = round(recipe.sample_rate / 2 * len(piece.mixture) / SAMPLE_RATE)
ceilings = {}
for name, source in piece.sources.items():
    joined = np.concatenate([np.fft.rfft(source)[:border], np.fft.rfft(piece.mixture)[border:]])
    ceilings[name] = sdr(source, np.fft.irfft(joined, len(source)))
    print(f"{name}: {ceilings[name]:.1f} dB")

# %% [markdown]
# Compare with the SDR at the end of this notebook: is it the sample rate that limits us? And the length of the items?
# From the number of frames that each level of the U-Net spans, how far does the *receptive field* (notebook 03) reach
# in time?

# %%
from lass_lab.models import load_separator

before = load_separator("tiny")
spans = np.cumprod([1, *(frames for frames, _ in before.network.strides)])  # frames a step, level by level
reach = 2 * (2 * spans[:-1].sum() + spans[-1])  # two 3x3 convolutions in every block, on the way down and up
reach_s = reach * before.network.config.hop / SAMPLE_RATE
print(f"levels span {spans.tolist()} frames; the field reaches {reach} frames = {reach_s:.1f} s to either side")

# %%
from lass_lab.course.quiz import answer

answer(
    f"The sample rate alone does not limit us: with nothing separated above {recipe.sample_rate / 2000:g} kHz, "
    f"{ceilings['violin']:.0f} dB (violin) and {ceilings['trumpet']:.0f} dB (trumpet) would still be possible."
    f"\n\nThe receptive field reaches {reach_s:.1f} s to either side, further than items of "
    f"{recipe.items.seconds:g} s, and than the paper's {paper.items.seconds:g} s as well. So in training every point "
    "sees the zeros beyond an item's ends, where in use there is music."
    "\n\nWhat both cost in decibels after training has never been measured: it takes the long run of the table. "
    "python -m authoring study sizes would measure it, in hours on a CPU."
)

# %% [markdown]
# ## The output layer
#
# The last layer of the separation network, its *head*, makes three mask channels out of the decoder's features. The
# paper replaces it: up to 512 channels by a 1x1 convolution, then a *depthwise separable* 1x1 convolution: one factor
# for each channel (depthwise), and a weighted sum of the channels down to one (pointwise). With one output it also
# gives up AudioSep's turning of the phase. That is some 18 thousand numbers in place of about a hundred at full size.
# What can they do that the old layer could not?

# %%
from lass_lab.models.heads import SeparableHead

torch.manual_seed(0)
head = SeparableHead(channels=32)
features = torch.randn(1, 32, 50, 100)
three_in_a_row = head.pointwise(head.depthwise(head.lift(features)))
weight, bias = head.kernel()
one = torch.nn.functional.conv2d(features, weight[:, :, None, None], bias)
print(f"parameters of the three: {sum(p.numel() for p in head.parameters()):,}; of the one: {weight.numel() + 1}")
print(f"largest difference between them: {(three_in_a_row - one).abs().max().item():.1e}")

# %% [markdown]
# The many parameters of the three compute exactly what the few of the one can. A 1x1 convolution is a matrix that is
# applied at every point of the picture; two of them in a row are a product of matrices, which is a matrix again. No
# *nonlinearity* stands between them, so the new layer adds parameters and no capacity.
#
# **Exercise 1.** The same without convolutions: `lift` is a matrix, `factors` one number for each row of what it
# gives, `lower` a matrix. Which one matrix does what the three do in a row?
#
# <details><summary>Hint</summary>Write down what happens to one vector: three steps, each applied to the result of the
# one before. Which of them is applied first, and on which side of a product does it stand?</details>
# <details><summary>Second hint</summary>To multiply row number i of a matrix by factor number i, give the factors a
# second axis: <code>factors[:, None]</code>.</details>

# %%
from lass_lab.course.nb05.checks import check_one_matrix


def one_matrix(lift, factors, lower):
    """One matrix, outputs by channels."""
    return ...


check_one_matrix(one_matrix)

# %% [markdown]
# What does replacing the head do to everything that the network knew? We give the pretrained separator each head in
# turn, train nothing, and ask for instruments that it was taught, in mixtures of two of them.

# %%
from copy import deepcopy

from lass_lab.experiments.probes import forgetting
from lass_lab.models.heads import HEADS

rows = {}
for kind in HEADS:
    separator = deepcopy(before)
    if kind != "audiosep":
        separator.network.replace_head(kind)
    known = forgetting(kind, separator, pairs=min(6, profile.pairs), progress=False)["value"].iloc[-1]
    rows[kind] = {"parameters": sum(p.numel() for p in separator.network.head.parameters())}
    rows[kind] |= {"SDRi at step 0 (dB)": known}
pd.DataFrame(rows).T.style.format({"parameters": "{:,.0f}", "SDRi at step 0 (dB)": "{:.1f}"})

# %% [markdown]
# The row `audiosep` is the pretrained separator as it is. `paper` (one output: magnitude alone), `paper-complex` (the
# same with three outputs) and `magnitude` (LASS-Net's, notebook 03) begin at random. How far below the first row is
# each? The row `preserving` starts from exactly the value of the first. How?

# %%
import inspect

from lass_lab.models.heads import PreservingHead

print(inspect.getsource(PreservingHead))

# %%
lost = {kind: rows["audiosep"]["SDRi at step 0 (dB)"] - row["SDRi at step 0 (dB)"] for kind, row in rows.items()}
assert abs(lost["preserving"]) < 0.01
answer(
    f"The paper's head loses {lost['paper']:.1f} dB at step 0, with three outputs {lost['paper-complex']:.1f} dB, "
    f"LASS-Net's {lost['magnitude']:.1f} dB. What the network knew has to pass through a random layer, and how much "
    "of it gets through depends on the draw: one seed and a few mixtures."
    "\n\nThe preserving head keeps the old convolution and puts a second branch beside it, with a nonlinearity (the "
    "leaky ReLU) in it. The last layer of that branch is all zeros: it adds nothing until training changes it."
)

# %% [markdown]
# It should therefore learn more and forget less. Does it? The study of the four heads, each trained by the same recipe
# (with earlier weights than those that ship now, so compare only rows of this table with each other):

# %%
from lass_lab.course.studies import study_table

heads = study_table("What does replacing the output layer cost, and what does it gain?")
heads[["violin at step 0, dB", "violin, dB", "trumpet, dB", "others, SDRi, dB"]]

# %%
trained = heads.drop(index="tiny")
trumpet, others = trained["trumpet, dB"].astype(float), trained["others, SDRi, dB"].str.split().str[0].astype(float)
answer(
    f"It does not. On the trumpet all four end within {trumpet.max() - trumpet.min():.2f} dB of each other, and the "
    f"one that forgets least is the untouched “{others.idxmax()}” ({others.max():.2f} dB on other instruments; "
    f"preserving: {others['preserving']:.2f} dB). Each row is one run, and the intervals are over mixtures that are "
    "the same in every row, so they do not say how sure a difference is (notebook 07: paired bootstrap). None is "
    "proved."
    "\n\nWhat remains is the start: nothing is lost at step 0, so a short run has nothing to recover. The untouched "
    "head has the same advantage and did as well. We take “preserving” because the paper wanted a new layer and this "
    "one costs nothing at step 0; nothing here shows that a new layer is needed."
)

# %% [markdown]
# ## Train by hand
#
# Training needs four things: a network that can be asked, a loss, its gradient, and a step. You write the first two.
# The items are those of the end of notebook 04, shorter, and those from the duets ask in the plain words alone.

# %%
from lass_lab.datasets import list_pieces, load_piece
from lass_lab.datasets.duet_mixing import FinetuningDataset
from lass_lab.datasets.mixing import SourceBank

pieces = [load_piece(name) for name in list_pieces("train")]
bank = SourceBank(data_dir() / "sources", "train")
items = FinetuningDataset(pieces, bank, recipe.items, range(10_000))
drawn = [items[number] for number in range(2)]

# %% [markdown]
# **Where the query enters.** In front of each 3x3 convolution, as in notebook 03. Let $h$ be the features as the batch
# norm leaves them (batch, channels, frames, bins), and $c$ a condition of 512 numbers. With a matrix $W$ (channels,
# 512) and a vector $b$ that are learnt, the FiLM layer gives
#
# $$ \tilde h = h + W c + b $$
#
# The shift is the same at all frames and bins; the leaky ReLU follows.
#
# **Exercise 2.** Write the layer, in torch.
#
# <details><summary>Hint</summary>First the shift alone: of which shape must it be, if there is one number for each item
# and each channel?</details>
# <details><summary>Second hint</summary>Two more axes of length one make it stretch over frames and bins. An index of
# <code>None</code> adds an axis.</details>

# %%
from lass_lab.course.nb05.checks import check_film


def film(features, condition, weight, bias):
    """Features `(batch, channels, frames, bins)`, condition `(batch, 512)`, weight `(channels, 512)`."""
    return ...


film_layer = film if check_film(film) else check_film.reference

# %% [markdown]
# While yours is not right yet, the course's own takes its place, so that you can go on. Now it becomes part of the
# real separator: we put these lines in the place of every conditioned normalisation that it has. Nothing is trained
# yet, so what should happen to the estimate?

# %%
from functools import partial

from lass_lab.models.layers import ConditionedNorm


def conditioned_norm(layer, features, condition):
    shifted = film_layer(layer.norm(features), condition, layer.film.weight, layer.film.bias)
    return torch.nn.functional.leaky_relu(shifted, 0.01)


by_hand = load_separator("tiny", device="cpu", precision="float32")
layers = [part for part in by_hand.network.modules() if isinstance(part, ConditionedNorm)]
for layer in layers:
    layer.forward = partial(conditioned_norm, layer)

# %%
two = torch.stack([item["mixture"] for item in drawn])
with torch.no_grad():
    ours = by_hand(two, ["violin", "trumpet"])
    theirs = load_separator("tiny", device="cpu", precision="float32")(two, ["violin", "trumpet"])
apart = (ours - theirs).abs().max().item()
print(f"{len(layers)} layers run these lines now; the estimates differ by at most {apart:.1e}")
assert apart < 1e-4

# %% [markdown]
# **What is to be lowered.** The paper takes the mean absolute error of the waveform (L1), over $T$ samples:
#
# $$ L_1 = \frac{1}{T} \sum_n \left| \hat s[n] - s[n] \right| $$
#
# There, a loud item counts more than a quiet one, and an item that is nearly right has little left to gain. We are
# judged by SDR, so this course lowers the energy of the error in decibels, the mean over the items of a batch. Against
# the target's energy that would be minus the SDR; a target may be silent, so we take the mixture $x$:
#
# $$ L_\mathrm{dB} = 10 \log_{10} \left( \frac{\sum_n (\hat s[n] - s[n])^2}{\sum_n x[n]^2} + 10^{-3} \right) $$
#
# The $10^{-3}$ is a floor at -30 dB, so that an item whose right answer is silence cannot lower the loss
# without limit.
#
# **Exercise 3.** Write it for a batch, in torch: one number, the mean over the items.
#
# <details><summary>Hint</summary>Every item has an error and a mixture of its own. Over which axes do the energies run,
# and over which does the last mean run?</details>
# <details><summary>Second hint</summary>After the two energies there is one number an item: then the ratio, the floor,
# the logarithm, and only then the mean.</details>

# %%
from lass_lab.course.nb05.checks import check_decibels


def decibels(estimate, target, mixture):
    """Three tensors `(batch, 1, samples)` to one number."""
    return ...


loss_function = decibels if check_decibels(decibels) else check_decibels.reference

# %% [markdown]
# How far does each loss still fall from 90% to 99% of the target? (`relative-l1`, not explained so far, is L1 divided
# by the mixture's mean magnitude.)

# %%
from lass_lab.experiments.losses import LOSSES

target, mixture = drawn[0]["target"][None], drawn[0]["mixture"][None]
losses = pd.DataFrame(
    {
        f"{share:.0%} of the target": {n: float(f(share * target, target, mixture)) for n, f in LOSSES.items()}
        for share in (0.0, 0.5, 0.9, 0.99)
    }
).T
losses.style.format({"l1": "{:.4f}", "relative-l1": "{:.3f}", "decibels": "{:.1f}"})

# %%
earned = (losses.iloc[2] - losses.iloc[3]) / (losses.iloc[0] - losses.iloc[3])
answer(
    f"Of the whole fall of L1 from silence to 99%, the last step is {earned['l1']:.0%}; of that of the decibel loss, "
    f"{earned['decibels']:.0%}. A network that lowers L1 has little reason to become very good."
)

# %% [markdown]
# **The step.** *AdamW* (Loshchilov & Hutter, 2019) keeps two running means of each parameter's gradient, $m$ of the
# gradient and $v$ of its square, both corrected for their start at zero. A step divides one by the root of the other,
# so that every parameter $\theta$ moves by at most about the learning rate $\eta$: fully where its gradients agree,
# less where they change sign. The W stands for *weight decay* $\lambda$, a pull towards zero, which is 0 here and in
# AudioSep:
#
# $$ \theta \leftarrow \theta - \eta \left( \frac{m}{\sqrt{v} + 10^{-8}} + \lambda \theta \right) $$
#
# Now for a minute of training. To keep it short, only the head, the norms and their FiLM layers learn:

# %%
learning = []
for name, parameter in by_hand.network.named_parameters():
    parameter.requires_grad_(any(part in name for part in ("head", "norm", "film")))
    learning += [parameter] if parameter.requires_grad else []
optimizer = torch.optim.AdamW(learning, lr=1e-3, betas=(0.9, 0.999), weight_decay=0.0)
at_first = {name: by_hand.separate(piece.mixture, name, progress=False) for name in piece.sources}
counted, all_of_them = (sum(p.numel() for p in some) for some in (learning, by_hand.network.parameters()))
print(f"{counted:,} of the network's {all_of_them:,} parameters learn")

# %%
import time

from lass_lab.datasets.mixing import collate

minute, lowered = 6 if profile.name == "ci" else 60, []

# %%
end = time.perf_counter() + minute
while time.perf_counter() < end:
    first = 4 * len(lowered)
    batch = collate([items[number] for number in range(first, first + 4)])
    estimate = by_hand(batch["mixture"], batch["query"])  # mixture and words in, waveforms out
    loss = loss_function(estimate, batch["target"], batch["mixture"])
    optimizer.zero_grad()  # forget the gradients of the step before
    loss.backward()  # a gradient for every parameter that learns
    optimizer.step()
    lowered.append(loss.item())

# %%
import matplotlib.pyplot as plt

from lass_lab.course.live import running_mean
from lass_lab.course.plots import COLOURS, figure_html

_, ax = plt.subplots(figsize=(7, 2.4), layout="constrained")
ax.plot(lowered, ".", color=COLOURS[4], label="each step")
ax.plot(running_mean(np.array(lowered)), color=COLOURS[0], label="running mean")
ax.set(xlabel="step", ylabel="loss (dB)")
ax.legend(frameon=False)
figure_html(ax, f"The loss of {len(lowered)} steps of four items, trained by hand.")

# %% [markdown]
# Did it learn anything? On ten seconds that are kept for validation:

# %%
afterwards = {name: by_hand.separate(piece.mixture, name, progress=False) for name in piece.sources}
by_hand_table = pd.DataFrame(
    {
        name: {"before": sdr(source, at_first[name]), f"after {len(lowered)} steps": sdr(source, afterwards[name])}
        for name, source in piece.sources.items()
    }
)
by_hand_table.style.format("{:.1f} dB")

# %%
gained = by_hand_table.iloc[1] - by_hand_table.iloc[0]
answer(
    f"Violin {gained['violin']:+.1f} dB, trumpet {gained['trumpet']:+.1f} dB, after {len(lowered)} steps in "
    f"{minute} seconds. The points of the curve scatter because every step hears four other items; with so few, "
    "the curve may show nothing. The validation does. How many steps fit into the time depends on the computer: on a "
    "slow one there may be too few to see much."
)

# %% [markdown]
# ## The same, inside Lightning
#
# *Lightning* is a library that runs such a loop. One writes what a step computes, and no longer the loop. Here is the
# course's own step. Look for your lines:

# %%
from lass_lab.experiments.training import Schedule, SeparationTask

print(inspect.getsource(SeparationTask.training_step))
print(inspect.getsource(SeparationTask.optimizer))

# %% [markdown]
# The estimate, the loss and AdamW are yours. `zero_grad`, `backward` and `step` are gone: Lightning's `Trainer` calls
# them. What else it adds, by the arguments with which `lass_lab/experiments/trainer.py` makes it:
#
# | argument | what you would have to write |
# |---|---|
# | `callbacks=[ModelCheckpoint...]` | *checkpoints*: weights, AdamW's $m$ and $v$, and the step, written to disk |
# | `ckpt_path` | *resuming*: a run that was killed goes on from there, to the same weights |
# | `precision="bf16-mixed"` | *precision*: computing with half the bits where the processor can (notebook 09) |
# | `accelerator`, `devices` | *devices*: batches and weights are moved to a GPU, or to several |
# | `logger` | *logging*: every number in a file (CSV) and in TensorBoard |
# | `gradient_clip_val` | the norm of all gradients is limited, so that one bad item cannot spoil the run |
#
# **How fast.** The learning rate is not constant. With $\eta$ for its peak, $w$ steps of warm-up, $T$ steps in all and
# a share $d$ of them for the descent, step $t$ (from 0) has
#
# $$ \eta_t = \eta \cdot \min \left( 1, \; \frac{t + 1}{w}, \; \frac{T - t}{d \, T} \right) $$
#
# Why begin slowly, and end slowly?

# %%
schedule = Schedule(steps["preserving"], recipe.phase1.rate, recipe.phase1.warmup, recipe.descent)
_, ax = plt.subplots(figsize=(7, 2.2), layout="constrained")
ax.plot([recipe.phase1.rate * schedule(step) for step in range(schedule.steps)], color=COLOURS[0])
ax.set(xlabel="optimiser step", ylabel="learning rate", ylim=(0, None))
figure_html(ax, f"The learning rate over the {schedule.steps} steps of phase 1: warm-up, plateau, descent to zero.")

# %%
answer(
    f"In the first {recipe.phase1.warmup} steps AdamW's two means rest on a handful of gradients, so its steps point "
    "in poor directions and should be short. In the last steps, small ones settle what large ones keep changing: each "
    "batch pulls the weights its own way, and the way back takes a smaller rate."
    f"\n\nHere the descent takes {recipe.descent:.0%} of the run."
)

# %% [markdown]
# ## Train
#
# Now the run itself. It writes a checkpoint every few steps: if your kernel dies, run the cell again, and it goes on
# from there. The picture grows as it runs; the upper curve is the loss, the lower one the only number that choices
# are made by, SDRi on the last 30 s of both pieces, which are never trained on: the mean over both instruments, at 12
# kHz.

# %%
from lass_lab.course.live import LiveTraining
from lass_lab.course.runs import finetune_folder
from lass_lab.experiments import finetune

run = finetune_folder()
excerpt = piece.slice(0, 5)
live = LiveTraining(excerpt.mixture, excerpt.sources)
after = finetune("tiny", run, recipe, phases=["phase1"], callbacks=[live], progress=False)
print(f"{len(live.losses)} steps now; weights are in {run.name}/phase1")

# %% [markdown]
# Look at the lower curve: where does it begin, before any training, and has it levelled off at the end? (If the cell
# printed 0 steps, the run was there already: delete the folder to train anew.)

# %%
gains = [gain for _, gain in live.gains]
late = gains[-max(2, len(gains) // 4) :] or [0.0]
read = (
    f"It begins at {gains[0]:.1f} dB, is {max(gains):.1f} dB at its best, and went from {late[0]:.1f} to "
    f"{late[-1]:.1f} dB over its last quarter. A curve that still rises there would profit from more steps."
    if gains
    else "No step was trained now, so there is no curve to read."
)
answer(
    f"{read}\n\nA loss that falls while this curve does not would mean that the slices are memorised. Levelling off "
    "proves little, because the rate falls to zero there: only a run planned longer would tell. The "
    "weights that are kept are those of the best point, not of the last."
)

# %% [markdown]
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
        for key, value in getattr(before.cpu(), part).state_dict().items()
        if key in getattr(after, part).state_dict()
    )
    for part in ("query_network", "network")
}
assert moved["query_network"] == 0
print({part: f"{count} tensors changed" for part, count in moved.items()})

# %% [markdown]
# The batch norms of the separation network keep the statistics of pretraining, so that training and use compute the
# same function. What freezing takes is an exercise of notebook 06.
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
record("05_phase_1", f"share of the {profile.name} profile's steps", round(profile.share, 2))
for source, stage in product(("violin", "trumpet"), ("pretrained", "phase 1")):
    record("05_phase_1", f"SDRi of the {source}, {stage}, validation", round(means[stage, source, "SDRi"], 2), "dB")
results_table(means.reset_index())

# %% [markdown]
# Read the trumpet's rows: the mixture, then the separator before and after, each followed by what is left when its
# violin is subtracted from the mixture (notebook 00). Which is the best trumpet? Then the violin's: has it lost or
# gained?

# %%
sdri = {
    (stage, source): means[stage, source, "SDRi"] for stage in ("pretrained", "phase 1") for source in piece.sources
}
left, own = sdri["phase 1", "violin"], means["phase 1", "trumpet", "SDR"]
answer(
    f"The trumpet went from {sdri['pretrained', 'trumpet']:.1f} to {sdri['phase 1', 'trumpet']:.1f} dB of SDRi, the "
    f"violin from {sdri['pretrained', 'violin']:.1f} to {sdri['phase 1', 'violin']:.1f} dB."
    f"\n\nBy subtraction the trumpet had {sdri['pretrained', 'violin']:.1f} dB of SDR before any training on it, and "
    f"has {left:.1f} dB now. Asked for by its own word it has {own:.1f} dB, "
    f"{own - sdri['pretrained', 'violin']:+.1f} dB against the first: that much is new."
)

# %% [markdown]
# Whether anything else was lost, in instruments that are not in the duet, is a question for notebook 08; whether the
# words can still be improved, for notebook 06.
#
# ## What we take along
#
# - Training is a loop of five lines: estimate, loss, gradients to zero, new gradients, step. Libraries add care, not
#   magic.
# - Layers in a row with nothing nonlinear between them are one layer: multiply out what looks new before you train it.
# - A new part that begins by adding zero loses nothing at step 0. After enough steps, that was all it gained.
# - The loss decides what counts: in decibels an item's loudness does not matter, in L1 it does.
# - What is meant to be frozen can be checked to the last bit.
# - A result belongs to its recipe: report its sizes with it.
#
# **Try:** train again with `dataclasses.replace(recipe, loss="l1")` and a folder of its own in place of `run`. Predict
# first which of the two instruments will lose more against decibels. `replace(recipe, head="paper")` is the paper's new
# layer: how many steps does it take to come back to where “preserving” begins?

# %%
from lass_lab.course.quiz import quiz

quiz("05")

# %% [markdown]
# The answers to the exercises are in [the solutions](solutions/05_phase_1.ipynb).
