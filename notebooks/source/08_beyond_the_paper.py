# %% [markdown]
# # 08 Beyond the paper: gain the trumpet, keep everything else
#
# {{badge}}
#
# The paper gained a trumpet and lost a little violin. What else was lost, and does anything have to be?
#
# **You will**
# - measure what a separator forgets while it learns;
# - rehearse, so that it does not;
# - walk in a straight line between two networks, and listen on the way;
# - draw what was gained against what was kept, and choose.
#
# {{time}}
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## What nobody asked about
#
# The tables of notebook 07 speak of two instruments. The pretrained separator knew twenty-eight. Here is one probe for
# eight of the others: random mixtures of them, each asked for in words that no training has used. Predict: does a
# separator that was fine-tuned on violin and trumpet still know a cello?

# %%
import pandas as pd

from lass_lab.course.profile import current
from lass_lab.course.runs import find_stages
from lass_lab.experiments.probes import forgetting
from lass_lab.models import load_separator

profile = current()
where = find_stages()
separators = {name: load_separator(where[name]) for name in ("pretrained", "phase 2")}
tables = [forgetting(name, each, pairs=profile.pairs) for name, each in separators.items()]
others = pd.concat(tables).pivot(index="detail", columns="separator", values="value")
others.loc[tables[0]["detail"], list(separators)].style.format("{:.1f} dB")

# %% [markdown]
# Compare the columns, last the line *mean*. Whatever they say of the course's recipe, it is no accident: half of what
# it hears is *rehearsal*, mixtures of the old instruments. What would have happened without?
#
# ## Two short runs
#
# We teach the trumpet twice, from the same start, for the same number of steps, phase 1 alone: once from the duets and
# nothing else, as the paper does, and once with rehearsal. What is measured is always on the validation slices; the
# test piece was for notebook 07.

# %%
from dataclasses import replace

from tqdm.auto import tqdm

from lass_lab.course.runs import finetune_folder, sized_recipe
from lass_lab.experiments import finetune

recipe = sized_recipe("preserving", profile)
alone = replace(recipe.items, rehearsal=0.0, substitutes=0.0)
short = {"duets alone": (alone, 2), "with rehearsal": (recipe.items, 1)}

# %%
for name, (items, times) in tqdm(short.items(), unit="run"):
    plan = replace(recipe, items=items, phase1=replace(recipe.phase1, epochs=times * profile.study_epochs))
    run = finetune_folder().parent / f"keeping-{profile.name}" / name.replace(" ", "-")
    separators[name] = finetune("tiny", run, plan, phases=["phase1"], progress=False)

# %% [markdown]
# Half of the items of the second run are duets, so its epochs take twice the steps; the first therefore goes through
# its slices twice as often. Now both questions at once, for all four: how well is the trumpet heard, and how well
# everything else?

# %%
from lass_lab.course.nb08.tradeoff import show_tradeoff
from lass_lab.course.plots import figure_html
from lass_lab.experiments.evaluation import validation_pieces
from lass_lab.experiments.probes import balance

pieces = [piece.slice(0, 10) for piece in validation_pieces()]
points = pd.DataFrame(
    {"variant": name} | balance(each, pieces, pairs=profile.pairs, progress=False)
    for name, each in tqdm(separators.items(), unit="separator")
)
figure_html(show_tradeoff(points), "Trumpet against everything else: validation slices, random mixtures of others.")

# %% [markdown]
# Up is gained, right is kept; the grey bars are 95% intervals over the mixtures. Compare *duets alone* with *with
# rehearsal*: which way does the step between them go, and is it longer than the bars? The violin in numbers:

# %%
points.set_index("variant")[["violin", "trumpet", "others"]].style.format("{:.1f} dB")

# %% [markdown]
# ## A straight line between two networks
#
# There is a way to keep more that costs no training at all. Take the weights before and the weights after, and go only
# part of the way (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022). With networks so bent as these, an
# average of two need not be any good. It often is, when one grew out of the other.
#
# **Exercise 1.** The weights at a share of the way: 0 is before, 1 is after. A network's weights are a dictionary, name
# to tensor.

# %%
from lass_lab.course.nb08.checks import check_between


def between(before, after, share):
    """The weights in between, name to tensor."""
    return ...


check_between(between)

# %% [markdown]
# We walk from the pretrained separator to *duets alone*, the one that was never told to keep anything, and measure on
# the way. Predict: will the points lie on a straight line, too?

# %%
from copy import deepcopy

from lass_lab.experiments.finetuning import average

before, after = separators["pretrained"].cpu(), separators["duets alone"]
rows = points[points["variant"] != "duets alone"].to_dict("records")
path = ["pretrained"]
for share in tqdm((0.25, 0.5, 0.75, 1.0), unit="step"):
    mixed = average(deepcopy(after), before, share)
    path.append(f"{share:.0%} of duets alone")
    rows.append({"variant": path[-1]} | balance(mixed, pieces, pairs=profile.pairs, progress=False))
everything = pd.DataFrame(rows)
ax = show_tradeoff(everything, path)
figure_html(ax, "The same, and the way from the pretrained separator to the one of duets alone.")

# %% [markdown]
# A curve that bulges up and to the right means that half the way keeps more than half of both. Does it reach *with
# rehearsal*? To hear what an average is: the trumpet of the first slice, along the way.

# %%
from lass_lab.course.players import players

first = pieces[0].slice(0, 5)
heard = {"mixture": first.mixture}
for share in (0.0, 0.5, 1.0):
    mixed = average(deepcopy(after), before, share)
    heard[f"{share:.0%} of the way"] = mixed.separate(first.mixture, "trumpet", progress=False)
players(heard | {"the true trumpet": first.sources["trumpet"]})

# %% [markdown]
# ## Which one to take?
#
# With two aims there may be no best one. But some can be ruled out: those that another one *beats*, being no worse at
# either aim and better at one.
#
# **Exercise 2.** Mark the separators that are beaten by none. (They are called the Pareto front.)

# %%
from lass_lab.course.nb08.checks import check_unbeaten


def unbeaten(gained, kept):
    """True for each separator that no other one beats; both arrays are in dB, one entry a separator."""
    return ...


check_unbeaten(unbeaten)

# %% [markdown]
# Of ours, these are left:

# %%
from lass_lab.course.ledger import record
from lass_lab.course.nb08 import tradeoff

left = everything[tradeoff.unbeaten(everything[["trumpet", "others"]].to_numpy())].sort_values("trumpet")
for row in points.itertuples():
    record("08_beyond_the_paper", f"others after {row.variant}, SDRi", row.others, "dB")
left.set_index("variant")[["trumpet", "violin", "others"]].style.format("{:.1f} dB")

# %% [markdown]
# ## Other ways to keep
#
# Each of these is one switch of the recipe, and `python -m authoring study keeping` measures them all in the same
# way (what it found stands in `docs/studies.md`, beside what the paper's own recipe costs):
#
# - **distillation**: rehearse towards what the old separator answered, not towards the true sources. It needs no stems
#   of the old instruments, only mixtures.
# - **frozen blocks**: let the outermost layers, which know what sound looks like, be frozen.
# - **averaging**: what you have just done, at the end of the recipe.
# - **frozen norms**: batch norms keep the statistics of pretraining; else they follow two instruments.
#
# What the recipe of this course does by default:

# %%
from lass_lab.experiments.recipes import RECIPES

rows = {}
for name, each in RECIPES.items():
    items = each.items
    rows[name] = {"head": each.head, "rehearsal": f"{items.rehearsal:.0%}", "re-mixed": f"{items.remixed:.0%}"}
    rows[name] |= {"augmented": f"{items.augmented:.0%}", "encoder": each.phase2.encoder}
    rows[name] |= {"all phrasings": each.phase2.captions, "frozen norms": each.freeze_norms}
pd.DataFrame(rows)

# %% [markdown]
# ## Out of domain
#
# One more thing that two instruments cannot tell: whether the trumpet was learnt, or *this* trumpet. The last piece
# was rendered with a SoundFont that nothing here was trained on: other players, other rooms, as it were. Predict the
# sign of the last column.

# %%
from lass_lab.experiments.probes import out_of_domain

foreign = [out_of_domain(name, separators[name], longest=profile.seconds) for name in ("pretrained", "phase 2")]
wide = pd.concat(foreign).pivot(index=["detail", "metric"], columns="separator", values="value")[
    ["pretrained", "phase 2"]
]
wide = wide.assign(gain=wide["phase 2"] - wide["pretrained"])
trumpet = wide.xs("SDRi", level="metric")["phase 2"].filter(like="trumpet").mean()
record("08_beyond_the_paper", "out of domain, trumpet after phase 2, SDRi", trumpet, "dB")
wide.style.format("{:.1f} dB")

# %% [markdown]
# A recipe that changes what it hears (detuned, filtered, noisy: notebook 04) is meant for this table more than for any
# other. What it costs or gains on the pieces it trained on, `python -m authoring study data` says.
#
# ## What we take along
#
# - What nobody measures is forgotten unnoticed. Probe what must be kept, in words that no training used.
# - Rehearsal keeps it, for twice the steps. An average of before and after keeps some of it for none.
# - With two aims there is no best, but there are those that are beaten. Rule these out, and then choose.
# - What was learnt of one trumpet is not yet learnt of every trumpet.
#
# **Try:** walk from *pretrained* to *with rehearsal* in place of *duets alone* (it is the line that sets `before,
# after`). Predict whether the curve will bulge more or less. And past the end: what does a share of 1.25 do?
#
# The answers to the exercises are in [the solutions](solutions/08_beyond_the_paper.ipynb).
#
# So much for two instruments and one small model. The last notebook goes the other way: the full-size model, your own
# recordings, and more than one GPU.
