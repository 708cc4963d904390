# %% [markdown]
# # 10 Look and listen: words learnt through pictures
#
# {{badge}}
#
# A separator that has read no word about any sound is asked in words, and answers: it learnt them by looking.
#
# **You will**
# - watch silent films of duets, and train on nothing but pictures and sounds;
# - find captions that are made of no words;
# - compute where a caption and a sound point, and the loss that makes them agree;
# - ask the trained separator by sight and by words, and find out what it took from the films: motion, or looks;
# - take its losses away, one by one, and find out what the words need.
#
# {{time}} · **Study time:** about 70 minutes
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## A drawing, not a camera's picture
#
# This first: **nothing in this notebook was filmed.** The clips that ship with the course were rendered from scores,
# so we know when each note begins, how long it lasts and how high it is; from that a few lines draw a silent film. A
# player flashes when a note begins, glows while it lasts, and stands higher for higher notes. Instruments have
# one look each, nothing covers anything, and the light never changes. What works here may fail on a real video. What
# *fails* here will hardly work on one, and that is what such a small world is good for.
#
# Here are two players among objects that make no sound, and what they play. Who is who?

# %%
import numpy as np
import torch

from lass_lab.course.nb10.duets import SAMPLE_RATE, Clips, scene
from lass_lab.course.nb10.plots import listen, show_film
from lass_lab.course.profile import current

torch.set_grad_enabled(False)
profile, rng = current(), np.random.default_rng(3)
heldout = Clips("test")
duet = heldout.duet(rng, 4 * SAMPLE_RATE, ["acoustic guitar", "trombone"])
acted = scene(rng, *duet)
film = acted.film(4.0)
mixture = sum(cut.samples for cut in duet)
display(show_film(film, acted), listen({"mixture": mixture}))  # noqa: F821

# %% [markdown]
# The film has 32 by 32 pixels, a stage of 4 by 4 cells, and eight pictures a second. All sounds here
# are at 8 kHz (nothing above 4 kHz), so that training takes minutes. (It runs on and on, and the
# sound does not: begin the sound when the film begins anew.) Whoever flashes as the long, low notes set in must be
# the trombone. You have just separated two sources in your mind, without a word about sound. Can a network learn to,
# from nothing but films of single players and their sounds, two of which are added up?
#
# The method is that of VAST (Tan et al., [*Language-guided audio-visual source separation via trimodal
# consistency*](https://arxiv.org/abs/2303.16342), 2023), the second root of this field beside AudioSep. It takes two
# videos, adds up their sounds, and has to give back each one's when it is shown the pictures. Nobody captioned a
# sound. Words come in at one place only: a network that knows what *pictures* are called.
#
# ## A small eye
#
# In VAST that network is CLIP, which has seen 400 million captioned pictures. Ours has 48,000 weights and has seen
# drawings of single players, with captions such as these. Do they tell anything about sound?

# %%
from lass_lab.course.nb10.eye import captions
from lass_lab.course.nb10.films import LOOKS
from lass_lab.course.nb10.looker import load
from lass_lab.models.sentence_encoder import SentenceEncoder

looker, encoder = load(), SentenceEncoder().requires_grad_(False)
print(f"{sum(p.numel() for p in looker.eye.parameters()):,} weights, {len(LOOKS)} looks: {', '.join(LOOKS)}")
print(captions("violin"))
regions = looker.eye(torch.from_numpy(film))
print(f"a film {film.shape} -> its regions {tuple(regions.shape)}: 16 vectors in the space of sentences")

# %% [markdown]
# It was trained with the loss of [notebook 02](02_words_and_sounds.ipynb): each picture had to find its caption in a
# batch, and each caption its picture. Then it was frozen. It gives a vector for each *region* of the stage (the
# largest values it has there in any picture of the film). So words can point: which region is most like them? The
# *softmax* over the regions of a scale times the cosine says how sure they are.

# %%
from lass_lab.course.nb10.losses import SCALE, TEACHER_SCALE, pointing
from lass_lab.course.nb10.plots import show_pointing
from lass_lab.course.plots import figure_html

sentences = ["a player of the acoustic guitar", "a player of the trombone", "somebody plays the trumpet"]
pointed = pointing(regions[None], encoder(sentences), TEACHER_SCALE).exp().numpy()
shares = dict(zip(sentences, pointed, strict=True))
figure = show_pointing(film, shares)
for player, words in zip(acted.players, sentences, strict=False):
    assert shares[words].argmax() == player.cell
figure_html(figure, "Where words point. The film's brightest moments lie below; the frame is the region pointed to.")

# %% [markdown]
# The first two find their players, in a sentence that has nothing to do with sound. The third names somebody who is
# not there. Where does it point, and how sure is it? A softmax has to point somewhere.
#
# How alike are pictures and their words, in numbers? Guess before you run the cell: the cosine of two pictures of
# violin players, of a violin's picture and the word *violin*, of a violin's picture and the word *flute*.

# %%
from lass_lab.course.nb10.eye import practice_picture, strongest
from lass_lab.course.plots import show_similarity

drawn = {look: torch.from_numpy(np.stack([practice_picture(rng, look) for _ in range(20)])) for look in LOOKS}
seen = {look: strongest(looker.eye(pictures)) for look, pictures in drawn.items()}
names = encoder(list(LOOKS))
likeness = torch.stack([names @ vectors.mean(0) for vectors in seen.values()], dim=1)
among = np.mean([(vectors @ vectors.T)[~torch.eye(len(vectors), dtype=bool)].mean() for vectors in seen.values()])
means = torch.stack([vectors.mean(0) for vectors in seen.values()])
across = (means @ means.T)[~torch.eye(len(LOOKS), dtype=bool)].mean().item()
own, other = likeness.diagonal().mean().item(), likeness[~torch.eye(len(LOOKS), dtype=bool)].mean().item()
figure_html(
    show_similarity(likeness.numpy(), list(LOOKS), list(LOOKS), axes=("words", "pictures")), "Words against pictures."
)

# %%
from lass_lab.course.quiz import answer

assert across > own
answer(
    f"Two pictures of one look: {among:.2f}. A picture and its own word: {own:.2f}; another word: {other:.2f}.\n\n"
    "Each word is nearest to its own pictures, which is all that the loss asks for. But even pictures of different "
    f"instruments ({across:.2f}) are more alike than a picture and its own word: pictures fill a region of their own. "
    "That is the modality gap; CLIP has it, too. A separator that is trained on pictures' vectors has never been "
    "where the words are."
)

# %% [markdown]
# ## Captions without words
#
# So VAST gives every video a caption that lies where words lie, and yet is found and not written: a *latent caption*.
# In the place of words it puts free vectors into the frozen text encoder and moves them by gradient ascent, until what
# the encoder makes of them is as near to the picture as it can be. How near do they come, of the pictures above? And
# which real words lie nearest to what was found?

# %%
from lass_lab.course.nb10.eye import latent_captions

pictures = torch.stack([vectors[0] for vectors in seen.values()])
found, cosines = latent_captions(encoder, pictures, steps=40)
print("cosine to the picture at steps 1, 10, 20, 40:", [round(cosines[step], 2) for step in (0, 9, 19, 39)])
to_words = [(vectors * names).sum(-1).mean().item() for vectors in (pictures, found)]
print("cosine to the own word: {:.2f} of the pictures, {:.2f} of their captions".format(*to_words))
assert cosines[-1] > 2 * own and to_words[1] > to_words[0]

# %%
import pandas as pd

from lass_lab.datasets.instruments import INSTRUMENTS

bank = [*INSTRUMENTS, "chair", "lamp", "table", "dog", "a person", "music", "silence"]
nearest = (found @ encoder(bank).T).topk(3)
rows = [
    [f"{bank[place]} ({value:.2f})" for place, value in zip(*each, strict=True)]
    for each in zip(nearest.indices.tolist(), nearest.values.tolist(), strict=True)
]
right = sum(row[0].startswith(look) for row, look in zip(rows, LOOKS, strict=True))
print(f"{right} of {len(LOOKS)} captions lie nearest to the right one of {len(bank)} words")
pd.DataFrame(rows, index=pd.Index(LOOKS, name="the picture of"), columns=["nearest", "second", "third"])

# %% [markdown]
# The captions come far nearer to their pictures than real words do. And where the nearest real word is the right one,
# it was found though nobody wrote it: the captions lie between the pictures and the words. (Without the encoder in
# between, a free vector would simply become the picture's own. The encoder limits it to vectors that it can produce.)
#
# ## Where they point: p and q
#
# Now the sounds. The separation network is the course's ResUNet; where it was conditioned on words, it is conditioned
# on what the eye sees: on the strongest region of a film, the one with the longest vector, or on a caption without
# words. Beside it an **ear**, the course's audio tower, turns what was separated into a vector a in the same space.
#
# And because words lie beside pictures, **noise**: in training a random vector, twice as long as the condition, is
# added to it, and the sum is scaled to length one. Its cosine to the picture is then about $1 / \sqrt 5 = 0.45$; in 384
# dimensions it hardly ever lies nearer to another instrument's. So the separator has to give one answer to much that
# lies *beside* a condition. (It is not in VAST. Nukrai et al., [*Text-only training for image captioning using
# noise-injected CLIP*](https://arxiv.org/abs/2211.00575), 2022, cross the gap with it in the other direction.)
#
# Two losses tie the three together. The first says: *the sound that was found must point to where the caption
# points*. Over the regions r of a film, with its caption t and the sound a,
#
# $$p_r = \mathrm{softmax}_r\left(\tfrac{1}{0.07}\cos(r, t)\right), \qquad
# q_r = \mathrm{softmax}_r\left(100 \cos(r, a)\right).$$
#
# **Exercise 1.** Write both, for `regions` `(16, size)`, which may have any length, and a `caption` and a sound
# `heard` of length one: an array of two rows, p and q. The films of the check have one player each. What will p look
# like?

# %%
from lass_lab.course.nb10.checks import check_pointing


def p_and_q(regions, caption, heard):
    """Where the caption and the sound point: `(2, 16)`."""
    return ...


check_pointing(p_and_q)

# %% [markdown]
# With one player on the stage p is nearly one for that player's region and nearly zero for the others: the frozen eye
# is the **teacher**. The tri-modal consistency loss is the Kullback-Leibler divergence $\mathrm{KL}(p \,\|\, q) =
# \sum_r p_r (\log p_r - \log q_r)$.
#
# **Exercise 2.** Write it. Logarithms of a share that is nearly zero are best taken by hand: $\log
# \mathrm{softmax}(x)_r = x_r - \log \sum_s e^{x_s}$. (`scipy.special.log_softmax` does it.)

# %%
from lass_lab.course.nb10.checks import check_trimodal


def trimodal_loss(regions, caption, heard):
    """KL(p || q), one number."""
    return ...


check_trimodal(trimodal_loss)

# %% [markdown]
# The second is *audio-language consistency*: among the captions of all clips, each sound must find its own; a
# cross-entropy, as in notebook 02. And the two that teach to separate compare masks. With X the mixture's magnitudes
# and S the source's, the ideal mask is $M^* = \mathrm{clip}(S/X, 0, 5)$ (the network's own ends at 1, as VAST's does),
# and the error is the mean of $w\,|M - M^*|$ with $w = \mathrm{clip}(\log(1 + X), 0.001, 10)$: once for the mask that
# was asked for by sight (the *video loss*), once for the one asked for by the caption (the *text loss*). All in code,
# as it is trained:

# %%
import inspect

from lass_lab.course.nb10 import losses

print(
    inspect.getsource(losses.mask_error),
    inspect.getsource(losses.trimodal),
    inspect.getsource(losses.audio_language),
    sep="\n",
)

# %% [markdown]
# ## A slip in the published code
#
# VAST's ear is the encoder of its own U-Net, which sees logarithms of magnitudes. To hear the estimate it should be
# shown *the logarithm of what the mask leaves*. The published code multiplies the mask with the logarithm instead.
#
# **Exercise 3.** Write what it should be shown: of magnitudes and a mask, both `(frames, bins)`, the natural
# logarithm of what the mask leaves, with 1e-10 added under the logarithm. Then think about what the slip does to a
# point with the magnitude 0.01, and to one with 100, where the mask is 0.

# %%
from lass_lab.course.nb10.checks import check_masked_log


def seen_by_the_ear(magnitude, mask):
    """The picture of the estimate: `(frames, bins)`."""
    return ...


check_masked_log(seen_by_the_ear)

# %%
kept, taken = np.log(1e-10), 0 * np.log(100.0)
answer(
    f"Where the mask is 0 the picture should say silence, {kept:.0f}. The slip says {taken:.0f}, the logarithm of a "
    f"magnitude of 1, whatever was there: the faint point, at {np.log(0.01):.1f}, is louder than before.\n\n"
    "A network can learn to live with it, since the same slip is there in training and in use. But what its ear calls "
    "silence is a level in the middle of the scale."
)

# %% [markdown]
# Text and code differ elsewhere, too; whoever rebuilds a paper has to read both. The paper speaks of unlabelled
# videos, and its training mixes two of *different categories*, for which labels are read. Our
# version differs, too: the text loss counts as much as the video loss (in VAST, a thousandth of it); the tri-modal and
# audio-language losses count a hundredth, not a thousandth, because our training is so short; each source is asked for
# by sight *or* by its caption, at random, and with noise; the visual condition is one region's vector, not a maximum
# over all regions; and the ear is a network of its own, so the slip cannot happen.
#
# ## Train it further
#
# What ships was trained for some ten minutes, on 128 clips of 30 seconds. Of these, 16 come with the course, twelve
# seconds of each; with them we go on where it stopped. Does the bank of captions of [notebook
# 02](02_words_and_sounds.ipynb) take part? For the time of the training we make it unreadable.

# %%
import time
from unittest.mock import patch

from lass_lab.course.nb10.looker import load
from lass_lab.course.nb10.training import Recipe, train

mine, training_clips = load(), Clips("train")
recipe = Recipe(steps=profile.sight_steps, rate=5e-4, seed=2)
started = time.monotonic()
with patch("lass_lab.datasets.captions._own", side_effect=AssertionError("a caption of a sound was read")):
    history = train(mine, training_clips, recipe)
print(f"{len(history)} steps in {time.monotonic() - started:.0f} s; no caption of a sound was read")
history.groupby(3 * history.index // len(history)).mean().round(3)

# %% [markdown]
# Each row is a third of the training: the video and the text loss (each is the sum over the sources asked for in that
# way, divided by the number of all sources), then the two consistencies. The audio-language loss cannot fall below $\ln
# 4 \approx 1.39$ without memorising: four clips of an instrument look alike. Where it is below that, the ear begins to
# memorise clips. (All that follows asks the separator that ships, not `mine`.)
#
# ## Ask it
#
# By sight you *point* at a player: the condition is the vector of that region. By words you type. Words it has never
# met: listen to both.

# %%
from lass_lab.signal import sdr_improvement

cells = [player.cell for player in acted.players]
said = encoder(["acoustic guitar", "trombone"])
conditions = torch.nn.functional.normalize(torch.cat([regions[cells], said]), dim=-1)
estimates = looker.separate(torch.from_numpy(mixture).expand(4, -1), conditions).numpy()
labels = ["guitar, pointed at", "trombone, pointed at", "“acoustic guitar”", "“trombone”"]
for label, estimate, cut in zip(labels, estimates, duet * 2, strict=True):
    gain, half = (sdr_improvement(cut.samples, each, mixture) for each in (estimate, mixture / 2))
    print(f"{label}: {gain:+.1f} dB, where half the mixture has {half:+.1f} dB")
listen({"mixture": mixture, **dict(zip(labels, estimates, strict=True)), "the true guitar": duet[0].samples})

# %% [markdown]
# And what does the ear make of the estimates? Each points somewhere in the film. To the right player?

# %%
heard = looker.ear(torch.from_numpy(estimates[2:]))
shares = {
    f"what “{name}” gave": pointing(regions, a, SCALE).exp().numpy()
    for name, a in zip(("acoustic guitar", "trombone"), heard, strict=True)
}
figure_html(show_pointing(film, shares), "Where the estimates point, as the ear hears them: sound has found a place.")

# %% [markdown]
# One duet proves nothing. Now many, cut from eight clips that it has never heard, asked for in five ways: by pointing;
# by pointing in a film that runs **a second late**; by the instrument's name; by one of the three phrasings that
# notebook 02 holds out; and by nothing, a condition of zeros. What is the floor here? Two sources of one loudness:
# whoever takes *half the mixture* for either is wrong by half their difference, and gets 3 dB for it without telling
# them apart. (A little less here in the mean, because the two are up to 5 dB apart.)
#
# Predict before you run: what will the late film cost?

# %%
from lass_lab.course.ledger import record
from lass_lab.course.nb10.measuring import answers, pairs, summaries, summary, trumpets, twins
from lass_lab.course.plots import show_intervals

duets = pairs(heldout, profile.pairs)
table = answers(looker, encoder, duets)
found = summaries(table)
for ask in ("by sight", "by name"):
    record("10_look_and_listen", f"SDRi {ask}", found.loc[ask, "mean"], "dB")

# %%
sums = [first.samples + second.samples for first, second in duets]
halves = [sdr_improvement(cut.samples, both / 2, both) for pair, both in zip(duets, sums, strict=True) for cut in pair]
floor = float(np.mean(halves))
ax = show_intervals(found, "SDRi (dB)", {"half the mixture": floor})
figure_html(ax, "Five ways of asking; 95% intervals over duets.")

# %%
wide = table.pivot(index=["duet", "look"], columns="ask", values="SDRi").reset_index()
lost = summary(wide["by sight"] - wide["film a second late"], wide["duet"])
points = summaries(table, "points")
assert abs(lost[0]) < 0.5
answer(
    f"The late film costs {lost[0]:.2f} dB [{lost[1]:.2f}, {lost[2]:.2f}]. The eye takes the largest values over time, "
    "so that from a film it keeps who stands where, and nothing of when they move. Looks were learnt, not motion: when "
    "the flashes come made no difference. It is so in VAST, too, which takes the maximum over its frames."
)

# %% [markdown]
# And what do you make of the words, the name and the others? Of where the estimates point? And are all pairs of
# instruments as easy?

# %%
pair_names = {number: " and ".join(sorted(cut.look for cut in pair)) for number, pair in enumerate(duets)}
by_name = table[table["ask"] == "by name"]
by_pair = by_name.groupby(by_name["duet"].map(pair_names).rename("by name, SDRi (dB)"))["SDRi"].agg(["mean", "size"])
by_pair.sort_values("mean").round(1)

# %%
answer(
    f"What was separated by name points to its own player in {points.loc['by name', 'mean']:.0%} of the answers "
    f"[{points.loc['by name', 'low']:.0%}, {points.loc['by name', 'high']:.0%}]; chance is {1 / 16:.0%}, and half for "
    "whoever always points to the same player.\n\n"
    f"By name it gains {found.loc['by name', 'mean']:.1f} dB, by other words "
    f"{found.loc['by other words', 'mean']:.1f} dB, beside {floor:.1f} dB for half the mixture. Its eye had met none "
    "of those phrases: some describe a sound (singing, mellow), others name the part or the player in another way "
    "(the violin part, the fiddler). The encoder seems to put them near enough.\n\n"
    f"The pairs are very unlike: {by_pair['mean'].idxmax()} gain {by_pair['mean'].max():.1f} dB, "
    f"{by_pair['mean'].idxmin()} {by_pair['mean'].min():.1f} dB, beside the same {floor:.1f} dB. A mean over pairs "
    "hides that. Each is of a few cuts of two clips of either instrument, and chance may leave a pair out."
)

# %% [markdown]
# ## Where it must fail
#
# From that answer two failures can be predicted. **Two of a kind**, two violins for instance: by looks they are one
# and the same. VAST's authors say so of two clarinets. And **the trumpet**: the eye knows its look and its words, and
# the separator never heard one. What will it give for it, and for the violin beside it?

# %%
kinds = {"two of a kind": answers(looker, encoder, twins(heldout, profile.pairs))}
brass = answers(looker, encoder, trumpets(heldout, profile.pairs))
kinds |= {look: brass[brass["look"] == look] for look in ("trumpet", "violin")}
rows = {
    (kind, ask): summaries(part).loc[ask]
    for kind, part in kinds.items()
    for ask in ("by sight", "by name", "by nothing")
}
pd.DataFrame(rows).T.style.format({"mean": "{:.2f}", "low": "{:.2f}", "high": "{:.2f}", "duets": "{:.0f}"})


# %%
def told(kind, ask):
    row = summaries(kinds[kind]).loc[ask]
    return f"{row['mean']:.1f} dB [{row['low']:.1f}, {row['high']:.1f}]"


answer(
    f"Two of a kind get {told('two of a kind', 'by sight')} by sight: nearly one vector asks for both, so "
    "both get nearly one answer. It is asked for a violin and hears two, so it keeps nearly all: 0 dB is the mixture "
    f"itself. Half of it would be worth about {floor:.1f} dB, as in the duets.\n\n"
    f"The trumpet gets {told('trumpet', 'by sight')} by sight and {told('trumpet', 'by name')} by name: the network "
    "was never asked in that direction, and never heard one. And the violin beside it, which it knows, gets only "
    f"{told('violin', 'by sight')} by sight and {told('violin', 'by name')} by name. Both are equally loud here, so "
    "half the mixture would have 3 dB for either: no SDRi shows that they are told apart. But these two also play one "
    "piece together, which no two of the training did, and no trial here has the one without the other."
)

# %% [markdown]
# ## What is each loss worth?
#
# The separator that ships was trained once more without each of its losses, and without a condition: an *ablation
# study*, each of whose trainings is an *arm*. All arms began from one network that had been trained by sight alone,
# with the video loss; then each went on with the losses that are left to it, for equally long, on the same mixtures
# (without the video loss all sources are asked for by caption, without the text loss all by sight). Of the last three
# rows the first is that network itself, which stopped there, with an ear that never learnt; the others are it and the
# one with all losses, both trained without noise on the condition. Predict: what do the *words* need?

# %%
from lass_lab.datasets import data_dir

numbers = pd.read_csv(data_dir() / "sight" / "numbers.csv").query("trial == 'two instruments'")


def arms(ask, measure="SDRi"):
    return numbers[(numbers["ask"] == ask) & (numbers["measure"] == measure)].set_index("arm")


shown = arms("by name")
record("10_look_and_listen", "SDRi by name, without audio-language", shown.loc["without audio-language", "mean"], "dB")
ax = show_intervals(shown, "SDRi by name (dB)", {"half the mixture": floor})
figure_html(ax, f"Each arm by name, on {shown['duets'].iloc[0]} duets.")

# %% [markdown]
# Intervals that overlap do not say that nothing differs: all arms separated the same duets, so the *differences* are
# known better than the levels. How far is each arm behind the one with all losses, by name, by other words, by sight,
# and in where it points?


# %%
def behind(arm, ask="by name", measure="SDRi"):
    row = arms(ask, measure).loc[arm]
    return f"{row.behind:+.2f} [{row.behind_low:+.2f}, {row.behind_high:+.2f}]"


measured = {
    "by name (dB)": ("by name",),
    "by other words (dB)": ("by other words",),
    "by sight (dB)": ("by sight",),
    "points right, by name": ("by name", "points"),
}
columns = {title: [behind(arm, *what) for arm in shown.index] for title, what in measured.items()}
pd.DataFrame(columns, index=shown.index).iloc[1:]

# %%
losses_out = [f"without {loss}" for loss in ("video", "text", "tri-modal", "audio-language")]
no_noise, all_no_noise = (f"{arm}, without noise" for arm in ("by sight alone", "all four losses"))
blind, unheard = "no condition", "without audio-language"
sighted, placed = arms("by sight"), arms("by name", "points")
assert (shown.loc[[no_noise, all_no_noise], "behind_low"] > 3).all()
assert (sighted.loc[[no_noise, all_no_noise], "behind_high"] < -0.5).all()
assert shown.loc[blind, "behind_low"] > 1.5 and placed.loc[unheard, "behind_low"] > 0.3
for ask in ("by name", "by other words", "by sight"):
    assert arms(ask).loc[losses_out, "behind"].abs().max() < 0.2
assert shown.loc[unheard, "behind_high"] < 0

# %%
answer(
    "Most of all the noise. Without it, the network trained by sight alone has "
    f"{sighted.loc[no_noise, 'mean']:.1f} dB by sight and {shown.loc[no_noise, 'mean']:.1f} dB by name, far less than "
    f"half the mixture; all four losses bring the name to {shown.loc[all_no_noise, 'mean']:.1f} dB. With noise, by "
    f"sight alone, it has {sighted.loc['by sight alone', 'mean']:.1f} dB by sight and "
    f"{shown.loc['by sight alone', 'mean']:.1f} dB by name, and had met no caption either."
)

# %% [markdown]
# What was found is not what was expected. By name and by other words it separates far better than no condition does;
# with **noise** it does so after training by sight alone, and better than by sight. A reading that fits, and was not
# tested: noise does not lead towards the words (in 384 dimensions it hardly ever does), but the network learns to make
# do with little. With noise, a condition is nearer to pictures of its own instrument than to others by about
# $(0.94 - 0.36) / \sqrt 5 = 0.26$ in cosine; a word, by 0.28. A picture without noise is what it never met in training,
# and by sight it has less than the network without noise. (This noise was compared with none on clips set aside for
# it, not on these.)
#
# Beside that the **losses** hardly matter to separation, in the 200 steps that they have after 2,500 by sight alone:
# to leave out any one changes it by less than 0.2 dB, by name, by other words and by sight. The **audio-language
# loss** does what it is named for, the ear points to the right player, and it costs 0.1 to 0.2 dB in all three, with
# this seed. One possible reason why it brings nothing: our ear is a network of its own, so this loss reaches the
# separator by one way only, through the mask. In VAST the ear is the separator's encoder, and the same loss has a
# shorter way. Nobody has tested whether that is the reason. And VAST's frozen text encoder is CLIP's, which has met
# pictures by the million: how wide the gap is there, and what would cross it, these drawings cannot say.
#
# Why does the **tri-modal loss** alone not teach the ear to point? The films of the training have one player each, so
# every caption points to *the player*, and an ear that always says "a player" satisfies it. Without the audio-language
# loss the tri-modal loss is below 0.01 in the end, from 1.1 with an ear that never learnt, and yet the ear points right
# in about half of the answers, as whoever always points to one player does (`data/sight/README.md` has these losses).
#
# Read it with care. These are minutes of training on four instruments in a drawn world, one seed each; the intervals
# know of other duets of the same eight clips, not of other clips, and not of other seeds.
#
# VAST reports an NSDR (BSS-eval's SDR, less the mixture's) of 8.58 dB on SOLOS, real videos: another definition and
# other sounds, so it must not be set beside ours ([notebook 07](07_evaluation.ipynb)).
#
# ## What we take along
#
# - Words and sounds need not meet: what both have met, a picture, can stand between them.
# - A caption without words is a vector that the sentence encoder can produce; it lies between pictures and words.
# - What was learnt at one place of a space need not hold beside it. Here noise on the condition took it across.
# - A maximum over time knows who, not when. Shift the film before you say that a model watches.
# - A look that was seen does not make a sound that was heard: the trumpet stays foreign, and twins stay one.
# - An ablation is a difference on the same duets with its interval, and one that finds nothing is written down, too.
#
# **Try:** `Scene.film` takes a shift; make `Player.glow` return the same brightness at all times, and train `mine`
# again. Predict what changes. Then think how a condition would have to look that tells twins apart.

# %%
from lass_lab.course.quiz import quiz

quiz("10")

# %% [markdown]
# The answers to the exercises are in [the solutions](solutions/10_look_and_listen.ipynb).
