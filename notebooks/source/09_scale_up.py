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
# - measure what a separator is good for (mixing, removing, listening) and where it ends;
# - see by hand why many GPUs learn what one does, and hand a separator on so that others can trust it.
#
# {{time}} · **Study time:** about 80 minutes
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## The full model
#
# AudioSep's weights are published: its separation network and CLAP, the query network that goes with it. Are they on
# this computer? The cell only looks. With `FETCH = True` it downloads what is missing, checks it, and makes it ready
# for use offline; `lass-lab weights audiosep` does the same on the command line. (On Colab, *Runtime → Change
# runtime type* gives you a GPU; nothing else has to change.)

# %%
import torch

from lass_lab.course.profile import current
from lass_lab.course.runs import find_full_size
from lass_lab.models import load_separator

FETCH = False
profile = current()
full = find_full_size(FETCH)
tiny = load_separator("tiny")
print(f"CUDA GPUs here: {torch.cuda.device_count()}; the tiny separator computes on: {tiny.device}")

# %% [markdown]
# With or without weights, the network itself we can build: it is the class you know, `ResUNet`, at AudioSep's sizes,
# without the tiny one's layers over frequency.
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
shown = sizes.style.format({"parameters": "{:,.0f}", "operations": "{:.3g}", "seconds here": "{:.3f}"})
shown.format("{:.1f}", subset=pd.IndexSlice["ratio", :])

# %% [markdown]
# Read the last row. The large network looks at twice as many frames a second, because its hop is half as long. Is the
# ratio of operations the ratio of parameters, times two? If not, where do the others come from?

# %%
from lass_lab.course.quiz import answer
from lass_lab.datasets import data_dir
from lass_lab.experiments.finetuning import FinetuningData
from lass_lab.experiments.recipes import RECIPES

ratio, paper = sizes.loc["ratio"], RECIPES["paper"]
slices = paper.batch * FinetuningData(paper, data_dir(), None).steps(paper.phase1)
hours = 3 * sizes.at["full size", "seconds here"] * slices / 3600
wider = [round(a / b, 1) for a, b in zip(large.config.channels, tiny.network.config.channels, strict=True)]

# %%
answer(
    f"Parameters x {ratio['parameters']:.1f}, times two for the frames, is {2 * ratio['parameters']:.0f}; operations "
    f"are x {ratio['operations']:.0f}. From the outermost block to the innermost, the large network has {wider} times "
    "as many channels, and the weights of a convolution grow with the square. So it is widened most where the picture "
    "is largest and each weight is used most often, while most parameters are in the inner blocks."
    f"\n\nThe time is x {ratio['seconds here']:.0f}. Where that is less than the operations, a larger share of the "
    "small network's time goes into memory traffic and overheads."
    f"\n\nThe paper's phase 1, with this network: about {hours:.0f} hours on this computer. (An estimate: a "
    "training step costs about three times the forward pass. On a GPU it has not been measured.)"
)

# %% [markdown]
# ### Does size help?
#
# On the held-out duet, by the two plain words, beside what notebook 03 measured of *tiny*. This takes AudioSep's
# weights.

# %%
from lass_lab.course.plots import results_table
from lass_lab.experiments.evaluation import evaluate, summarise

if full:
    patient = not torch.cuda.is_available()  # ten seconds are enough to ask of a CPU
    seconds = 10 if patient else profile.seconds
    measured = evaluate({"tiny": tiny, "AudioSep": full}, list_pieces("test"), longest=seconds)
    display(results_table(summarise(measured)))  # noqa: F821

# %% [markdown]
# ## Half the bits
#
# A float32 takes four bytes. Two would do with half the memory, and many processors multiply them faster. There are
# two ways to spend 16 bits. What do they give up?

# %%
from lass_lab.models.weights import native_bfloat16

kinds = {str(kind).removeprefix("torch."): torch.finfo(kind) for kind in (torch.float32, torch.bfloat16, torch.float16)}
print(f"this processor has native bfloat16 arithmetic: {native_bfloat16(tiny.device)}")
table = {
    name: {"bytes": i.bits // 8, "largest": i.max, "smallest normal": i.tiny}
    | {"smallest at all": i.tiny * i.eps, "step above 1": i.eps}
    for name, i in kinds.items()
}
pd.DataFrame(table).T.style.format("{:.2g}")

# %% [markdown]
# (Below the smallest *normal* number, steps stay the same and digits are lost one by one, down to the smallest at all.)
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
ledger.record("09_scale_up", "bfloat16 against float32, tiny", round(agreement, 1), "dB")
print(f"bfloat16 agrees with float32 to {agreement:.1f} dB")
pd.DataFrame(rows).T.style.format("{:.3f}")

# %% [markdown]
# Does rounding matter beside the error of separating? And was it faster?

# %%
faster = rows["float32"]["seconds"] / rows["bfloat16"]["seconds"]
answer(
    f"The error of rounding lies {agreement:.0f} dB below the estimate, the error of separating only "
    f"{rows['float32']['SDR, violin (dB)']:.0f} dB below the violin; the two SDRs can hardly be told apart. bfloat16 "
    f"took {1 / faster:.1f} times as long. It pays where the processor has it natively: load_separator takes "
    "it there and nowhere else, unless you say so."
)

# %% [markdown]
# ### Where the memory goes
#
# Training needs far more than the weights. For the backward pass each layer keeps what it computed in the forward pass.
# How much is that? Measured for two mixtures of one second on the tiny network; and counted, without computing
# anything, for each of AudioSep's five seconds.

# %%
from lass_lab.course.nb09.scaling import kept_for_backward, kept_on_paper

pair, rows = mixture[:, None, :32_000].expand(2, -1, -1), {}
conditions = tiny.query_network(["violin", "trumpet"]).detach()
for lowered in (False, True):
    with torch.autocast(tiny.device.type, torch.bfloat16, lowered):
        kept = kept_for_backward(tiny.network, lambda: tiny.network(pair, conditions))
    rows["tiny, two mixtures of 1 s, " + ("bfloat16" if lowered else "float32")] = kept
rows["full size, each mixture of 5 s, float32, counted"] = kept_on_paper(ResUNetConfig.audiosep(), 5)
for name, kept in rows.items():
    print(f"{name}: {kept / 1e6:,.0f} MB")

# %% [markdown]
# Compare the first two lines: bfloat16 saves less than half, because the weights are there a second time, in bfloat16.
# That weighs much in one second, and little in five. The last line is for *one* mixture of a batch; the twelve that
# AudioSep puts on each GPU take twelve times that.
#
# **Exercise 1: the rest of it.** What does training hold besides, whatever the batch? Some parameters learn and some
# are frozen. The optimiser is AdamW (its formula is in notebook 05); a variant, `amsgrad`, with which AudioSep was
# trained, also remembers for each parameter the largest $v$ so far. Write the number of bytes. The check compares with
# what torch holds after a real step.
#
# <details><summary>Hint</summary>Go through one step of the loop in notebook 05, for a single parameter that learns.
# Which numbers must still be there when the next step begins, and which when the optimiser moves it?</details>
# <details><summary>Second hint</summary>A frozen parameter takes part in the forward pass alone. One that learns also
# has a gradient, and each running mean of AdamW is as large as the parameter.</details>

# %%
from lass_lab.course.nb09.checks import check_training_bytes


def training_bytes(learning, frozen, bytes_each, amsgrad):
    """Bytes for so many parameters that learn and so many that are frozen."""
    return ...


check_training_bytes(training_bytes)

# %% [markdown]
# When it is right, ask it: how much for the full-size separation network, learning in float32? And which of the two
# numbers, this one or the one for a batch of mixtures, decides how large a GPU you need? (The solutions compute both.)
#
# ## Your own recordings
#
# You have recordings of two players, each on a track of its own? Then you can fine-tune on them. Here the beginnings
# of three duets play the part of yours, in a temporary folder, with names as the URMP dataset gives them: one folder
# per piece, `AuSep` for a stem, `AuMix` for the mixture, and a short name for each instrument.

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

# %% [markdown]
# Notebook 04 made a dataset of such a folder; here it is one call (`lass-lab slice RECORDINGS --out DATA --test
# PIECE`). Forty seconds are little: the last thirty of each training piece are kept for validation.

# %%
from lass_lab.datasets.slicing import slice_folder

recordings, data, exam = work / "recordings", work / "data", "03_AuldLangSyne_vn_tpt"
print(str(slice_folder(recordings, data, test=[exam])).replace(str(work), "..."))

# %% [markdown]
# No names of this kind? A folder per piece with `mixture.wav`, `violin.wav`, `trumpet.wav` works as well. The folder
# `data` now has a manifest: for each source its file, its split,
# its words, its checksum. From here on everything is as in notebooks 05 and 06, with one switch more:
#
# ```
# lass-lab finetune --data DATA --run runs/mine
# lass-lab evaluate --data DATA --model tiny --model runs/mine/phase2
# ```
#
# Before you give it a night, make a trial run: the smallest run there is, to see that everything fits together.

# %%
from dataclasses import replace

from lass_lab.course.profile import PROFILES
from lass_lab.course.runs import sized_recipe
from lass_lab.experiments import finetune

small = sized_recipe("preserving", PROFILES["ci"])
phases = {"phase1": replace(small.phase1, epochs=1), "phase2": replace(small.phase2, epochs=0)}
small = replace(small, **phases, checkpoint_every=2, validate_every=1)
finetune("tiny", work / "run", small, data=data, progress=False)
print(sorted(path.name for path in (work / "run" / "phase1").iterdir()))

# %% [markdown]
# It taught nothing, in two steps, and it went through all that a long run goes through: reading, mixing, validating,
# choosing the best weights, writing them. The full-size model takes the same command with `--model audiosep`.
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

# %%
from lass_lab.course.players import players

first = sound[: 10 * 32_000]  # to hear; all of it goes the same way
*estimates, residual = mine.separate(first, QUERIES, residual=True)
print(f"the sum of the estimates agrees with the mixture to {sdr(first, sum(estimates)):.1f} dB")
players({"mixture": first} | dict(zip(QUERIES, estimates, strict=True)) | {"what nobody asked for": residual})

# %% [markdown]
# Without the true sources no estimate's SDR can be computed. What can still be asked: do the estimates add up to the
# mixture, and what is in the *residual*, the rest that nobody asked for? A loud residual has something in it that
# neither word names, or that both estimates left out. A quiet one proves little: if all of the music were in one
# estimate, and in the wrong one, nothing would be left over either.
#
# ## What it is good for
#
# **Music production and editing.** A producer rarely wants the violin alone. She wants it 6 dB louder, or softer, or
# gone. That needs the estimate too, but not all of it: the mixture, plus a share of the estimate. Guess: is a remix
# nearer to the true remix than the estimate is to the true violin?

# %%
violin, mixed = excerpt.sources["violin"], excerpt.mixture
estimate = mine.separate(mixed, "violin", progress=False)
remixes = {"alone": (violin, estimate)}
for label, gain in {"6 dB louder": 10 ** (6 / 20), "6 dB softer": 10 ** (-6 / 20), "gone": 0.0}.items():
    remixes[label] = tuple(mixed + (gain - 1) * each for each in (violin, estimate))
quality = {label: sdr(true, made) for label, (true, made) in remixes.items()}
for label, value in quality.items():
    print(f"the violin {label}: {value:.1f} dB")
players({f"the violin {label}": made for label, (_, made) in remixes.items()})

# %%
answer(
    f"Alone it has {quality['alone']:.1f} dB. 6 dB softer, the whole remix has {quality['6 dB softer']:.1f} dB, "
    "because only half of the estimate, with half of its error, goes into it; 6 dB louder, all of the error does, but "
    f"under a violin twice as strong ({quality['6 dB louder']:.1f} dB). With the violin gone, what is left is the "
    f"trumpet by subtraction, {quality['gone']:.1f} dB: the more of a recording is taken away, the more of the error "
    "is heard."
)

# %% [markdown]
# **Assistive listening.** A hearing aid that follows a word would need its answer within about a hundredth of a second.
# `separate_blocks` works through a recording of any length in windows of ten seconds whose edges overlap; in the
# overlaps both estimates are faded into each other and added (*overlap-add*). How much sound has it read and not yet
# given out? We count, in a minute of sound.

# %%
import time

import numpy as np

minute, read, given, held = np.resize(sound, 60 * 32_000), [], 0, 0
blocks = (read.append(len(block)) or block for block in np.split(minute, 60))
began = time.perf_counter()
for part in tiny.separate_blocks(blocks, ["violin"], progress=False):
    held, given = max(held, sum(read) - given), given + part.shape[1]
speed = 60 / (time.perf_counter() - began)
ledger.record("09_scale_up", "speed of the tiny separator", round(speed, 1), "times real time")
print(f"{speed:.1f} times real time; up to {held / 32_000:.1f} s read and not yet given out")

# %%
answer(
    f"It is fast enough for live sound ({speed:.0f} times real time here) and far too late: {held / 32_000:.0f} s are "
    "held back. However long the file, it is never more, so an hour of music needs no more memory than a minute. But a "
    "hearing aid would need a *causal* network, one that uses no sound from the future. For sound that is recorded "
    "already, such as a film whose speech is hard to follow, the delay does not matter."
)

# %% [markdown]
# ## Where it ends
#
# One limit can be measured at once: it separates by kind, not by player. Two violins play two tunes; what does
# “violin” give?

# %%
from lass_lab.datasets.mixing import match_energy

one, two = (load_piece(name).slice(20, 5).sources["violin"] for name in list_pieces("train"))
two = match_energy(two, one)
estimate = mine.separate(one + two, "violin", progress=False)
nearness = {"both": sdr(one + two, estimate), "the first": sdr(one, estimate), "the second": sdr(two, estimate)}
for what, value in nearness.items():
    print(f"SDR against {what}: {value:.1f} dB")

# %%
answer(
    f"Both of them: {nearness['both']:.1f} dB against their sum, {nearness['the first']:.1f} and "
    f"{nearness['the second']:.1f} dB against each alone, where the plain sum has 0 dB. (Both are from training "
    "pieces, which flatters the first number.) No word of the course says which violin, and a clip of it hardly could "
    "either."
)

# %% [markdown]
# The others were measured elsewhere in the course:
#
# | limit | measured in |
# |---|---|
# | One test duet; intervals are over slices of one piece | notebook 07 |
# | Another sampler's trumpet is heard less well, and a recorded one was never tested | notebook 08, model card |
# | Other instruments are forgotten where they are not rehearsed | notebook 08, `docs/studies.md` |
# | Words that nobody trained with can fail | notebook 06 |
# | Even the best mask that keeps the mixture's phase leaves an error | notebooks 01 and 07 (the ceilings) |
# | Sounds that it was not taught | notebook 03, `data/tiny/MODEL_CARD.md` |
# | On real performances it gains about two thirds as much | notebook 07, `data/tiny/MODEL_CARD.md` |
#
# The paper's tables speak of two instruments by two words, so the same questions are open there. **Future work**
# follows from each line: duets that people recorded; a query that also says *which* violin, or what is not wanted;
# old sounds tested after every new one; a causal network; a loss that agrees with hearing.
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
# **Exercise 2: unequal shares.** Seven items do not divide evenly among three processes. From the gradient of each
# process (a row each, of the mean over its items) and the number of items that it heard, what is the gradient of the
# whole batch?
#
# <details><summary>Hint</summary>From a process's mean, how do you get the sum over its items?</details>
# <details><summary>Second hint</summary>Sums can be added; one division is left for the end. By how many?</details>

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
# `lass-lab finetune --devices 4` starts four processes; with `--nodes` on several machines, started by SLURM (a
# cluster's scheduler; `docs/finetune.slurm` is a script for it) or `torchrun`. The batch is per process, so a step
# hears more items and an epoch takes fewer steps. What grows unnoticed is the share of the warm-up, which is given in
# steps. A larger batch has a less noisy gradient and often bears a higher rate; for Adam's family a rule of thumb is
# the root of the factor. It is a rule to *try*, on the validation slices: the command changes neither for you. And
# eight runs with eight choices, one a GPU, need no exchange at all.
#
# ## Share it
#
# A separator that only you can open is soon lost. `save_pretrained` writes it to a folder, which `load_separator`
# opens. What is in there, how large is it, and is it still the same separator?

# %%
import hashlib

folder = work / "shared"
mine.save_pretrained(folder)
files = sorted(folder.iterdir())
digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
told = {"file": [f.name for f in files], "kB": [f.stat().st_size / 1e3 for f in files], "SHA-256 begins": digests}
again = load_separator(folder)
heard_before, heard_again = (s.separate(excerpt.mixture, "trumpet") for s in (mine, again))
print(f"in memory: {sum(value.nbytes for value in mine.state_dict().values()) / 1e3:,.0f} kB")
print(f"largest difference between their estimates: {np.abs(heard_before - heard_again).max():.1e}")
pd.DataFrame(told).style.hide(axis="index").format({"kB": "{:,.1f}", "SHA-256 begins": "{:.12}"})

# %% [markdown]
# The file is smaller than what is in memory for two reasons: weights are stored in float16 (vectors and statistics,
# which are few, in float32), and what the sentence encoder has from its official weights is not stored. The SHA-256 is
# a fingerprint: publish it, and everyone can see that they have the same file. The folder's `README.md` says how to
# open the separator, and not yet what it can do: `python -m authoring keep runs/finetune --out FOLDER` measures a run
# on the test piece and writes a *model card* beside the weights. To publish it on the Hugging Face hub, log in with
# `hf auth login` and run these lines; they are not run here, because they publish under your name:
#
# ```python
# mine.push_to_hub("YOUR-NAME/my-separator", private=True)
# load_separator("YOUR-NAME/my-separator")  # on any computer where you are logged in
# ```
#
# **Whose sounds are they?** Behind every weight is somebody who played. This course trains on scores in the public
# domain, sampled instruments and recordings whose licences allow it, and names them all (`data/README.md`, and the last
# line of each model card); its code is MIT, its audio and weights are CC BY 4.0. What you train on recordings of
# others, or from AudioSep's weights, carries their terms along: read those before you publish, and write them into the
# card. A licence is not yet consent: most players never meant to teach a machine, and a separator can take a singer's
# voice out of a song without asking. So ask those whom you can ask, and say in the card what your separator should not
# be used for.
#
# ## What we take along
#
# The ledger holds what you measured on the way. All of it, from the first notebook to this one:

# %%
for column in ("operations", "seconds here"):
    ledger.record("09_scale_up", f"full size over tiny, {column}", round(sizes.at["ratio", column], 1), "times")
results = ledger.read()
digits = {True: "{:.1f}", False: "{:.3g}"}  # decibels, and all else
results["value"] = [
    digits[unit == "dB"].format(value) if isinstance(value, float) else str(value)
    for value, unit in zip(results["value"], results["unit"], strict=True)
]
results[["notebook", "name", "value", "unit", "profile"]].style.hide(axis="index")

# %% [markdown]
# (Notebooks that you have not run yet are not in it. `lass-lab evaluate --table paper` sets your fine-tuned separator
# beside the paper's.)
#
# - A larger model is the same class with other numbers; look at operations and memory before you wait for it.
# - Half the bits cost hundredths of a decibel, and pay where the processor computes bfloat16 natively.
# - Check recordings before you train on them, and make a short trial run before you train for long.
# - What an error costs depends on the use: a remix forgives more than a solo, a hearing aid no delay.
# - Many GPUs compute the gradient of one large batch, if shares are equal and norms are frozen.
# - Weights are half of a model; the other half is what is written about them.
#
# **Try:** make the trial run with recordings of your own, and then do the full training. Which instrument
# does your separator not know yet?
#
# Where to go next: the reading list, `docs/site/reading.md`. For each work, ask what you have learnt to ask here:
# measured how, on what, and beside which floor?

# %%
from lass_lab.course.quiz import quiz

quiz("09")

# %% [markdown]
# The answers to the exercises are in [the solutions](solutions/09_scale_up.ipynb).
