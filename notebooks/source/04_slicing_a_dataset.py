# %% [markdown]
# # 04 Slicing a dataset: from three recordings to data one can trust
#
# {{badge}}
#
# Three folders of studio recordings come in; at the end you hear what a network will be trained on, and you know why
# nothing in it helps anyone to cheat.
#
# **You will**
# - hear what careless resampling does, and where it hides;
# - cut recordings into slices with a manifest, and plant faults to see which of them are found;
# - measure what a *leak* is worth, in decibels, with a separator that has learned nothing at all;
# - mix, re-mix and augment training items by ear.
#
# {{time}}
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## Three recordings
#
# What does a studio send? Usually one folder a piece, with a file for each player and one for all, in stereo, at
# 44,100 samples a second. We have no studio, so we write the beginnings of three of the course's duets in that form,
# named as in the URMP dataset (`vn` is a violin, `tpt` a trumpet).

# %%
import soundfile

from lass_lab.course.ledger import runs_dir
from lass_lab.course.nb04.foreign import write_recordings
from lass_lab.course.players import players
from lass_lab.course.profile import current

work = runs_dir() / "04_slicing_a_dataset"
seconds = max(45, current().seconds or 180)  # the last 30 s of a piece will be kept for validation
recordings = write_recordings(work / "recordings", seconds)
for file in sorted((work / "recordings").rglob("*.wav")):
    info = soundfile.info(file)
    print(f"{file.parent.name}/{file.name}: {info.duration:.0f} s, {info.channels} channels, {info.samplerate} Hz")

# %% [markdown]
# Our networks want one channel at 32,000 Hz. Averaging two channels is easy. The other step is where datasets get
# spoiled without anybody noticing.
#
# ## From 44,100 to 32,000
#
# Why not simply keep 32 of every 44.1 samples, and drop the others? To see what happens, we take a tone that rises
# through all the frequencies a recording at 44,100 Hz can hold, from 0 to 22,050 Hz. A proper resampler does the same
# beside it. Guess first: what will you hear after the tone has passed 16,000 Hz?

# %%
import numpy as np
import soxr
from IPython.display import display

from lass_lab.course.plots import compare_spectrograms, figure_html

time = np.arange(4 * 44_100) / 44_100
sweep = 0.3 * np.sin(2 * np.pi * (22_050 / 4) * time**2 / 2)
kept = np.arange(4 * 32_000) * 44_100 // 32_000  # the sample before each moment that we need
swept = {"samples dropped": sweep[kept], "resampled": soxr.resample(sweep, 44_100, 32_000, quality="VHQ")}
display(figure_html(compare_spectrograms(swept, max_khz=16), "A rising tone, brought to 32,000 Hz in two ways."))
players(swept)

# %% [markdown]
# At 32,000 samples a second there is room up to 16,000 Hz, and no further. On the left the tone hits that ceiling and
# comes down again, as a wrong note that nobody played: *aliasing*. The resampler removes what has no room *before* it
# takes samples, and falls silent. The fainter lines on the left come from taking samples at uneven moments: some are
# late by most of a sample, some are not.
#
# Music has little above 16,000 Hz. Do we get away with it there? Our recordings were made from sound at 32,000 Hz, so
# the truth is known and the damage can be measured.

# %%
from lass_lab.datasets import load_piece
from lass_lab.signal import read_audio, sdr

file = recordings[0] / "AuSep_2_tpt_01_Joy.wav"
stereo, rate = soundfile.read(file)
mono = stereo.mean(axis=1)
kept = np.arange(20 * 32_000) * rate // 32_000
truth = load_piece("joy").sources["trumpet"][: len(kept)]
trumpet = {"samples dropped": mono[kept], "resampled": read_audio(file)[: len(kept)]}
for name, sound in trumpet.items():
    print(f"{name}: SDR {sdr(truth, sound):.1f} dB")
middle = slice(10 * 32_000, 15 * 32_000)
players({name: sound[middle] for name, sound in ({"the truth": truth} | trumpet).items()})

# %% [markdown]
# SDR is the sound's energy over the error's. The dropped version has a roughness that follows each note. A network
# that is trained on such targets learns to make it, and its own SDR ends at this number however well it separates.
# `read_audio` does all of the package's reading: it checks the file, averages the channels and resamples.
#
# ### Exercise 1: where is it heard?
#
# At `rate` samples a second, a tone of `hertz` is taken without a filter. At which frequency is it heard? The check
# tries tones up to nearly twice the rate, and measures each.

# %%
from lass_lab.course.nb04.checks import check_heard_at


def heard_at(hertz, rate): ...  # your code here


check_heard_at(heard_at)

# %% [markdown]
# ## Slices and a manifest
#
# A network does not learn from a piece of three minutes at once. It gets *slices* of five seconds, and it must know
# what is in each: which mixture, which target, which words. `slice_folder` makes a data folder out of recordings; the
# third piece shall be for testing only. On the command line it is `lass-lab slice`. What does it report?

# %%
from lass_lab.datasets.slicing import slice_folder

data = work / "data"
exam = recordings[2].name
report = slice_folder(work / "recordings", data, test=[exam], force=True)
print(str(report).replace(str(work), "..."))

# %% [markdown]
# Read the decibels: every mixture was compared with the sum of its stems. They differ only by the rounding to 16 bits,
# far below what one hears. The data folder goes one step further, and *makes* each mixture the sum. What does it hold?

# %%
import pandas as pd

from lass_lab.datasets import list_pieces

manifest = pd.read_csv(data / "manifest.csv")
pieces = {name: load_piece(name, data) for name in list_pieces(data=data)}
for name, piece in pieces.items():
    print(f"{name}: largest difference from the sum {np.abs(piece.mixture - sum(piece.sources.values())).max():g}")
manifest.assign(sha256=manifest["target_sha256"].str[:8])[["split", "mixture", "target_path", "query", "sha256"]]

# %% [markdown]
# The *manifest* is the contents page: one row for each thing that can be asked for. The *checksum* in the last column
# changes when a single bit of the file does. Beside it lies `slices.csv`, with a row for each slice of each source.

# %%
from lass_lab.course.nb04.plots import show_slices

table = pd.read_csv(data / "slices.csv")
print(table.groupby("part").agg(slices=("silent", "size"), silent=("silent", "sum"), softest_db=("level_db", "min")))
figure_html(show_slices(table), "Every slice of every source; hatched ones are silent: below -45 dB of full scale.")

# %% [markdown]
# Three things to see. The slices adjoin, and none reaches from one part into another. The last 30 seconds of both
# training pieces, much of our short excerpts, are for *validation*, on which choices are made while training goes on.
# And the trumpet of the second piece rests for a while: there is nothing to find there, SDR has no meaning, and whoever
# averages over such slices unknowingly gets a wrong number. They are marked, not thrown away: silence is a right answer
# too.
#
# ## Can one trust it?
#
# A fault in the data raises no error. The loss falls all the same, and weeks later somebody wonders about the trumpet.
# So we plant faults on purpose, each in a piece of its own. Four of them change the sound of one file:

# %%
from lass_lab.course.nb04.foreign import rewrite, write_recording

music, faulty = load_piece("greensleeves"), work / "faulty"
changes = {
    "cut-short": ("AuSep_2", lambda sound: sound[:-44_100]),
    "silent": ("AuSep_2", lambda sound: 0 * sound),
    "not-a-number": ("AuSep_1", lambda sound: np.where(sound == sound.max(), np.nan, sound)),
    "backwards": ("AuMix", lambda sound: sound[::-1]),
}
for number, (title, (file, change)) in enumerate(changes.items()):
    place = write_recording(faulty, music.slice(60 + 10 * number, 10), title)
    path = next(place.glob(f"{file}_*"))
    rewrite(path, change)
    print(f"{place.name}: spoiled {path.name}")

# %% [markdown]
# Three more leave every file sound. A stem is missing; a piece is there a second time, under another name and in the
# test split; and a third time, but a little softer. Which of the seven will be found?

# %%
import shutil

missing = write_recording(faulty, music.slice(40, 10), "missing")
next(missing.glob("AuSep_1_*")).unlink()
good = write_recording(faulty, music.slice(50, 10), "good")
for name in ("same-again", "softer-again"):
    shutil.copytree(good, faulty / name, dirs_exist_ok=True)
for file in (faulty / "softer-again").iterdir():
    rewrite(file, lambda sound: 0.9 * sound)
print(", ".join(sorted(place.name for place in faulty.iterdir())))

# %% [markdown]
# The copies are to be tested on, `good` trains. What does the report say about each?

# %%
from lass_lab.course.nb04.foreign import report_table

copies = ["same-again", "softer-again"]
found = report_table(slice_folder(faulty, work / "checked", test=copies, force=True), faulty)
planted = found[~found["piece"].str.startswith("good")]
print(f"{(planted.iloc[:, 1] != 'nothing').sum()} of {len(planted)} planted faults are named")
left = [{"selector": "th, td", "props": "text-align: left"}]
found.style.hide(axis="index").set_table_styles(left)

# %% [markdown]
# A report names the file and says what is wrong with it, because somebody has to go and mend it. A mixture that is not
# its stems' sum is no reason to lose the piece: the sum takes its place, with a warning.
#
# One fault passed. *softer-again* is a copy, but no sample of it is the same, and no checksum can see that it is the
# same music. A piece that trains is now also tested on, and nothing tells us. How bad is that? This is the most
# important question of the notebook.
#
# ## The leak
#
# To test is to ask: how does it do on music it has *not* heard? A *leak* is anything that lets the answer into
# training. A copy is a plain one. A common one is subtler: all slices are shuffled and a third is set aside for
# testing, *by slice*. Are five seconds of a piece really something new to one who knows the rest of it? We compare
# the slices' average spectra, each with each.

# %%
from lass_lab.course.nb04.plots import show_likeness
from lass_lab.signal import mel_spectrogram

slices = [pieces[row.piece].slice(row.start_s) for row in table.drop_duplicates(["piece", "start_s"]).itertuples()]
owners = np.array([cut.name for cut in slices])
average = np.log([mel_spectrogram(cut.mixture).mean(axis=0) + 1e-9 for cut in slices])
likeness = np.corrcoef(average - average.mean(axis=0))
nearest = (likeness - 2 * np.eye(len(slices))).argmax(axis=1)  # of the others
chance = np.mean([(np.sum(owners == owner) - 1) / (len(slices) - 1) for owner in owners])
print(f"most alike is a slice of the same piece: {np.mean(owners[nearest] == owners):.0%}; by chance: {chance:.0%}")
figure_html(show_likeness(likeness, owners), "How alike slices are; white lines part the pieces.")

# %% [markdown]
# Blocks: a slice's nearest relative is nearly always from its own piece. It has the same instruments and the same room,
# and phrases come back. Who has the rest of the piece in training knows all of that already.
#
# ### What it is worth
#
# To put a price on it, here is the worst student there is. The *memoriser* learns nothing. It writes down the ideal
# mask (notebook 01) of every frame it is shown, and in a test it looks up the most similar frame.

# %%
import inspect

from lass_lab.course.nb04.memoriser import Memoriser

print(inspect.getsource(Memoriser))

# %% [markdown]
# We let it sit the same exam twice: a third of the slices of the third piece. Both times it may memorise the same
# number of slices. *By slice*, they are drawn from everything else; *by piece*, none is of the piece that is tested.
# How many of the exam's piece does chance put in?

# %%
tested = np.flatnonzero(owners == exam)[1::3]
others = np.setdiff1d(np.arange(len(slices)), tested)
by_piece = others[owners[others] != exam]
by_slice = np.random.default_rng(0).permutation(others)[: len(by_piece)]
study = {"by slice": by_slice, "by piece": by_piece}
for way, chosen in study.items():
    print(f"{way}: {len(chosen)} slices to memorise, {sum(owners[chosen] == exam)} of them of the exam's piece")

# %% [markdown]
# How far apart will the two marks be?

# %%
from lass_lab.signal import sdr_improvement

cuts = [slices[number] for number in tested]
students, marks = {}, {}
for way, chosen in study.items():
    student = students[way] = Memoriser([slices[number] for number in chosen], "trumpet")
    gains = [sdr_improvement(cut.sources["trumpet"], student.separate(cut.mixture), cut.mixture) for cut in cuts]
    home = np.mean([student.pieces[student.find(cut.mixture)] == exam for cut in cuts])
    marks[way] = np.mean(gains)
    print(f"{way}: SDRi {marks[way]:+.1f} dB; {home:.0%} of the frames were looked up in the exam's own piece")

# %% [markdown]
# The same student, the same exam, the same amount of study. A few slices of the right piece are all it needs; the
# difference between the two marks is the leak, and no part of it is skill. A network that *has* learned something gets
# such a bonus on top, the larger the more it can memorise. What does the difference look and sound like?

# %%
cut = cuts[0]
heard = {f"split {way}": student.separate(cut.mixture) for way, student in students.items()}
panels = {"the true trumpet": cut.sources["trumpet"], **heard}
caption = "One tested slice: the trumpet, and what the memoriser makes of it after either kind of study."
display(figure_html(compare_spectrograms(panels, max_khz=8, db_range=50), caption))
players({"mixture": cut.mixture, **panels})

# %% [markdown]
# In the right-hand panel, look for harmonics that the true trumpet does not have: they are the violin's. This student
# recognises what it has seen before and nothing else, and only the split by piece tells.
#
# Here the third piece has instruments of its own (another SoundFont), as every real recording has its own players and
# its own room. Where training and test share these, a split by piece still flatters, only less. The course does so, and
# you should know it: `joy` and `greensleeves` train, and `auld-lang-syne`, the test piece, has new tunes on the same
# instruments. `tempus`, whose instruments are in no training at all, is the harder exam. Validation flatters most:
# those 30 seconds are of pieces that train. They are good enough to choose between two runs, never to report from.
#
# ### Exercise 2: split by piece
#
# Write the split: from the name of each slice's piece and the share of slices to be tested on, return a truth value for
# each slice, `True` for testing. Whole pieces only; take pieces until at least the share is reached, and no more.

# %%
from lass_lab.course.nb04.checks import check_split


def split(pieces, share): ...  # your code here


check_split(split)

# %% [markdown]
# The split is written in the manifest, where nobody can shuffle it by accident. What if somebody edits the table?

# %%
from lass_lab.datasets.manifest import read_manifest
from lass_lab.signal import InputError

edited = data / "edited.csv"
wrong = manifest.copy()
wrong.loc[wrong.index[-1], "split"] = "train"
wrong.to_csv(edited, index=False)
try:
    read_manifest(edited)
except InputError as error:
    print(str(error).replace(str(work), "..."))

# %% [markdown]
# ## Mixing on the fly
#
# Two pieces are very little music. But we have the *stems*, and may put them together in ways that were never played:
# `FinetuningDataset` makes each item at the moment it is asked for. What does it throw dice for?

# %%
from lass_lab.datasets import data_dir
from lass_lab.datasets.duet_mixing import DuetRecipe, FinetuningDataset
from lass_lab.datasets.mixing import SourceBank

duets = [pieces[name] for name in list_pieces("train", data)]
bank = SourceBank(data_dir() / "sources", "train")  # the small bank that the course ships
print(inspect.getsource(DuetRecipe))

# %% [markdown]
# We take the dice out of its hand and order four kinds of item from the same slice. Which of them will be the easiest
# to separate?

# %%
plain = {"rehearsal": 0, "remixed": 0, "substitutes": 0, "augmented": 0, "level_db": 0}
kinds = {
    "as played": plain,
    "re-mixed": plain | {"remixed": 1},
    "with a substitute": plain | {"remixed": 1, "substitutes": 1},
    "augmented": plain | {"augmented": 1},
}
sounds = {}
for kind, choices in kinds.items():
    asked, other = FinetuningDataset(duets, bank, DuetRecipe(**choices), range(2), seed=5)
    sounds[kind] = asked["mixture"][0].numpy()
    level = sdr(asked["target"][0].numpy(), sounds[kind])
    print(f"{kind}: the target, “{asked['query']}”, is {level:+.1f} dB over the {other['query']}")
players(sounds)

# %% [markdown]
# The target is one and the same, and all else is what the network must learn not to lean on. *As played*, both are in
# time and in tune, which is the hard case and the real one: octaves and fifths share harmonics. *Re-mixed*, the other
# voice comes from another place. A *substitute* is an instrument of the bank. The decibels say by how much the target
# is the louder one; where an item is re-mixed they are drawn, within 6 dB either way.
#
# ### Augmentation, by ear
#
# There is one violin in each recording. To get more, each source is changed a little before it is mixed: detuned by up
# to half a semitone, filtered, given faint noise, each by chance. Can you hear all three?

# %%
from lass_lab.datasets.augmentation import augment
from lass_lab.signal import spectral_correlation

violin = duets[0].slice(10, 5).sources["violin"]
versions = {"as recorded": violin}
versions |= {f"version {seed}": augment(violin, np.random.default_rng(seed)) for seed in (2, 4, 7)}
for name, sound in versions.items():
    print(f"{name}: likeness of the spectrogram {spectral_correlation(violin, sound):.2f}")
players(versions)

# %% [markdown]
# The version with the lowest number is the one most out of tune: moved by a fraction of a semitone, harmonics fall
# beside where they were. Two rules. *First mix, then augment* would be wrong: the target has to change together with
# the mixture, so the stems are changed and then added up. And *augment after the split*: a detuned copy is a copy.
#
# ### One slice, three epochs
#
# In an *epoch* every slice of the training part comes up once. What does the network hear of the same slice in three
# of them? For this, a dataset of a single slice, with the recipe as it is used.

# %%
one_slice, recipe = [duets[0].slice(0, 35)], DuetRecipe(seconds=3, rehearsal=0)  # 35 s less 30 s for validation
epochs = list(FinetuningDataset(one_slice, bank, recipe, range(6)))
panels = {}
for epoch, (asked, other) in enumerate(zip(epochs[::2], epochs[1::2], strict=True)):
    panels[f"epoch {epoch}: {asked['query']} and {other['query']}"] = asked["mixture"][0].numpy()
again = FinetuningDataset(one_slice, bank, recipe, range(6))
same = all(np.array_equal(item["mixture"], other["mixture"]) for item, other in zip(epochs, again, strict=True))
print(f"the same three when asked again: {same}")
caption = "One slice in three epochs: another excerpt, other company, other tuning and level."
display(figure_html(compare_spectrograms(panels, max_khz=8, db_range=50), caption))
players(panels)

# %% [markdown]
# Three different items out of one slice, by chance that can be repeated: an item is a function of the seed and of its
# number alone. A training run that was interrupted goes on with just the items it would have heard, on one computer or
# on eight.
#
# ### Exercise 3: mix at a level
#
# How is a re-mixed item brought to a level? Write a function that returns the mixture of two sources, the target as it
# is, the other one turned up or down, so that the target's SDR in the mixture is `sdr_db`. The check tries it on
# pairs and levels that you have not seen.

# %%
from lass_lab.course.nb04.checks import check_mix


def mix(target, other, sdr_db): ...  # your code here


check_mix(mix)

# %% [markdown]
# ## What training uses
#
# All of it together: the course's own two training duets, and between their items, half of the time, mixtures of the
# bank, so that what the separator knows already is not forgotten. Four items in a row, asked for in any of the training
# phrasings. Read each query, and try to follow it in the mixture before you play the target.

# %%
from IPython.display import HTML

from lass_lab.datasets.duet_mixing import epoch_items

course = [load_piece(name) for name in list_pieces("train")]
recipe = DuetRecipe(captions=True)
training = FinetuningDataset(course, bank, recipe, range(10_000), seed=4)
slices = len(training.slices)
print(f"{slices} slices, and {epoch_items(slices, recipe.rehearsal)} items an epoch")
page = ""
for number in (0, 2, 4, 6):
    item = training[number]
    labels = f"item {number}: mixture", f"target: “{item['query']}”"
    page += players(dict(zip(labels, (item["mixture"][0].numpy(), item["target"][0].numpy()), strict=True))).data
HTML(page)

# %% [markdown]
# Four mixtures that nobody ever played, each with its one right answer. Now and then that answer is silence: when the
# query names something that does not play.
#
# ## What we take along
#
# What the leak was worth goes into the ledger, as a warning beside every improvement to come: carelessness alone can
# bring this much.

# %%
from lass_lab.course import ledger

name = "04_slicing_a_dataset"
for way, gain in marks.items():
    ledger.record(name, f"memoriser, SDRi of the trumpet, split {way}", gain, "dB")
ledger.record(name, "nearest slice is of the same piece", np.mean(owners[nearest] == owners))
ledger.read(name)[["name", "value", "unit", "profile"]].round(2)

# %% [markdown]
# - Resample with a filter; dropping samples folds high notes down and roughens the rest.
# - A manifest says what belongs together; a report names every fault it can see, and some it cannot.
# - Slices of one piece are relatives. Split by piece, first of all, and never touch the test piece until the end.
# - Stems make many mixtures out of few, as long as chance can be repeated.
#
# **Try:** the report did not notice *softer-again*. Would `likeness` have? Compute it for the slices of the pieces in
# `work / "checked"`, and find a threshold that parts copies from relatives. And is there one for transposed copies?
#
# The answers to the exercises are in [the solutions](solutions/04_slicing_a_dataset.ipynb).
