# %% [markdown]
# # 02 Words and sounds: one space for both
#
# {{badge}}
#
# You type *a fiddle tune*, and a network that only knows numbers knows which sound you mean. We find out how.
#
# **You will**
# - turn a sentence into a vector, and see what that vector knows about music and what it does not;
# - draw words and sounds together, with the loss that CLIP and CLAP are made with, step by step;
# - search by ear: type words, hear the clips that lie nearest;
# - try phrasings that nobody trained on, and find those that fail.
#
# {{time}}
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## From words to numbers
#
# What does a network get to see of a sentence? Not letters and not words, but *tokens*: pieces from a fixed list,
# each with a number. Short, common words are one piece; rare ones fall apart.

# %%
import torch

from lass_lab.course.profile import current
from lass_lab.models import load_separator

torch.set_grad_enabled(False)
profile = current()
query_network = load_separator("tiny").query_network
encoder = query_network.encoder
for sentence in ("violin", "a fiddle tune", "the glockenspiel part"):
    tokens = encoder.tokenizer.encode(sentence)
    print(f"{sentence!r:24} -> {tokens.tokens} -> {tokens.ids}")

# %% [markdown]
# `[CLS]` and `[SEP]` mark the two ends, `##` a piece that continues a word. A *sentence encoder*, a transformer with
# 22 million parameters (MiniLM), mixes the tokens of a sentence with one another and averages what comes out into one
# vector. It was trained on a billion pairs of sentences, so that sentences of like meaning get like vectors. Nobody
# told it what anything *sounds* like. What does it make of instruments?

# %%
from lass_lab.course.plots import figure_html, show_similarity

words = ["a fiddle", "bowed strings, high", "a cello", "a trombone", "brass with a slide"]
words += ["a harpsichord", "plucked keys"]
vectors = torch.nn.functional.normalize(encoder(words), dim=-1)
print(f"{len(words)} sentences -> {tuple(vectors.shape)}")
ax = show_similarity((vectors @ vectors.T).numpy(), words, words)
figure_html(ax, "How alike the sentence vectors are (cosine): 1 is the same direction, 0 has nothing in common.")

# %% [markdown]
# Look for the pairs that belong together: *a trombone* and *brass with a slide*, *a harpsichord* and *plucked keys*.
# Are they the brightest of their rows? To this network, *a trombone* and *a cello* are alike because people write
# about both in the same kind of sentence. What we need is a space in which words lie beside their **sound**.
#
# ## From sound to numbers
#
# So sounds need vectors too. A small convolutional network, the *audio tower*, turns a clip's mel spectrogram
# (notebook 01) into 512 numbers; the words' vectors go through a *projection* that makes 512 numbers of them. Here
# are one clip of each of six instruments, from music that no training has heard:

# %%
import numpy as np

from lass_lab.course.players import players
from lass_lab.datasets import data_dir
from lass_lab.datasets.mixing import SourceBank

bank = SourceBank(data_dir() / "sources", "test")
chosen = ["violin", "cello", "trombone", "harpsichord", "flute", "marimba"]
rng = np.random.default_rng(0)
clips = {name: bank.cut(rng, name, 4 * 32_000) for name in chosen}
players(clips)

# %% [markdown]
# Now every word against every sound: once with both networks at a random start, once as they ship.

# %%
from lass_lab.models.querynet import TinyQueryNet

torch.manual_seed(0)
untrained = TinyQueryNet(encoder=encoder).eval()
sounds = list(clips.values())
for name, network in {"at a random start": untrained, "trained": query_network}.items():
    likeness = network(chosen) @ network(sounds).T
    right = (likeness.argmax(1) == torch.arange(len(chosen))).sum().item()
    print(f"{name}: {right} of {len(chosen)} words find their own sound")
ax = show_similarity(likeness.numpy(), chosen, chosen, axes=("words", "sounds"))
figure_html(ax, "Words against sounds, as trained: a bright diagonal means that each word lies beside its own sound.")

# %% [markdown]
# ## The loss that does it
#
# How do two networks learn to meet, when nobody says *where*? They are shown a batch of pairs and play a guessing
# game. For each word: which of these sounds is yours? For each sound: which of these words? That is *contrastive*
# learning. We play one round by hand, with the trained networks.

# %%
temperature = 0.07
scores = likeness / temperature
chances = scores.softmax(dim=1)  # each row: what the word believes
own = chances.diagonal()
print({name: f"{chance:.1%}" for name, chance in zip(chosen, own.tolist(), strict=True)})
loss_of_words = -own.log().mean()
loss_of_sounds = -scores.softmax(dim=0).diagonal().log().mean()
print(f"loss of the words {loss_of_words:.3f}, of the sounds {loss_of_sounds:.3f}; guessing: {np.log(len(chosen)):.3f}")

# %% [markdown]
# The dictionary says how sure each word is of its own sound. The loss is the mean of *minus the logarithm* of that;
# it is zero for certainty, and the logarithm of the number of pairs for blind guessing. The *temperature* says how
# much a small difference in likeness counts; it is learnt, too. The package has the same in three lines. Does it
# agree?

# %%
import inspect

from lass_lab.experiments.contrastive import contrastive_loss

ours = (loss_of_words + loss_of_sounds) / 2
theirs = contrastive_loss(query_network(chosen), query_network(sounds), temperature)
assert torch.isclose(ours, theirs, atol=1e-5)
print(f"by hand {ours:.4f}, by the package {theirs:.4f}")
print(inspect.getsource(contrastive_loss))

# %% [markdown]
# **Exercise 1.** Write the loss yourself, for words and sounds that are rows of unit vectors. The check tries it on
# pairs that you do not see. (Stuck? Answers are in `notebooks/solutions`.)

# %%
from lass_lab.course.nb02.checks import check_contrastive_loss


def loss(words, sounds, temperature):
    """The mean of both directions."""
    return ...


check_contrastive_loss(loss)

# %% [markdown]
# **Exercise 2**, without code: a batch holds two pairs, and by mistake both have the same sound. What is the smallest
# loss that the words can reach, whatever the network learns?
#
# ## Train it yourself
#
# Each batch holds every instrument once: one phrasing and one clip of each. The sentence encoder is frozen, so
# that what learns is small, and quick. From a random start:

# %%
import matplotlib.pyplot as plt

from lass_lab.course.plots import COLOURS
from lass_lab.experiments.contrastive import ContrastiveRecipe, train_contrastively

torch.manual_seed(1)
mine = TinyQueryNet(encoder=encoder)
training_bank = SourceBank(data_dir() / "sources", "train")
with torch.enable_grad():
    run = train_contrastively(mine, training_bank, ContrastiveRecipe(steps=profile.contrastive_steps))
_, ax = plt.subplots(figsize=(7, 2.5), layout="constrained")
ax.plot(run["loss"], color=COLOURS[0])
ax.axhline(np.log(len(training_bank.instruments)), color=COLOURS[5], linestyle="--")
ax.set(xlabel="step", ylabel="contrastive loss", ylim=(0, None))
figure_html(ax, f"Contrastive training of {len(run)} steps; the dashed line is the loss of guessing.")

# %% [markdown]
# Where the curve leaves the dashed line, words and sounds have begun to find each other. The shipped network trained
# on more clips, and for longer. How far did each get? On clips and on phrasings that neither has seen:

# %%
import pandas as pd

from lass_lab.course.ledger import record
from lass_lab.experiments.contrastive import evaluate_retrieval

found = {
    name: evaluate_retrieval(network, bank, cuts=2).set_index("measure")
    for name, network in {"yours": mine, "shipped": query_network}.items()
}
table = pd.DataFrame({name: result["contrastive"] for name, result in found.items()})
table = table.assign(untrained=found["shipped"]["untrained"], chance=found["shipped"]["chance"])
record("02_words_and_sounds", "text to audio recall@1, shipped", table["shipped"].iloc[0])
table.style.format("{:.0%}")

# %% [markdown]
# *Recall@1* asks: is the nearest neighbour of the right instrument? In the last row no sound takes part: which
# instrument does a phrasing name? There the column *untrained* is the plain sentence encoder, and the gain over it is
# what listening has taught about words.
#
# ## Search by ear
#
# A space in which words and sounds meet is a search engine. Type anything.

# %%
library = [(name, bank.cut(rng, name, 3 * 32_000)) for name in bank.instruments]
known = query_network([sound for _, sound in library])


def search(words, count=3):
    likeness = (query_network([words]) @ known.T)[0]
    best = likeness.argsort(descending=True)[:count].tolist()
    labels = [f"{rank}. {library[place][0]} ({likeness[place]:.2f})" for rank, place in enumerate(best, 1)]
    return players({label: library[place][1] for label, place in zip(labels, best, strict=True)})


search("something struck with soft mallets")

# %% [markdown]
# The numbers in brackets are cosines. Try *low and growling*, *music for a wedding*, *a trumpet*: the last has never
# been taught. What does the network take for its nearest relatives? Remember the answer: it is what the separator
# will look for in notebook 03, when you ask for the trumpet.
#
# All of them at once, on a map: each word is joined to its own sound. Click on the sounds, and compare neighbours.

# %%
from lass_lab.course.nb02.word_map import map_words_and_sounds

map_words_and_sounds(query_network, dict(library))

# %% [markdown]
# Do sounds that lie close sound alike? A map of two directions shows only part of how they differ: the line below it
# says which part.
#
# ## Words that fail
#
# Three phrasings of every instrument were held out. Which of them are nearer to another instrument's than to their
# own?

# %%
from lass_lab.datasets import heldout_captions, training_captions

names = bank.instruments
prototypes = torch.stack([query_network(list(training_captions(name))).mean(0) for name in names])
rows = []
for name in names:
    for phrasing, vector in zip(heldout_captions(name), query_network(list(heldout_captions(name))), strict=True):
        nearest = names[int((prototypes @ vector).argmax())]
        rows += [(phrasing, name, nearest)] if nearest != name else []
print(f"{len(rows)} of {3 * len(names)} held-out phrasings name another instrument")
pd.DataFrame(rows, columns=["phrasing", "meant", "understood"])

# %% [markdown]
# Some need knowledge that is in no other phrasing (who knows a *sackbut*?), others fit two instruments nearly as well
# (is a *silvery melody* a flute's?). More phrasings help, and so may letting the sentence encoder learn: that is
# phase 2, in notebook 06.
#
# ## The query network, in code
#
# All of this is one class. What you called above ends here, once for all words and once for sounds of each length:

# %%
from lass_lab.models.querynet import QueryNet

print(inspect.getsource(QueryNet._conditions))

# %% [markdown]
# Words go through encoder and projection, sounds through the audio tower, and both end as unit vectors in one space:
# that is why the separator takes a clip in place of words. AudioSep does the same with CLAP, whose towers are
# far larger and were trained on hundreds of thousands of captioned recordings. Is it here?

# %%
from lass_lab.course.full_size import find_full_size

if full := find_full_size():
    vectors = full.query_network(words).cpu()
    ax = show_similarity((vectors @ vectors.T).numpy(), words, words)
    display(figure_html(ax, "CLAP's own conditions for the sentences from the beginning."))  # noqa: F821

# %% [markdown]
# ## What we take along
#
# - A condition is a direction: what matters about two of them is the angle between.
# - Contrastive learning needs no labels but pairs: each word is drawn to its own sound and away from the others.
# - An encoder that has read a lot brings much along; only sounds teach it what words sound like.
# - What no phrasing and no sound has taught is taken for its nearest relative.
#
# **Try:** let `search` look for a sound in place of words: `library[0][1]`, or a clip of your own. Predict first what
# comes second.
#
# The answers to the exercises are in [the solutions](solutions/02_words_and_sounds.ipynb).
