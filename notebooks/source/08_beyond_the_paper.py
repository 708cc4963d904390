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
# - draw what was gained against what was kept, with its uncertainty, and choose;
# - ask what was learnt of a trumpet that nothing was trained on.
#
# {{time}} · **Study time:** about 60 minutes
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## What nobody asked about
#
# The tables of notebook 07 speak of two instruments. The pretrained separator knew many more sounds. Here is one probe
# for eight of its instruments: random mixtures of them, each asked for in words that no training has used. Predict:
# does a separator that was fine-tuned on violin and trumpet still know a cello?

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
others = others.loc[tables[0]["detail"], list(separators)]
others.rename_axis("SDRi of", axis=0).style.format("{:.1f} dB")

# %%
from lass_lab.course.quiz import answer

change = others["phase 2"] - others["pretrained"]
single = change.drop("mean")
answer(
    f"On average {change['mean']:+.1f} dB over {profile.pairs} mixtures; from {single.min():+.1f} dB for the "
    f"{single.idxmin()} to {single.max():+.1f} dB for the {single.idxmax()}. The single instruments come from few "
    "mixtures, and say little each. Half of what the course's recipe hears is mixtures of the old instruments "
    "(rehearsal). Whether that is the reason, two short runs will show."
)

# %% [markdown]
# What pretraining leaves behind counts as well: the trumpet was new, but its relatives were not. Notebook 03 measured
# it: before any fine-tuning, the name of a taught relative can bring some of a trumpet, depending on how that trumpet
# sounds.
#
# ## Two short runs
#
# What would have happened without rehearsal? We teach the trumpet twice, from the same start, for the same number of
# steps, phase 1 alone: once from the duets and nothing else, as the paper does, and once with rehearsal. The duets are
# measured on their validation slices, the others on the mixtures above; the test piece was for notebook 07.

# %%
from dataclasses import replace

from tqdm.auto import tqdm

from lass_lab.course.runs import finetune_folder, sized_recipe
from lass_lab.course.speed import fitted
from lass_lab.experiments import finetune

profile = fitted(profile)
recipe = sized_recipe("preserving", profile)
alone = replace(recipe.items, rehearsal=0.0, substitutes=0.0)
short = {"duets alone": (alone, 2), "with rehearsal": (recipe.items, 1)}

# %%
for name, (items, times) in tqdm(short.items(), unit="run"):
    plan = replace(recipe, items=items, phase1=replace(recipe.phase1, epochs=times * profile.study_epochs))
    run = finetune_folder().parent / f"keeping-{profile.name}" / name.replace(" ", "-")
    separators[name] = finetune("tiny", run, plan, phases=["phase1"], progress=False)

# %% [markdown]
# Half of the items of the second run are mixtures of other instruments. With equal steps it therefore hears only half
# as many duet items as the first: part of any difference on the trumpet is due to that. *Phase 2* is the long run of
# notebooks 05 and 06, with several times the steps; compare the two short ones with each other. Now both questions at
# once, for all four: how good is the trumpet, and how good is everything else?

# %%
from lass_lab.course.nb08.tradeoff import measure, show_tradeoff
from lass_lab.course.plots import figure_html
from lass_lab.experiments.evaluation import validation_pieces

pieces = [piece.slice(0, min(30, profile.seconds or 30)) for piece in validation_pieces()]
ways = {name: measure(each, pieces, profile.pairs) for name, each in tqdm(separators.items(), unit="separator")}
figure_html(show_tradeoff(ways), "Trumpet against other instruments: validation slices, random mixtures of others.")

# %% [markdown]
# Higher: a better trumpet. Further right: more of the other instruments kept. The grey bars are 95% intervals, one over
# slices and one over mixtures. They are wide, but all four heard the same slices and the same mixtures. So compare in
# pairs, as in notebook 07: what does rehearsal change, and is the change larger than chance? All numbers are SDRi.

# %%
from lass_lab.experiments.evaluation import bootstrap

rows = {}
for name, than in (("phase 2", "pretrained"), ("duets alone", "pretrained"), ("with rehearsal", "duets alone")):
    for aim in ("trumpet", "violin", "others"):
        more = ways[name][aim] - ways[than][aim]
        rows.setdefault(f"{name} minus {than}", {})[aim] = "{:+.1f} [{:+.1f}, {:+.1f}] dB".format(
            more.mean(), *bootstrap(more)
        )
pd.DataFrame(rows).T

# %%
lost = ways["duets alone"]["others"] - ways["pretrained"]["others"]
kept, paid = (ways["with rehearsal"][aim] - ways["duets alone"][aim] for aim in ("others", "trumpet"))
low, high = bootstrap(kept)
answer(
    f"Duets alone change the other instruments by {lost.mean():+.1f} dB. Rehearsal adds {kept.mean():+.1f} dB to that "
    f"(95% interval {low:+.1f} to {high:+.1f} dB), and {paid.mean():+.1f} dB to the trumpet. "
    + (
        "The interval includes zero: runs as short as these do not show it."
        if low < 0 < high
        else f"The interval is {'above' if low > 0 else 'below'} zero."
    )
    + " One more reason for care: the interval is over mixtures, and both are single runs with one seed."
)

# %% [markdown]
# ## A straight line between two networks
#
# There is a way to keep more that costs no training at all. Take the weights before and the weights after, and go only
# part of the way (weight interpolation; Wortsman et al., "Robust fine-tuning of zero-shot models", 2022). A network is
# nonlinear, so an average of two need not be any good. It often is, when one was fine-tuned from the other.
#
# ### Exercise 1: between two networks
#
# The weights at a share of the way: 0 is before, 1 is after. A network's weights are a dictionary, name to tensor.
#
# <details><summary>Hint</summary>A straight line: each number is a weighted mean of two.</details>
# <details><summary>Second hint</summary>Go through the names, and make a new tensor for each; the two networks must
# stay as they are.</details>
#
# (Where the fine-tuned network has a branch that the other lacks, the package takes zero for it.)

# %%
from lass_lab.course.nb08.checks import check_between


def between(before, after, share):
    """The weights in between, name to tensor."""
    return ...


check_between(between)

# %% [markdown]
# We walk from the pretrained separator to *duets alone*, the one without rehearsal, and measure on
# the way. Predict: will the points lie on a straight line, too?

# %%
from copy import deepcopy

from lass_lab.experiments.finetuning import average

before, after = separators["pretrained"].cpu(), separators["duets alone"]
path = ["pretrained", "25%", "50%", "75%", "duets alone"]
for name in tqdm(path[1:-1], unit="step"):
    ways[name] = measure(average(deepcopy(after), before, int(name[:-1]) / 100), pieces, profile.pairs)
figure_html(show_tradeoff(ways, path), "The same, and the way from the pretrained separator to the one of duets alone.")

# %% [markdown]
# A curve that bulges up and to the right means that half the way keeps more than half of both. Does it reach *with
# rehearsal*?

# %%
import numpy as np

middle, ends = ways["50%"], (ways["pretrained"], ways["duets alone"])
bulge = {aim: middle[aim] - (ends[0][aim] + ends[1][aim]) / 2 for aim in ("trumpet", "others")}
line = np.array(sorted((ways[name]["trumpet"].mean(), ways[name]["others"].mean()) for name in path)).T
aim = ways["with rehearsal"]
same = np.interp(aim["trumpet"].mean(), *line)
told = ["{}: {:+.1f} dB [{:+.1f}, {:+.1f}]".format(aim, more.mean(), *bootstrap(more)) for aim, more in bulge.items()]
answer(
    f"Half the way, against the middle of a straight line: {'; '.join(told)}. Above zero, the average is better than "
    f"the mean of the two. With rehearsal has {aim['trumpet'].mean():.1f} dB of trumpet and "
    f"{aim['others'].mean():.1f} dB of others; where the curve has as much trumpet, it has {same:.1f} dB of others."
)

# %% [markdown]
# To hear what an average is: the trumpet of the first slice, along the way.

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
# ### Exercise 2: beaten by none
#
# Mark the separators that are beaten by none. (They are called the *Pareto front*.)
#
# <details><summary>Hint</summary>Decide first what one pair of numbers must do to beat another.</details>
# <details><summary>Second hint</summary>Two that are the same beat neither each other nor themselves.</details>

# %%
from lass_lab.course.nb08.checks import check_unbeaten


def unbeaten(gained, kept):
    """True for each separator that no other one beats; both arrays are in dB, one entry a separator."""
    return ...


check_unbeaten(unbeaten)

# %% [markdown]
# Ours, by their means. But means depend on which slices and mixtures were drawn: draw them again, 2000 times, the same
# ones for all (a paired bootstrap), and count how often each is on the front.

# %%
from lass_lab.course.ledger import record
from lass_lab.course.nb08 import tradeoff

front = pd.DataFrame({name: {aim: values.mean() for aim, values in way.items()} for name, way in ways.items()}).T
front["on the front"] = check_unbeaten.reference(*front[["trumpet", "others"]].to_numpy().T)
front["share of draws"] = tradeoff.on_front(ways)
for name in separators:
    record("08_beyond_the_paper", f"others after {name}, SDRi", front.loc[name, "others"], "dB")
shown = front.sort_values("trumpet").rename(columns=lambda name: f"{name}, SDRi (dB)" if name in middle else name)
shown.style.format("{:.1f}", subset=[name for name in shown if "SDRi" in name]).format(
    "{:.0%}", subset=["share of draws"]
)

# %%
unsure = front.index[front["share of draws"].between(0.05, 0.95)]
answer(
    f"{front['on the front'].sum()} of {len(front)} are on the front by their means. "
    + (f"For {', '.join(unsure)} the draws disagree: these data do not decide." if len(unsure) else "All draws agree.")
    + " Phase 2 trained several times as long as the two short runs: this table does not compare recipes with it. "
    "Which one of the front to take depends on what you need: nothing in these numbers says how many dB of the trumpet "
    "an oboe is worth."
)

# %% [markdown]
# ## Other ways to keep
#
# Each of these is one switch of the recipe, and `python -m authoring study keeping` measures them all in the same way.
# (What `docs/studies.md` holds was measured on earlier weights than those that ship now: read its order, not its
# decibels.)
#
# - **distillation**: rehearse towards what the old separator answered, not towards the true sources. It needs no stems
#   of the old instruments, only mixtures.
# - **frozen blocks**: let the outermost layers, which know what sound looks like, be frozen.
# - **averaging**: what you have just done, at the end of the recipe.
# - **frozen norms**: batch norms keep the statistics of pretraining; else they follow two instruments.
#
# ## Out of domain
#
# One more thing that two instruments cannot tell: whether the trumpet was learnt, or *this* trumpet. The last piece
# was rendered with a SoundFont that nothing here was trained on: other players, other
# rooms, as it were. As in notebook 07, there are two floors: the mixture, and subtraction. Predict for each instrument:
# does phase 2 beat them?

# %%
from lass_lab.datasets import list_pieces
from lass_lab.experiments.evaluation import evaluate

both = {name: separators[name] for name in ("pretrained", "phase 2")}
foreign = evaluate(both, list_pieces("out-of-domain"), longest=profile.seconds, progress=False)
foreign = foreign.query("extent == 'piece' and metric in ('SDR', 'SDRi')")
wide = foreign.pivot_table("value", "separator", ["source", "metric"], sort=False)
record(
    "08_beyond_the_paper", "out of domain, trumpet after phase 2, SDRi", wide.loc["phase 2", ("trumpet", "SDRi")], "dB"
)
wide.style.format("{:.1f} dB")

# %%
told = ""
for source in ("violin", "trumpet"):
    start, end = (wide.loc[name, (source, "SDRi")] for name in both)
    told += f"The {source}: SDRi {start:.1f} dB before, {end:.1f} dB after" + (
        " (below 0 dB, the mixture itself is the better estimate).\n\n" if min(start, end) < 0 else ".\n\n"
    )
floor = wide.loc["pretrained, by subtraction", ("trumpet", "SDR")]
told += f"By subtraction the trumpet had an SDR of {floor:.1f} dB before training; asked for, it has "
answer(
    f"{told}{wide.loc['phase 2', ('trumpet', 'SDR')]:.1f} dB.\n\nWhere less was gained here than on the test piece of "
    "notebook 07, either what was learnt belongs to that sound or this piece is harder. The violin before fine-tuning "
    "shows how much harder; one piece cannot separate the two."
)

# %% [markdown]
# A recipe that changes what it hears (detuned, filtered, noisy: notebook 04) is meant for this table more than for any
# other. And real instruments? The card of the fine-tuned weights says what is not known:

# %%
from IPython.display import Markdown

from lass_lab.signal.files import data_dir

card = (data_dir() / "tiny-finetuned" / "MODEL_CARD.md").read_text(encoding="utf-8")
limits = card.partition("## What it cannot do")[2].partition("Licence")[0].strip()
assert "recorded" in limits
Markdown(limits)

# %% [markdown]
# The pretrained separator was measured on real performances of other instruments (the table of its card, in notebook
# 07). The trumpet that was taught comes from samplers alone. With a recording of a trumpet and its stems, find out:
# notebook 09 says what that takes.
#
# ## What we take along
#
# - What nobody measures is forgotten unnoticed. Probe what must be kept, in words that no training used.
# - Rehearsal keeps it, at a price in steps; an average of before and after costs none, and may do as well. Measure in
#   pairs.
# - With two aims there may be no best one, but some are beaten.
# - What was learnt of one trumpet is not yet learnt of every trumpet.
#
# **Try:** walk from *pretrained* to *with rehearsal* in place of *duets alone* (put the name into
# `before, after`, `path` and `ends`). Predict whether the curve will bulge more or less. And past the end: what does a
# share of 1.25 do?
#
# The answers to the exercises are in [the solutions](solutions/08_beyond_the_paper.ipynb).
#
# So much for two instruments and one small model. The next notebook goes the other way: the full-size model, your own
# recordings, and more than one GPU.

# %%
from lass_lab.course.quiz import quiz

quiz("08")
