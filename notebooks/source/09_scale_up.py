# %% [markdown]
# # 09 Scale up: the full model, your own recordings, many GPUs
#
# {{badge}}
#
# All that you have learnt on a tiny separator carries over to a large one, to your own music and to many GPUs. Where
# this computer lacks something, a line says what, and we go on.
#
# **You will**
# - set the full-size AudioSep beside the tiny separator: the same class, other sizes;
# - find out what half the bits cost, in decibels, and what they save;
# - take your own recordings in, fine-tune on them, and separate a mixture that has no stems;
# - see by hand why many GPUs learn what one does, and when they do not;
# - hand a separator on so that others can trust it.
#
# {{time}}
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## The full model
#
# AudioSep's weights are published: its separation network and CLAP, the query network that goes with it. Are they on
# this computer? The cell only looks. With `FETCH = True` it downloads what is missing, checks it, and makes it ready
# for use without a network; `lass-lab weights audiosep` does the same on the command line.

# %%
import torch

from lass_lab.course.full_size import find_full_size
from lass_lab.course.profile import current
from lass_lab.models import load_separator

FETCH = False
profile = current()
full = find_full_size(FETCH)
tiny = load_separator("tiny")
print(f"CUDA GPUs here: {torch.cuda.device_count()}; the tiny separator computes on: {tiny.device}")

# %% [markdown]
# On Colab, *Runtime → Change runtime type* gives you a GPU; nothing else has to change. Files that you fetched
# elsewhere can be given by hand (`lass-lab weights --help`).
#
# With or without weights, the network itself we can build: it is the class you know, `ResUNet`, at AudioSep's sizes.
# How much more has it to do? Guess the ratios before you run the cell: parameters, operations, and time for one slice
# of five seconds.

# %%
import timeit

import pandas as pd

from lass_lab.course.nb09.scaling import operations
from lass_lab.datasets import list_pieces, load_piece
from lass_lab.models import ResUNet, ResUNetConfig

excerpt = load_piece(list_pieces("test")[0]).slice(20, 5)
mixture = torch.from_numpy(excerpt.mixture)[None].to(tiny.device)
large = full.network if full else ResUNet(ResUNetConfig.audiosep()).to(tiny.device).eval()
networks = {"tiny": tiny.network, "full size": large}

# %%
condition = tiny.query_network(["violin"]).detach()
rows = {}
for name, network in networks.items():
    with torch.inference_mode():  # .cpu() waits until a GPU is done
        seconds = min(timeit.repeat(lambda n=network: n.separate(mixture, condition).cpu(), number=1, repeat=2))
    counted = sum(p.numel() for p in network.parameters())
    rows[name] = {"parameters": counted, "operations": operations(network.config, 5), "seconds here": seconds}
sizes = pd.DataFrame(rows).T
sizes.loc["ratio"] = sizes.loc["full size"] / sizes.loc["tiny"]
sizes.style.format({"parameters": "{:,.0f}", "operations": "{:.3g}", "seconds here": "{:.3f}"})

# %% [markdown]
# Read the last row. Operations grow faster than parameters: the large network also looks at twice as many frames a
# second, and every weight is used once for each point of the picture. Is the ratio of the times that of the
# operations? Where it is smaller, the large network keeps the processor busier: a small one spends more of its time
# on fetching numbers from memory.
#
# ### Does size help?
#
# On the held-out duet, by the two plain words. AudioSep has heard far more of the world than our tiny separator. Its
# row is there if its weights are; the paper's rows, from recordings of its own, stand below either way.

# %%
from lass_lab.course.plots import results_table
from lass_lab.experiments.evaluation import evaluate, summarise
from lass_lab.experiments.paper_tables import paper_results

separators = {"tiny": tiny} | ({"AudioSep": full} if full else {})
patient = full and not torch.cuda.is_available()  # ten seconds are enough to ask of a CPU
test = list_pieces("test")[: profile.pieces]
measured = evaluate(separators, test, longest=10 if patient else profile.seconds, progress=False)
ours = summarise(measured)
ours["separator"] += ", here"
results_table(pd.concat([ours, paper_results("pretrained")]))

# %% [markdown]
# Compare rows of *here* with each other, and the paper's with the paper's: these are two sets of recordings. In both,
# look at the trumpet. Size alone did not teach it to the paper's AudioSep either, and that is why the paper
# fine-tunes. What do those that are here make of the slice?

# %%
from lass_lab.course.players import players

sounds = {"mixture": excerpt.mixture}
for name, separator in separators.items():
    estimates = separator.separate(excerpt.mixture, list(excerpt.sources))
    sounds |= {f"{name}: “{query}”": sound for query, sound in zip(excerpt.sources, estimates, strict=True)}
players(sounds)

# %% [markdown]
# ## Half the bits
#
# A float32 takes four bytes. Two would do with half the memory, and many processors multiply them faster. There are
# two ways to spend 16 bits. What do they give up?

# %%
from lass_lab.models.weights import native_bfloat16

kinds = {str(kind).removeprefix("torch."): torch.finfo(kind) for kind in (torch.float32, torch.bfloat16, torch.float16)}
print(f"this processor multiplies bfloat16 by itself: {native_bfloat16(tiny.device)}")
table = {
    name: {"bytes": i.bits // 8, "largest": i.max, "smallest": i.tiny, "step above 1": i.eps}
    for name, i in kinds.items()
}
pd.DataFrame(table).T.style.format("{:.2g}")

# %% [markdown]
# float16 has finer steps in a narrower range: a small gradient becomes zero there, and a large one infinite. bfloat16
# has the range of float32 and coarse steps. So we *compute* in bfloat16, and *keep* weights, and what is added up, in
# float32. That is *mixed precision*; PyTorch's `autocast` decides for each operation. The weights that a folder stores
# are another matter. They are neither tiny nor huge, and nothing is added to them any more: they go well into float16.
#
# A step of bfloat16 is nearly one percent. Guess: how many decibels lie between the two estimates? The float32
# estimate is the reference, the difference is the error.

# %%
from lass_lab.course import ledger
from lass_lab.signal import sdr

violin, estimates, rows = excerpt.sources["violin"], {}, {}
for precision in ("float32", "bfloat16"):
    separator = load_separator("tiny", precision=precision)
    separator.separate(excerpt.mixture, "violin")  # once to warm up
    took = timeit.timeit(lambda s=separator: s.separate(excerpt.mixture, "violin"), number=1)
    estimates[precision] = separator.separate(excerpt.mixture, "violin")
    rows[precision] = {"seconds": took, "SDR, violin (dB)": sdr(violin, estimates[precision])}
agreement = sdr(estimates["float32"], estimates["bfloat16"])
ledger.record("09_scale_up", "bfloat16 against float32, tiny", agreement, "dB")
print(f"bfloat16 agrees with float32 to {agreement:.1f} dB")
pd.DataFrame(rows).T.style.format("{:.3f}")

# %% [markdown]
# Compare the agreement with the SDR beside it: the error of rounding lies that much further below the music than the
# error of separating, and the two SDRs can hardly be told apart. Was it faster? Only where the processor multiplies
# bfloat16 by itself; `load_separator` takes it there and nowhere else, unless you say `precision="float32"`.
#
# ### Where the memory goes
#
# Training needs far more than the weights. To find its way back, each layer keeps what it computed on the way
# forwards. How much is that for a single mixture? Measured for one second on the tiny network; and counted, without
# computing anything, for AudioSep's five.

# %%
from lass_lab.course.nb09.scaling import kept_for_backward, kept_on_paper

second, rows = mixture[:, None, :32_000], {}
for lowered in (False, True):
    with torch.autocast(tiny.device.type, torch.bfloat16, lowered):
        kept = kept_for_backward(tiny.network, lambda: tiny.network(second, condition))
    rows["tiny, 1 s, " + ("bfloat16" if lowered else "float32")] = kept
rows["full size, 5 s, float32, counted"] = kept_on_paper(ResUNetConfig.audiosep(), 5)
for name, kept in rows.items():
    print(f"{name}: {kept / 1e6:,.0f} MB")

# %% [markdown]
# Compare the first two lines: is it half? It cannot quite be. The mask stays in float32, and the weights are there a
# second time, in bfloat16. The last line is for *one* mixture; AudioSep's batch of twelve takes twelve times that. If a
# GPU's memory runs out, it is here: make the slices shorter, or the batch smaller, before you give up on the model.
#
# ### Exercise 1: the rest of it
#
# What does training hold besides, whatever the batch? The weights, a gradient for every parameter that learns, and
# AdamW's two *moments* for each of those: the running means of the gradient and of its square. A variant, `amsgrad`
# (with which AudioSep was trained), keeps a third. Frozen parameters have their weights and nothing else.
#
# Write the number of bytes. The check compares with what torch holds after a real step.

# %%
from lass_lab.course.nb09.checks import check_training_bytes


def training_bytes(learning, frozen, bytes_each, amsgrad):
    """Bytes for so many parameters that learn and so many that are frozen."""
    return ...


check_training_bytes(training_bytes)

# %% [markdown]
# When it is right, ask it: how much for the full-size separation network, learning in float32? And which of your two
# numbers, this one or the one for a batch of mixtures, decides how large a GPU you need?
#
# ## Your own recordings
#
# You have recordings of two players, each on a track of its own? Then you can fine-tune on them. Here the beginnings
# of three duets play the part of yours, in a temporary folder, with names as the URMP dataset gives them: one folder
# a piece, `AuSep` for a stem, `AuMix` for the mixture, and a short name for each instrument. In the second piece
# somebody wrote `vln` for the violin.

# %%
import tempfile
from pathlib import Path

from lass_lab.signal import write_audio

temporary = tempfile.TemporaryDirectory()
work = Path(temporary.name)
pieces = {"01_Joy": "joy", "02_Greensleeves": "greensleeves", "03_AuldLangSyne": "auld-lang-syne"}
for title, name in pieces.items():
    cut, place = load_piece(name).slice(0, 40), work / "recordings" / f"{title}_vn_tpt"
    write_audio(place / f"AuSep_1_vn_{title}.wav", cut.sources["violin"])
    write_audio(place / f"AuSep_2_tpt_{title}.wav", cut.sources["trumpet"])
    write_audio(place / f"AuMix_{place.name}.wav", cut.mixture)
stem = work / "recordings" / "02_Greensleeves_vn_tpt" / "AuSep_1_vn_02_Greensleeves.wav"
wrong = stem.rename(stem.with_name("AuSep_1_vln_02_Greensleeves.wav"))

# %% [markdown]
# `lass-lab slice RECORDINGS --out DATA --test PIECE` makes a dataset of such a folder. In a notebook it is one
# function. Forty seconds are little: the last thirty of each training piece are kept for validation. What does the
# report say, and does it find the slip?

# %%
from lass_lab.datasets.slicing import slice_folder

recordings, data, exam = work / "recordings", work / "data", "03_AuldLangSyne_vn_tpt"
report = slice_folder(recordings, data, test=[exam])
print(str(report).replace(str(work), "..."))

# %% [markdown]
# The last lines name the file, and which names would be known. That piece was left out and the others were taken; of
# each, the report says how far its mixture is from the sum of its stems. Mend the name and run it again (`force`
# overwrites; on the command line `--force`).

# %%
wrong.rename(stem)
report = slice_folder(recordings, data, test=[exam], force=True)
print(str(report).replace(str(work), "..."))

# %% [markdown]
# No names of this kind? A folder a piece with `mixture.wav`, `violin.wav`, `trumpet.wav` works as well: a file is then
# called what plays in it, and the mixture may be missing. The folder `data` now has a manifest: for each source its
# file, its split, its words, its checksum. Which words will ask for it?

# %%
manifest = pd.read_csv(data / "manifest.csv")
manifest["queries"] = manifest["queries"].str.count(r"\|") + 1
manifest[["piece", "split", "source", "query", "queries", "seconds"]].style.hide(axis="index").format(precision=0)

# %% [markdown]
# The column *queries* counts the other phrasings. From here on everything is as in notebooks 05 and 06, with one
# switch more:
#
# ```
# lass-lab finetune --data DATA --run runs/mine
# lass-lab evaluate --data DATA --model tiny --model runs/mine/phase2
# ```
#
# Before you give it a night, hold a dress rehearsal: the smallest run there is, to see that everything fits together.

# %%
from dataclasses import replace

from lass_lab.course.profile import PROFILES
from lass_lab.course.runs import sized_recipe
from lass_lab.experiments import finetune

small = sized_recipe("preserving", PROFILES["ci"])
phases = {"phase1": replace(small.phase1, epochs=1), "phase2": replace(small.phase2, epochs=0)}
small = replace(small, **phases, checkpoint_every=2, validate_every=1)
finetune("tiny", work / "run", small, data=data, progress=False)
for file in sorted(path for path in (work / "run").rglob("*") if path.is_file() and "log" not in path.parts):
    print(f"{file.stat().st_size / 1e6:6.1f} MB  {file.relative_to(work)}")

# %% [markdown]
# It taught nothing, in two steps, and it went through all that a long run goes through: reading, mixing, validating,
# choosing the best weights, writing them. `last.ckpt` is the largest, because it holds the moments of exercise 1 as
# well. The full-size model takes the same command with `--model audiosep`.
#
# ## A mixture without stems
#
# Most music comes as a mixture alone. Then nothing can be trained or measured on it, but it can be separated. Put the
# path of a file of your own in place of `None`, and your own words. Which separator? The fine-tuned one.

# %%
from lass_lab.course.runs import find_stages
from lass_lab.signal import read_audio

MY_MIXTURE = None  # such as "song.mp3"
QUERIES = ["violin", "trumpet"]
mine = load_separator(find_stages()["phase 2"])
if MY_MIXTURE:
    sound = read_audio(MY_MIXTURE)
else:
    print("No file of yours yet: a duet on instruments that no training has heard stands in.")
    sound = load_piece("tempus").slice(30, 10).mixture
first = sound[: 10 * 32_000]  # to look at; all of it goes the same way
players({"mixture": first} | dict(zip(QUERIES, mine.separate(first, QUERIES), strict=True)))

# %% [markdown]
# Without a true source there is no SDR. Two questions can still be asked. Do the estimates add up to the mixture? And
# what is in the residual, the rest that nobody asked for?

# %%
import numpy as np

from lass_lab.course.plots import compare_spectrograms, figure_html

*estimates, residual = mine.separate(first, QUERIES, residual=True)
assert np.allclose(sum(estimates) + residual, first, atol=1e-6)
print(f"the sum of the estimates agrees with the mixture to {sdr(first, sum(estimates)):.1f} dB")
panels = {"mixture": first} | dict(zip(QUERIES, estimates, strict=True)) | {"residual": residual}
figure_html(compare_spectrograms(panels, max_khz=8, db_range=60), "A mixture, what two queries took, and what is left.")

# %% [markdown]
# A loud residual has something in it that neither word names, or that neither estimate dared to take. A quiet one
# proves little: if all of the music were in one estimate, and in the wrong one, nothing would be left over either.
# Your ears decide.
#
# You know more than the separator: whether your words name all there is. Then what is missing is a common error, and
# `consistent=True` shares it out among the estimates. Where much is missing, somebody plays whom you did not name, and
# the residual keeps its part. `lass-lab separate --consistent` does the same with files, and `--remove violin` writes
# the recording without the violin.
#
# ### And stereo?
#
# One mask is made for all channels, of the root mean square of their magnitudes, and each channel is multiplied by it.
# So nobody moves: what stood on the left stays there. Try it with a violin on the left and a trumpet on the right; here
# the true sources are known.

# %%
piece = load_piece("auld-lang-syne").slice(20, 5)
pan = {"violin": [0.9, 0.3], "trumpet": [0.2, 0.8]}  # how much of each goes to the left and the right
stereo = sum(np.outer(pan[name], source) for name, source in piece.sources.items())
*found, left_over = mine.separate(stereo, QUERIES, residual=True, consistent=True)
assert np.allclose(sum(found) + left_over, stereo, atol=1e-6) and found[0].shape == stereo.shape
for name, estimate in zip(QUERIES, found, strict=True):
    left, right = np.sqrt(np.mean(np.square(estimate), axis=1))
    gain = sdr(np.outer(pan[name], piece.sources[name]).ravel(), estimate.ravel())
    print(f"{name}: left {20 * np.log10(left / right):+.1f} dB above right, SDR {gain:.1f} dB over both channels")

# %% [markdown]
# ### What if it lasts an hour?
#
# `separate_blocks` works through a recording in windows of ten seconds whose edges overlap, and gives out each part as
# soon as it is done. How much of a file does it hold at a time? We count what it has read and not yet given out, in a
# short file and in one six times as long.

# %%
import time


# %%
def work_through(seconds):
    """How a file of so many seconds passes through: one row."""
    long, read, given, held = np.resize(sound, seconds * 32_000), 0, 0, 0

    def blocks():
        nonlocal read
        for block in np.split(long, seconds):
            read += len(block)
            yield block

    began = time.perf_counter()
    for part in tiny.separate_blocks(blocks(), ["violin"], progress=False):
        held, given = max(held, read - given), given + part.shape[1]
    return {"file (s)": seconds, "times real time": seconds / (time.perf_counter() - began), "held (s)": held / 32_000}


# %%
streamed = pd.DataFrame([work_through(20), work_through(120)])
ledger.record("09_scale_up", "speed of the tiny separator", streamed["times real time"].max(), "times real time")
streamed.style.hide(axis="index").format(precision=1)

# %% [markdown]
# The last column does not grow with the file: memory is flat, and an hour takes an hour over *times real time*. The
# blocks may as well come from a disk: so `lass-lab separate` reads its file (`read_blocks`) and writes its estimates,
# in the recording's own channels, sample rate and bits.
#
# ## Many GPUs
#
# One GPU is too slow? *Distributed data parallel* (DDP) puts a copy of the network on each, and each hears other items.
# Every process computes the gradient of its own items; then they exchange gradients, take the mean, and all copies
# make the same step. Why should that be the same as one large batch? The loss is a mean over items, and the gradient
# of a mean is the mean of gradients. We try it on the head, with four items, all at once and in two halves.

# %%
from lass_lab.datasets import data_dir
from lass_lab.datasets.duet_mixing import DuetRecipe, FinetuningDataset
from lass_lab.datasets.mixing import collate

alone = DuetRecipe(seconds=1, rehearsal=0, substitutes=0)
items = list(FinetuningDataset([load_piece("joy")], None, alone, range(4)))


def gradient(separator, part):
    """The loss's gradient for the head, as one vector."""
    batch = collate(part)
    estimate = separator(batch["mixture"].to(separator.device), batch["query"])
    loss = (estimate - batch["target"].to(separator.device)).abs().mean()
    found = torch.autograd.grad(loss, list(separator.network.head.parameters()))
    return torch.cat([value.flatten() for value in found])


# %%
copy = load_separator("tiny", precision="float32")
for norms in ("frozen", "follow the batch"):
    copy.network.train(norms == "follow the batch")
    whole = gradient(copy, items)
    halves = (gradient(copy, items[:2]) + gradient(copy, items[2:])) / 2
    apart = ((halves - whole).norm() / whole.norm()).item()
    print(f"norms {norms}: halves and whole differ by {apart:.1e} of the gradient")

# %% [markdown]
# In the first line only rounding is left. In the second, not: a batch norm that follows its batch sees two items where
# it saw four, so the two halves have passed through another network. The course's recipe freezes the norms. Where
# they are to learn, `torch.nn.SyncBatchNorm` exchanges their statistics, too.
#
# ### Exercise 2: unequal shares
#
# Seven items do not divide evenly among three processes. From the gradient of each process (a row each) and the number
# of items that it heard, what is the gradient of the whole batch?

# %%
from lass_lab.course.nb09.checks import check_mean_gradient


def mean_gradient(gradients, items):
    """Gradients `(processes, numbers)` and items `(processes,)` to one gradient `(numbers,)`."""
    return ...


check_mean_gradient(mean_gradient)

# %% [markdown]
# DDP itself takes the plain mean. That is right because all shares are made equal: where items do not divide evenly,
# PyTorch's sampler repeats a few.
#
# ### What scales, and what does not
#
# `lass-lab finetune --devices 4` starts four processes; with `--nodes` on several machines, started by SLURM or
# `torchrun`. (From a notebook it starts one.) The batch is per process, so a step hears more, and an epoch takes fewer
# steps. For the full recipe on the shipped duets:

# %%
from lass_lab.experiments.finetuning import FinetuningData
from lass_lab.experiments.training import Schedule

recipe = sized_recipe("preserving", PROFILES["full"])
heard, phase = FinetuningData(recipe, data_dir(), None), recipe.phase1
schedules, rows = {}, []
for devices, nodes in ((1, 1), (2, 1), (4, 1), (4, 2)):
    count = devices * nodes
    steps = heard.steps(phase, count)
    schedules[count] = Schedule(steps, phase.rate, phase.warmup, recipe.descent)
    row = {"switches": f"--devices {devices} --nodes {nodes}", "items a step": count * recipe.batch}
    rows.append(row | {"steps an epoch": heard.epoch_items / count / recipe.batch, "steps in phase 1": steps})
pd.DataFrame(rows).style.hide(axis="index").format(precision=1)

# %% [markdown]
# The number of items is nearly the same in each row; what shrinks is the number of steps, and with it the time, as
# long as exchanging gradients takes little of it. Something else shrinks as well, unnoticed. The warm-up is a number of
# *steps*:

# %%
import matplotlib.pyplot as plt

from lass_lab.course.plots import COLOURS

_, ax = plt.subplots(figsize=(7, 2.6), layout="constrained")
for (count, schedule), colour in zip(schedules.items(), COLOURS, strict=False):
    place = np.arange(schedule.steps) / schedule.steps
    rates = [schedule.peak * schedule(step) for step in range(schedule.steps)]
    ax.plot(place, rates, color=colour, label=f"{count} GPU" + "s" * (count > 1))
ax.set(xlabel="share of phase 1", ylabel="learning rate", ylim=(0, None))
ax.legend(frameon=False)
figure_html(ax, "The learning rate over phase 1 with one, two, four and eight GPUs: the warm-up takes a larger share.")

# %% [markdown]
# With every doubling, the warm-up takes twice the share of the run, and there are half as many steps to learn in. A
# larger batch has a less noisy gradient and often bears a higher rate; for Adam's family a rule of thumb is the root of
# the factor. It is a rule to *try*, on the validation slices: the command changes neither for you. So the first thing
# to do with many GPUs is seldom to use all of them for one run. Eight runs with eight choices need no exchange at all.
#
# On a cluster, this script asks SLURM for machines, and goes on where its last job was stopped:

# %%
from lass_lab.course.profile import CHECKOUT

print((CHECKOUT / "docs" / "finetune.slurm").read_text())

# %% [markdown]
# ## Share it
#
# A separator that only you can open is soon lost. `save_pretrained` writes it to a folder, which `load_separator`
# opens. What is in there, and how large is it?

# %%
import hashlib

folder = work / "shared"
mine.save_pretrained(folder)
files = sorted(folder.iterdir())
digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
told = {"file": [f.name for f in files], "kB": [f.stat().st_size / 1e3 for f in files], "SHA-256 begins": digests}
in_memory = sum(value.nbytes for value in mine.state_dict().values())
print(f"the same separator in memory: {in_memory / 1e3:,.0f} kB")
pd.DataFrame(told).style.hide(axis="index").format({"kB": "{:,.1f}", "SHA-256 begins": "{:.12}"})

# %% [markdown]
# Compare the file with what is in memory. It is smaller for two reasons: weights are stored in float16 (vectors and
# statistics, which are few, in float32), and what the sentence encoder has from its official weights is not stored. The
# SHA-256 is a fingerprint: publish it, and everyone can see that they have the same file. Is it still the same
# separator?

# %%
from safetensors.torch import load_file

stored = pd.Series(
    [str(value.dtype).removeprefix("torch.") for value in load_file(folder / "model.safetensors").values()]
)
print("tensors stored as", stored.value_counts().to_dict())
again = load_separator(folder)
heard_before, heard_again = (s.separate(excerpt.mixture, "trumpet") for s in (mine, again))
print(f"largest difference between their estimates: {np.abs(heard_before - heard_again).max():.1e}")
print((folder / "README.md").read_text())

# %% [markdown]
# The text is the page that others will see first. It says how to open the separator, and not yet what it can do.
# `python -m authoring keep runs/finetune --out FOLDER` measures a run on the test piece and writes a *model card*
# beside the weights: what it was trained on, for how long, how well it does, and what it cannot do. A model without
# one is a rumour.
#
# To publish it on the Hugging Face hub, log in with `hf auth login` and run the lines below. They are not run here,
# because they speak to the world in your name:
#
# ```python
# mine.push_to_hub("YOUR-NAME/my-separator", private=True)
# load_separator("YOUR-NAME/my-separator")  # on any computer
# ```
#
# And the licence? The course's code is MIT, its audio and weights are CC BY 4.0: use them, and name where they come
# from. What you train on recordings of others, or from AudioSep's weights, carries their terms along. Read those
# before you publish, and write your own into the card.
#
# ## What we take along
#
# The ledger holds what you measured on the way. All of it, from the first notebook to this one:

# %%
for column in ("operations", "seconds here"):
    ledger.record("09_scale_up", f"full size over tiny, {column}", sizes.at["ratio", column], "times")
results = ledger.read()
results["value"] = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in results["value"]]
results[["notebook", "name", "value", "unit", "profile"]].style.hide(axis="index")

# %% [markdown]
# (Notebooks that you have not run yet are not in it. `lass-lab evaluate --table paper` sets your fine-tuned separator
# beside the paper's.)
#
# - A larger model is the same class with other numbers; look at operations and memory before you wait for it.
# - Half the bits cost decibels that can be measured, and are worth it where the processor plays along.
# - Check recordings before you train on them, and rehearse before you train for long.
# - Many GPUs compute the gradient of one large batch, if shares are equal and norms are frozen.
# - Weights are half of a model; the other half is what is written about them.
#
# **Try:** hold the dress rehearsal with recordings of your own, and then train on them in earnest. Which instrument
# does your separator not know yet?
#
# ### Where to go next
#
# Six works to read, in this order. *LASS-Net* (Liu et al., 2022) asked the question first: one source out of a mixture,
# by a sentence. *AudioSep* (Liu et al., 2023) answered it at scale, and is the model of this course. *CLAP* (Wu et al.,
# 2023) is where its words get their meaning. *CLAPSep* (Ma et al., 2024) lets a query also say what is *not* wanted,
# and builds on CLAP's own audio features. *FlowSep* (Yuan et al., 2024) gives up the mask and generates the target
# instead, by rectified flow. *SAM-Audio* (Meta, 2025) takes words, a region of a video or a stretch of time as its
# prompt. For each, ask what you have learnt to ask here: measured how, on what, and beside which floor?
#
# The answers to the exercises are in [the solutions](solutions/09_scale_up.ipynb).
