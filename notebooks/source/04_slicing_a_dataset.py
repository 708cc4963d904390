# %% [markdown]
# # 04 Slicing a dataset: from three recordings to data you can trust
#
# {{badge}}
#
# Three folders of recordings come in; at the end you hear what a network will be trained on, and you know which
# leaks were looked for.
#
# **You will**
# - hear what careless resampling does, and where it hides;
# - cut recordings into slices with a manifest, and plant faults to see which of them are found;
# - measure what a *leak* is worth, in decibels, and tell a piece that was heard before from a sound that was;
# - mix, re-mix and augment training items by ear.
#
# {{time}} · **Study time:** about 60 minutes
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## Three recordings
#
# What does a studio send? Usually one folder per piece, with a file for each player (a *stem*) and one for all, in
# stereo, at 44,100 samples a second. We have no studio, so we write the beginnings of three of the course's duets in
# that form, named as in the URMP dataset (`vn` is a violin, `tpt` a trumpet). They are rendered with
# SoundFonts.

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
# through all the frequencies that a recording at 44,100 Hz can hold, up to half the sample rate (the *Nyquist
# frequency*). A proper resampler does the same beside it. Guess first: what will you hear after the tone has passed
# 16,000 Hz?

# %%
import numpy as np
import soxr
from IPython.display import display

from lass_lab.course.plots import compare_spectrograms, figure_html

time = np.arange(4 * 44_100) / 44_100
sweep = 0.3 * np.sin(2 * np.pi * (22_050 / 4) * time**2 / 2)
kept = np.rint(np.arange(4 * 32_000) * 44_100 / 32_000).astype(int)  # the sample nearest to each moment that we need
swept = {"samples dropped": sweep[kept], "resampled": soxr.resample(sweep, 44_100, 32_000, quality="VHQ")}
display(figure_html(compare_spectrograms(swept, max_khz=16), "A rising tone, brought to 32,000 Hz in two ways."))
players(swept)

# %% [markdown]
# At 32,000 samples a second there is room up to 16,000 Hz, and no further. On the left the tone hits that ceiling and
# comes down again, as a wrong note that nobody played: *aliasing*. The resampler filters out what has no room *before*
# it takes samples, and falls silent. The fainter lines on the left come from taking samples at uneven moments.
#
# Music has little above 16,000 Hz. Do we get away with it there? Our recordings were made from sound at 32,000 Hz, so
# the truth is known and the damage can be measured.

# %%
from lass_lab.datasets import load_piece
from lass_lab.signal import read_audio, sdr

file = recordings[0] / "AuSep_2_tpt_01_Joy.wav"
stereo, rate = soundfile.read(file)
mono = stereo.mean(axis=1)
kept = np.rint(np.arange(20 * 32_000) * rate / 32_000).astype(int)
truth = load_piece("joy").sources["trumpet"][: len(kept)]
trumpet = {"samples dropped": mono[kept], "resampled": read_audio(file)[: len(kept)]}
for name, sound in trumpet.items():
    print(f"{name}: SDR {sdr(truth, sound):.1f} dB")
middle = slice(10 * 32_000, 15 * 32_000)
players({name: sound[middle] for name, sound in ({"the truth": truth} | trumpet).items()})

# %% [markdown]
# Nothing is folded here, because our recordings hold nothing above 16,000 Hz: all of the damage comes from the uneven
# moments. It is heard as a roughness that follows each note. A network that is trained on such targets learns to make
# it, and measured against clean ones its SDR can hardly pass this number, however well it separates. `read_audio` does
# all of the package's reading: it checks the file, averages the channels and resamples.
#
# ### Exercise 1: where is it heard?
#
# A tone of `hertz` is sampled at `rate` without a filter. At which frequency is it heard? The check tries tones up to
# nearly twice the rate, and measures each.
#
# <details><summary>A hint</summary>Two tones give the same samples where they differ by a whole number of turns from
# sample to sample: by a multiple of the rate.</details>
# <details><summary>A second hint</summary>Take the nearest multiple of the rate away. What is left lies between minus
# and plus half the rate, and a tone of -f sounds like one of f.</details>

# %%
from lass_lab.course.nb04.checks import check_heard_at


def heard_at(hertz, rate): ...  # your code here


check_heard_at(heard_at)

# %% [markdown]
# ## Slices and a manifest
#
# A network does not learn from a piece of three minutes at once. It gets *slices* of five seconds, and it must know
# what is in each: which mixture, which target, which words. `slice_folder` makes a data folder out of recordings; the
# third piece is for testing only. On the command line it is `lass-lab slice`. What does it report?

# %%
from lass_lab.datasets.slicing import slice_folder

data = work / "data"
third = recordings[2].name
report = slice_folder(work / "recordings", data, test=[third], force=True)
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
# The *manifest* is the table of contents: one row for each source that can be asked for. The last column is the
# beginning of a *checksum* (SHA-256), a number computed from the file that changes when a single bit of it does.
# Beside the manifest lies `slices.csv`, with a row for each slice of each source.

# %%
from lass_lab.course.nb04.plots import show_slices

table = pd.read_csv(data / "slices.csv")
print(table.groupby("part").agg(slices=("silent", "size"), silent=("silent", "sum"), softest_db=("level_db", "min")))
figure_html(show_slices(table), "Every slice of every source; hatched ones are silent: below -45 dB of full scale.")

# %% [markdown]
# Slices lie side by side, and none reaches from one part into another. The last 30 seconds of both training pieces are
# for *validation*: on them choices are made while training goes on. Where the trumpet of the second piece rests, SDR
# has no meaning, and a mean that includes such slices is wrong. They are marked, not thrown away: silence can be the
# right answer, too.
#
# ## Can you trust it?
#
# A fault in the data raises no error. The loss falls all the same, and weeks later the results are wrong. So we plant
# faults on purpose, each in a piece of its own. Four of them change the sound of one file:

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
# Three more spoil no single file. A stem is missing; a piece is there a second time, under another name and in the
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
# `good` is for training, its copies are for testing. What does the report say about each?

# %%
from lass_lab.course.nb04.foreign import report_table

copies = ["same-again", "softer-again"]
found = report_table(slice_folder(faulty, work / "checked", test=copies, force=True), faulty)
planted = found[~found["piece"].str.startswith("good")]
print(f"{(planted.iloc[:, 1] != 'nothing').sum()} of {len(planted)} planted faults are named")
left = [{"selector": "th, td", "props": "text-align: left"}]
found.style.hide(axis="index").set_table_styles(left)

# %% [markdown]
# A report names the file and says what is wrong with it, because somebody has to repair it. A mixture that is not its
# stems' sum is no reason to lose the piece: the sum takes its place, with a warning.
#
# One fault passed. *softer-again* is a copy, but all of its samples differ, and no checksum can see that it is the
# same music. A piece that trains is now also tested on, and nothing says so. How bad is that?
#
# ## The leak
#
# To test is to ask: how does it do on music it has *not* heard? A *leak* is anything that lets the answer into
# training. A copy is a plain one. A common one is less visible: all slices are shuffled and a third is set aside for
# testing, *by slice*. Are five seconds of a piece really new to a model that has heard the rest of it? We compare the
# slices' average spectra (logarithms, less the mean of all slices), each with each, by their correlation.

# %%
from lass_lab.course.nb04.plots import show_correlation
from lass_lab.signal import mel_spectrogram

places = table[~table.groupby(["piece", "start_s"])["silent"].transform("any")].drop_duplicates(["piece", "start_s"])
slices = [pieces[row.piece].slice(row.start_s) for row in places.itertuples()]
owners = np.array([cut.name for cut in slices])
average = np.log([mel_spectrogram(cut.mixture).mean(axis=0) + 1e-9 for cut in slices])
correlation = np.corrcoef(average - average.mean(axis=0))
nearest = owners[(correlation - 2 * np.eye(len(slices))).argmax(axis=1)]  # of the others
print(f"most alike is a slice of the same piece: {np.mean(nearest == owners):.0%}")
figure_html(show_correlation(correlation, owners), "Correlation of average spectra; white lines part the pieces.")

# %% [markdown]
# There are blocks. The first two pieces were rendered with two related SoundFonts (MuseScore_General descends from
# FluidR3), the third with an unrelated one. What do the blocks show, one piece or one family of instruments?

# %%
from lass_lab.course.quiz import answer

sound = np.where(owners == third, "unrelated", "related")  # the SoundFont of each slice
same_piece, same_sound = np.equal.outer(owners, owners), np.equal.outer(sound, sound)
alone = ~np.eye(len(slices), dtype=bool)
kinds = {"piece": same_piece & alone, "related SoundFont": same_sound & ~same_piece, "unrelated": ~same_sound}
means = {kind: correlation[pairs].mean() for kind, pairs in kinds.items()}
answer(
    "Mostly the family of instruments: slices of two pieces with related SoundFonts have a mean correlation of "
    f"{means['related SoundFont']:.2f}, with unrelated ones {means['unrelated']:.2f}, those of one piece "
    f"{means['piece']:.2f}; the third piece is a block for both reasons at once. And yet the slice most alike is of "
    f"the same piece in {np.mean(nearest == owners):.0%} of cases: key, tempo, and phrases that come back. So which "
    "helps a model that has heard it, the piece or the instruments?"
)

# %% [markdown]
# ### What it is worth
#
# To measure it, here is the worst student there is. The *memoriser* learns nothing. It keeps the ideal mask (notebook
# 01) of every frame it is shown, and in a test it looks up the most similar frame.

# %%
import inspect

from lass_lab.course.nb04.memoriser import Memoriser

print(inspect.getsource(Memoriser))

# %% [markdown]
# It sits the same exam three times: every third slice of a piece. Each time it may memorise as many slices of
# something else: the rest of *the same piece*, which is what a split by slice lets in; *another piece*, whose
# SoundFont is related; or the third piece, whose SoundFont is not (*unrelated SoundFont*). Each of the first two pieces
# is the exam in turn: this is *leave-one-piece-out*. Guess the three marks before you run it.

# %%
first, second = [name for name in pieces if name != third]
of = {name: np.flatnonzero(owners == name) for name in pieces}
studies, exams = {}, {name: of[name][1::3] for name in (first, second)}
for tested, left in ((first, second), (second, first)):
    study = {"the same piece": np.setdiff1d(of[tested], exams[tested])}
    study |= {"another piece": of[left], "unrelated SoundFont": of[third]}
    size = min(map(len, study.values()))
    for way, chosen in study.items():
        picked = np.random.default_rng(0).permutation(chosen)[:size]
        studies[tested, way] = Memoriser([slices[place] for place in picked], "trumpet")
print(f"{size} slices to memorise, {len(exams[first])} to be tested on; the exams: {first}, {second}")

# %%
from lass_lab.signal import sdr_improvement

marks = []
for (tested, way), student in studies.items():
    for cut in (slices[place] for place in exams[tested]):
        gain = sdr_improvement(cut.sources["trumpet"], student.separate(cut.mixture), cut.mixture)
        marks.append({"exam": tested, "has studied": way, "SDRi (dB)": gain})
grades = pd.DataFrame(marks).pivot_table("SDRi (dB)", "exam", "has studied", sort=False)
grades.loc["mean"] = grades.mean()
assert (grades.idxmax(axis=1) == "the same piece").all()
grades.round(1)

# %%
worth = grades.loc["mean"]
piece_db, sound_db = -np.diff(worth)
answer(
    f"To have heard the piece is worth {piece_db:.1f} dB over another piece: that is the leak of a split by slice, and "
    f"no part of it is skill. A related SoundFont instead of an unrelated one changes {sound_db:+.1f} dB, and with so "
    "few slices one decibel may be chance. A network that can memorise may get such a bonus, too."
)

# %% [markdown]
# What does the difference look and sound like?

# %%
cut = slices[exams[first][0]]
heard = {way: student.separate(cut.mixture) for (tested, way), student in studies.items() if tested == first}
panels = {"the true trumpet": cut.sources["trumpet"], **heard}
caption = "One tested slice: the trumpet, and what the memoriser makes of it after each kind of study."
display(figure_html(compare_spectrograms(panels, max_khz=8, db_range=50), caption))
players({"mixture": cut.mixture, **panels})

# %% [markdown]
# In the two right-hand panels, look for harmonics that the true trumpet does not have: they are the violin's.
#
# Every real recording has its own players and its own room. Where training and test share them, a split by piece still
# gives optimistic scores; our memoriser is too coarse to show it. The course does so, and you should know it: `joy` and
# `greensleeves` train, and `auld-lang-syne`, the test piece, has new tunes on the same instruments. `tempus`, whose
# instruments are in no training at all, is the harder exam. Validation flatters most: those 30 seconds are of pieces
# that train. They are good enough to choose between two runs, never to report from.
#
# ### Exercise 2: split by piece
#
# Write the split: from the name of each slice's piece and the share of *slices* to be tested on, return a Boolean
# for each slice, `True` for testing. Whole pieces only, in a random order that is the same at every call; take pieces
# until at least the share is reached, and no more.
#
# <details><summary>A hint</summary>Put the names of the pieces into a random order with a seeded generator, and go
# through them with a loop.</details>
# <details><summary>A second hint</summary><code>np.unique(pieces)</code> has each name once; <code>np.asarray(pieces)
# == name</code> marks the slices of one; the mean of an array of Booleans is its share.</details>

# %%
from lass_lab.course.nb04.checks import check_split


def split(pieces, share): ...  # your code here


check_split(split)

# %% [markdown]
# ## Mixing on the fly
#
# Two pieces are very little music. But we have the stems, and may put them together in ways that were never played:
# `FinetuningDataset` makes each *item* (a mixture, a query, and the target) at the moment it is asked for. What does it
# draw at random?

# %%
from lass_lab.datasets import data_dir
from lass_lab.datasets.duet_mixing import DuetRecipe, FinetuningDataset
from lass_lab.datasets.mixing import SourceBank

duets = [pieces[name] for name in list_pieces("train", data)]
bank = SourceBank(data_dir() / "sources", "train")  # the small bank that the course ships
print(inspect.getsource(DuetRecipe))

# %% [markdown]
# We set every probability to 0 or 1 and ask for four kinds of item from the same slice. Do all four have the same
# target?

# %%
plain = {"rehearsal": 0, "remixed": 0, "substitutes": 0, "augmented": 0, "level_db": 0}
kinds = {
    "as played": plain,
    "re-mixed": plain | {"remixed": 1},
    "with a substitute": plain | {"remixed": 1, "substitutes": 1},
    "augmented": plain | {"augmented": 1},
}
sounds, targets = {}, {}
for kind, choices in kinds.items():
    asked, other = FinetuningDataset(duets, bank, DuetRecipe(**choices), range(2), seed=5)
    sounds[kind], targets[kind] = (asked[name][0].numpy() for name in ("mixture", "target"))
    same = np.array_equal(targets[kind], targets["as played"])
    level = f"{sdr(targets[kind], sounds[kind]):+.1f} dB over the {other['query']}"
    print(f"{kind}: the {asked['query']} is {level}; target as played: {same}")
players(sounds)

# %% [markdown]
# *As played*, both are in time and in tune, which is the hard case and the real one: octaves and fifths share
# harmonics. *Re-mixed*, the other voice comes from another place, at a level that is drawn within 6 dB either way. A
# *substitute* is an instrument of the bank. In these three the target is one and the same. *Augmented*, both stems are
# changed before they are mixed. Which target should the network learn for it: the stem as it was, or as it was
# changed?

# %%
loss = sdr(targets["as played"], targets["augmented"])
answer(
    "The changed one, because that is what is in the mixture. Target and rest have to add up to the mixture; with "
    "the old stem as the target, the network would have to undo a detuning and a filter that it cannot know. Even "
    f"an estimate that is perfect, the changed stem itself, would have an SDR of {loss:.1f} dB against the old one."
)

# %% [markdown]
# So *mix first, then augment the mixture* is wrong, unless the target is changed in the same way. And augment after
# the split: a detuned copy is a copy.
#
# ### Augmentation, by ear
#
# There is one violin in each recording. To get more, a source is detuned by up to half a semitone, filtered, given
# faint noise, each with some probability. Which version is out of tune?

# %%
from lass_lab.datasets.augmentation import augment
from lass_lab.signal import spectral_correlation

violin = duets[0].slice(10, 5).sources["violin"]
versions = {"as recorded": violin}
versions |= {f"version {seed}": augment(violin, np.random.default_rng(seed)) for seed in (2, 4, 7)}
for name, sound in versions.items():
    print(f"{name}: correlation of the spectrograms {spectral_correlation(violin, sound):.2f}")
players(versions)

# %% [markdown]
# The version with the lowest number is the one most out of tune: moved by a fraction of a semitone, harmonics fall
# beside where they were.
#
# ### Exercise 3: mix at a level
#
# How is a re-mixed item brought to a level? Write a function that returns the mixture of two sources, the target as it
# is, the other one turned up or down, so that the target's SDR in the mixture is `sdr_db`:
#
# $$ \mathrm{SDR}(s, x) = 10 \log_{10} \frac{\sum s^2}{\sum (x - s)^2} $$
#
# <details><summary>A hint</summary>Of a mixture, x - s is the other source, with the factor that you are looking
# for.</details>
# <details><summary>A second hint</summary>A factor g changes the energy by g squared. Find the factor that makes both
# energies equal; then go down by the decibels.</details>

# %%
from lass_lab.course.nb04.checks import check_mix


def mix(target, other, sdr_db): ...  # your code here


check_mix(mix)

# %% [markdown]
# ## What training uses
#
# All of it together: the course's own two training duets, and for half of the items mixtures of the bank, so that what
# the separator knows already is not forgotten. Four items, asked for in any of the training phrasings. Read each
# query, and try to follow it in the mixture before you play the target.

# %%
from IPython.display import HTML

from lass_lab.datasets.duet_mixing import epoch_items

course = [load_piece(name) for name in list_pieces("train")]
recipe = DuetRecipe(captions=True)
training = FinetuningDataset(course, bank, recipe, range(10_000), seed=4)
count = len(training.slices)
print(f"{count} slices, and {epoch_items(count, recipe.rehearsal)} items an epoch")
page = ""
for number in (0, 2, 4, 6):
    item = training[number]
    labels = f"item {number}: mixture", f"target: “{item['query']}”"
    page += players(dict(zip(labels, (item["mixture"][0].numpy(), item["target"][0].numpy()), strict=True))).data
HTML(page)

# %% [markdown]
# Four mixtures that nobody ever played, each with its one right answer. Now and then that answer is silence: when the
# query names something that does not play. In an *epoch* every slice of the training part comes up in one new mixture,
# which is asked for each of its two sources; with as many items of the bank that makes four items per slice. An item
# depends on the seed and on its number alone, so a training run that was interrupted goes on with the very items it
# would have heard, on one computer or on eight.
#
# ## What we take along
#
# The memoriser's marks go into the ledger, as a warning beside every improvement to come: a leak alone brings this
# much.

# %%
from lass_lab.course import ledger

name = "04_slicing_a_dataset"
for way, gain in worth.items():
    ledger.record(name, f"memoriser, SDRi after {way}", gain, "dB")
ledger.record(name, "nearest slice is of the same piece", np.mean(nearest == owners))
ledger.read(name)[["name", "value", "unit", "profile"]].round(2)

# %% [markdown]
# - Resample with a filter; dropping samples folds high notes down and roughens the rest.
# - A manifest says what belongs together; a report names the faults that it looks for; others
#   pass.
# - Slices of one piece are relatives. Split by piece, first of all, and choose nothing on the test piece.
# - Stems make many mixtures out of few. The target is the source as it is in the mixture.

# %%
from lass_lab.course.quiz import quiz

quiz("04")

# %% [markdown]
# **Try:** the report did not notice *softer-again*. Would `correlation` have? Compute it for the slices of the pieces
# in `work / "checked"`, and find a threshold that tells copies from relatives. And is there one for transposed copies?
#
# The answers to the exercises are in [the solutions](solutions/04_slicing_a_dataset.ipynb).
