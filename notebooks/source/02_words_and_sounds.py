# %% [markdown]
# # 02 Words and sounds: one space for both
#
# {{badge}}
#
# You type *a fiddle tune*, and a network that only knows numbers knows which sound you mean. We find out how.
#
# **You will**
# - turn a sentence into a vector, and see what that vector knows about music and what it does not;
# - draw words and sounds together with the loss of CLIP (pictures and captions) and CLAP (sounds and captions);
# - search by ear: type words, hear the clips that lie nearest;
# - try phrasings that nobody trained on, and find those that fail.
#
# {{time}} · **Study time:** about 40 minutes
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

torch.set_grad_enabled(False)  # gradients are computed only where we train
profile = current()
query_network = load_separator("tiny", device="cpu").query_network
encoder = query_network.encoder
for sentence in ("violin", "a fiddle tune", "the glockenspiel part"):
    tokens = encoder.tokenizer.encode(sentence)
    print(f"{sentence!r:24} -> {tokens.tokens} -> {tokens.ids}")

# %% [markdown]
# `[CLS]` and `[SEP]` mark the two ends, `##` a piece that continues a word. A *sentence encoder* (MiniLM, 22 million
# parameters) makes one vector of them. It is a *transformer*: in each of its layers every token takes up something of
# all the others, weighted by how well they match, which is called *attention*; what comes out is averaged over the
# tokens. It was trained on a billion pairs of sentences, so that sentences of similar meaning get similar
# vectors. How similar two vectors $a$ and $b$ are is measured by their *cosine similarity*, the cosine of the angle
# between them:
#
# $$\cos(a, b) = \frac{a \cdot b}{\lVert a \rVert \, \lVert b \rVert}$$
#
# Nobody told this network what anything *sounds* like. What does it make of instruments? Which pairs below belong
# together, and will they be the brightest of their rows?

# %%
from lass_lab.course.plots import figure_html, show_similarity

words = ["a fiddle", "bowed strings, high", "a cello", "a trombone", "brass with a slide"]
words += ["a harpsichord", "plucked keys"]
vectors = torch.nn.functional.normalize(encoder(words), dim=-1)  # of length 1: the product is the cosine
print(f"{len(words)} sentences -> {tuple(vectors.shape)}")
similarity = (vectors @ vectors.T).numpy()
ax = show_similarity(similarity, words, words)
figure_html(ax, "Cosine similarity of the sentence vectors: 1 is the same direction, 0 a right angle.")

# %% [markdown]
# Are *a trombone* and *brass with a slide* each other's nearest, and *a harpsichord* and *plucked keys*?

# %%
from lass_lab.course.quiz import answer

nearest = dict(zip(words, (words[row.argsort()[-2]] for row in similarity), strict=True))
assert nearest["a trombone"] != "brass with a slide"
answer(
    f"Only in one direction. “brass with a slide” is nearest to “{nearest['brass with a slide']}”, and “plucked keys” "
    f"to “{nearest['plucked keys']}”; but “a trombone” is nearest to “{nearest['a trombone']}”, and “a harpsichord” to "
    f"“{nearest['a harpsichord']}”. Names of instruments stand in the same kinds of sentences, and that is what this "
    "network has read. What sounds alike is another matter."
)

# %% [markdown]
# What we need is a space in which words lie beside their **sound**.
#
# ## From sound to numbers
#
# So sounds need vectors too. A small convolutional network, the *audio tower*, turns a clip's mel spectrogram
# (notebook 01) into 512 numbers; the words' vectors go through a *projection* that makes 512 numbers of them. These
# 512 numbers are the *condition*, all that the separation network learns of the query. Here is one clip of each of six
# instruments, played by a sampler, from music that no training has heard:

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
    similarity = network(chosen) @ network(sounds).T
    right = (similarity.argmax(1) == torch.arange(len(chosen))).sum().item()
    print(f"{name}: {right} of {len(chosen)} words find their own sound")
assert right > len(chosen) / 2
ax = show_similarity(similarity.numpy(), chosen, chosen, axes=("words", "sounds"))
figure_html(ax, "Words against sounds, as trained: a bright diagonal means that each word lies beside its own sound.")

# %% [markdown]
# ## The loss that does it
#
# What a network does is decided by its *weights*. In each training *step* they are moved a little in the direction
# (against the *gradient*) in which the *loss* falls, one number for how wrong the network is.
#
# How do two networks learn to meet, when nobody says *where*? They are shown a batch of $N$ pairs and play a guessing
# game. For each word: which of these sounds is yours? For each sound: which of these words? That is *contrastive*
# learning. The similarities, divided by a *temperature* $\tau$, are scores called *logits*, no longer confined to -1
# ... 1; a *softmax* over the row $i$ turns them into probabilities. With words $w_i$ and sounds $a_j$, all of length
# one:
#
# $$p_{ij} = \frac{e^{w_i \cdot a_j / \tau}}{\sum_k e^{w_i \cdot a_k / \tau}}$$

# %%
temperature = 0.07
for each in (1.0, temperature):
    logits = similarity / each
    own = logits.softmax(dim=1).diagonal().tolist()  # each row: what a word believes of the sounds
    print(f"temperature {each}:", {name: f"{chance:.0%}" for name, chance in zip(chosen, own, strict=True)})
assert min(own) > 0.5

# %% [markdown]
# Each line says how sure each word is of its own sound. Temperature decides how much a small difference in similarity
# counts; it is learnt, too. The loss is the mean *cross-entropy* of both directions: minus the logarithm of the
# probability of the right partner, where $q_{ij}$ are the probabilities of a softmax over the *columns*, from sounds to
# words.
#
# $$L = -\frac{1}{2N} \sum_{i=1}^{N} \left( \ln p_{ii} + \ln q_{ii} \right)$$
#
# Being certain of the right partner costs nothing. What does blind guessing among $N$ cost?

# %%
from lass_lab.experiments.contrastive import contrastive_loss

loss_here = contrastive_loss(query_network(chosen), query_network(sounds), temperature)
loss_untrained = contrastive_loss(untrained(chosen), untrained(sounds), temperature)
assert loss_here < loss_untrained
answer(
    f"Each partner then has the probability 1/N, so the loss is ln N: {np.log(len(chosen)):.2f} for {len(chosen)} "
    f"pairs. The networks at their random start have {loss_untrained:.2f}, the trained ones {loss_here:.2f}."
)

# %% [markdown]
# **Exercise 1.** Write the loss yourself, for words and sounds that are rows of unit vectors. The check tries it on
# pairs that you do not see. (The answers are in `notebooks/solutions`.)
#
# <details><summary>A hint</summary>
#
# One product of matrices gives all similarities. `torch.nn.functional.cross_entropy` takes logits, a row for each
# guess, and the place of the right answer in each row: softmax, logarithm and mean in one. In which places are the
# right answers, and what has to be turned for the second direction?
#
# </details>

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
# <details><summary>A hint</summary>
#
# Two sounds that are equal have equal vectors. What does a softmax make of two equal logits?
#
# </details>
#
# ## Train it yourself
#
# Each batch holds every instrument once: one phrasing and one clip of each. The sentence encoder is *frozen* (its
# weights stay as they are), so that what learns is small, and quick. From a random start:

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
# on more clips and more kinds of sound, and for longer. How far did each get? On clips and phrasings that neither has
# seen:

# %%
import pandas as pd

from lass_lab.course.ledger import record
from lass_lab.experiments.contrastive import evaluate_retrieval

assert run["loss"].iloc[-3:].mean() < np.log(len(training_bank.instruments))
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
# instrument does a phrasing name? There the column *untrained* is the plain sentence encoder. What has listening
# taught?

# %%
find, _, name_it = table.index
assert table.loc[find, "shipped"] > 0.5 > table.loc[find, "untrained"]
answer(
    f"Nearly all about sounds: held-out words find a sound of their instrument in {table.loc[find, 'shipped']:.0%} "
    f"of cases, where chance is {table.loc[find, 'chance']:.0%}; your {profile.contrastive_steps} steps reach "
    f"{table.loc[find, 'yours']:.0%}. About words alone it taught little: the sentence encoder alone, "
    f"before any contrastive training, names the instrument in {table.loc[name_it, 'untrained']:.0%}, and after it in "
    f"{table.loc[name_it, 'shipped']:.0%}."
)

# %% [markdown]
# ## Search by ear
#
# A space in which words and sounds meet is a search engine. Type anything.

# %%
library = [(name, bank.cut(rng, name, 3 * 32_000)) for name in bank.instruments]
known = query_network([sound for _, sound in library])


def search(words, count=3):
    similarity = (query_network([words]) @ known.T)[0]
    best = similarity.argsort(descending=True)[:count].tolist()
    labels = [f"{rank}. {library[place][0]} ({similarity[place]:.2f})" for rank, place in enumerate(best, 1)]
    return players({label: library[place][1] for label, place in zip(labels, best, strict=True)})


search("something struck with soft mallets")

# %% [markdown]
# The numbers in brackets are cosine similarities. Try *low and growling*, *music for a wedding*, *a trumpet*: something
# is always nearest, also for what has never been taught.
#
# All of them at once, on a map: each word is joined to its own sound. Click on the sounds, and compare neighbours.

# %%
from lass_lab.course.nb02.word_map import map_words_and_sounds

map_words_and_sounds(query_network, dict(library))

# %% [markdown]
# Do sounds that lie close sound alike? A map of two directions shows only part of how they differ; the line below says
# how large a part. Words and sounds were centred separately first, so only distances within one kind mean something.
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
# Which of these would you have understood? Some need knowledge that is in no other phrasing; others fit two instruments
# nearly as well. More phrasings help, and so may letting the sentence encoder learn: that is phase 2, in notebook 06.
#
# A word that was never taught becomes a vector, too. Notebook 03 measures what the separator makes of such words.
#
# Words go through the sentence encoder and the projection, sounds through the audio tower, and both end as unit vectors
# in one space: therefore the separator takes a clip in place of words. AudioSep does the same with CLAP, whose networks
# are far larger and were trained on hundreds of thousands of captioned recordings.
#
# ## What we take along
#
# - A condition is a direction: what matters about two of them is the angle between.
# - Contrastive learning needs no labels but pairs: each word is drawn to its own sound and away from the others.
# - An encoder that has read a lot knows much about words; only sounds teach it what they sound like.
# - Every sentence becomes a condition, also one that names nothing the model knows. The model does not say which.
#
# Check yourself:

# %%
from lass_lab.course.quiz import quiz

quiz("02")

# %% [markdown]
# **Try:** let `search` look for a sound in place of words: `library[0][1]`, or a clip of your own. Predict first what
# comes second.
#
# The answers to the exercises are in [the solutions](solutions/02_words_and_sounds.ipynb).
#
# **Next:** [The pretrained baseline](03_pretrained_baseline.ipynb) shows where a condition enters the separator.
