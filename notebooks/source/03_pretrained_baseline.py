# %% [markdown]
# # 03 The pretrained baseline
#
# {{badge}}
#
# We take the separator apart, follow five seconds of music through it, and then measure how well it does before
# anybody trains it further.
#
# **You will**
# - trace a mixture through the network: STFT, ResUNet, three mask channels, inverse STFT;
# - write an encoder block, and see where a query enters and what it changes;
# - measure the separator on a duet that it has never met, beside three floors: mixture, silence and subtraction;
# - find out whether it fails on the trumpet or only on the word *trumpet*;
# - hear what it has over LASS-Net, the first system of its kind.
#
# {{time}} · **Study time:** about 65 minutes
#
# {{navigation}}

# %%
# {{bootstrap}}

# %% [markdown]
# ## Part 1: how it is built
#
# A *separator* is two networks. The *query network* turns words into numbers; the *separation network* uses them to
# take one source out of a mixture. We follow one *slice*, five seconds of the held-out duet. What is in it?

# %%
import torch

from lass_lab.course.players import players
from lass_lab.course.profile import current
from lass_lab.datasets import list_pieces, load_piece
from lass_lab.models import load_separator

torch.set_grad_enabled(False)  # nothing is trained in this notebook
profile = current()
separator = load_separator("tiny")
network = separator.network
excerpt = load_piece(list_pieces("test")[0]).slice(20, 5)
players({"mixture": excerpt.mixture, **excerpt.sources})

# %% [markdown]
# The mixture is exactly the sum of the two sources beside it. The separator is given the mixture alone.
#
# ### From sound to a picture
#
# In which form does the network see sound? As the magnitudes $|X|$ of a short-time Fourier transform (STFT): how
# strong each frequency is, in each short window of time. The phase $\angle X$ is set aside; it comes back at the end.

# %%
from lass_lab.course.plots import figure_html, show_spectrogram
from lass_lab.signal import stft

config = network.config
mixture = torch.from_numpy(excerpt.mixture)[None].to(separator.device)
spectrum = stft(mixture, config.n_fft, config.hop)
magnitude = spectrum.abs()[:, None]
seen = network.seen(spectrum)
print(f"{mixture.shape[-1]} samples -> {magnitude.shape[-2]} frames of {magnitude.shape[-1]} bins")
print(f"loudest over median: {magnitude.max() / magnitude.median():.0f}, as seen {seen.max() / seen.median():.1f}")
ax = show_spectrogram(excerpt.mixture, hop=config.hop, title="mixture", max_khz=8, db_range=50)
figure_html(ax, "What the separation network starts from: the magnitude of the mixture's STFT, here in decibels.")

# %% [markdown]
# How loud a recording is should not matter, and faint harmonics should not vanish beside loud ones. So the network
# sees $(|X| / \ell)^{0.3}$, with $\ell$ the level of the whole: the last line says by how much that evens out a
# picture. AudioSep itself sees plain magnitudes.
#
# ### From words to a condition
#
# The query network turns a query into its *condition*: a vector $c$ of 512 numbers with $\lVert c \rVert = 1$. For
# such vectors the inner product is the cosine of the angle between them: 1 for the same direction, 0 for unrelated
# ones.

# %%
import pandas as pd

queries = ["violin", "a fiddle", "trumpet", "trombone"]
conditions = separator.query_network(queries)
cosines = pd.DataFrame((conditions @ conditions.T).cpu().numpy(), queries, queries)
cosines.round(2)

# %% [markdown]
# Which two queries get nearly the same condition? And which of the taught words is nearest to *trumpet*, which was not
# taught? The closer two conditions are, the harder it is for everything that follows to treat
# them differently.

# %%
from lass_lab.course.quiz import answer

answer(
    f"“violin” and “a fiddle” (cosine {cosines.loc['violin', 'a fiddle']:.2f}). “trumpet” stands closest to "
    f"“trombone” ({cosines.loc['trumpet', 'trombone']:.2f}): sentences about the two are alike, and that is all it "
    f"can go by. From the violin it is far away ({cosines.loc['violin', 'trumpet']:.2f})."
)

# %% [markdown]
# ### Where the query enters
#
# The separation network is a stack of *convolutions*: layers that slide small learnt filters over the picture. What
# each filter gives is a picture again, a *feature channel*. Where can 512 numbers get in? In front of each 3x3
# convolution stands a *batch norm*: it brings each feature channel to the mean of 0 and the variance of 1 that it had
# in training, and then applies a learnt scale and offset; behind that, *feature-wise linear modulation* (FiLM) adds a
# shift read off the condition:
#
# $$\tilde h = \mathrm{LeakyReLU}(\mathrm{BN}(h) + \beta), \qquad \beta = W c + b$$
#
# $\beta$ is one number for each channel, the same at all times and frequencies. The *leaky ReLU* lets through what is
# above zero, and a hundredth of the rest: so a shift opens some channels and closes others. FiLM in general also has a
# factor $\gamma(c)$; AudioSep does without. Is that really all? We take one such layer of the network to pieces.

# %%
from torch.nn import functional

layer = network.bottleneck.norm1  # in the middle of the network
beta = layer.film(conditions)  # a linear layer: (queries, 512) -> (queries, channels)
features = torch.randn(1, beta.shape[1], 4, 6, device=separator.device)
by_hand = functional.leaky_relu(layer.norm(features) + beta[:1, :, None, None], 0.01)
assert torch.allclose(by_hand, layer(features, conditions[:1]), atol=1e-4), "the same as the layer itself"
print(f"beta: {tuple(beta.shape)}; features {tuple(features.shape)} -> {tuple(by_hand.shape)}")

# %% [markdown]
# Do different queries open different channels?

# %%
from lass_lab.course.nb03.plots import show_shifts

distance = (beta - beta[0]).abs().mean(dim=1).tolist()
print({query: round(value, 3) for query, value in zip(queries, distance, strict=True)})
ax = show_shifts(dict(zip(queries, beta.cpu(), strict=True)))
figure_html(ax, "The shifts beta in the middle of the network: one row per query, one column per feature channel.")

# %% [markdown]
# The printed numbers say how far each row is from the first, on average. If two queries had the same shifts in every
# layer, they would get the same answer. Each conditioned norm has shifts of its own, and the query acts nowhere else.
#
# ### An encoder block
#
# A block of the encoder is a *residual block*: what two convolutions make of the features is added to the features
# themselves (the *shortcut*). Each convolution comes after its conditioned norm:
#
# $$ h \;\mapsto\; \mathrm{shortcut}(h) +
# \mathrm{conv}_2(\mathrm{norm}_2(\mathrm{conv}_1(\mathrm{norm}_1(h, c)), c)) $$
#
# **Exercise 1.** Write it in PyTorch. `block` has the parts `norm1`, `conv1`, `norm2`, `conv2` and `shortcut`.
#
# <details><summary>A hint</summary>The norms are called with the features and the condition, all else with the
# features alone.</details>
# <details><summary>A second hint</summary>Keep the block's input under its own name: the shortcut needs it at the
# end.</details>

# %%
from lass_lab.course.nb03.checks import check_block


def encoder_block(block, features, condition):
    """Features (batch, channels, frames, bins) -> what the block makes of them."""
    return ...


check_block(encoder_block)

# %% [markdown]
# AudioSep's blocks are just that. In the tiny model two linear layers over the lowest 384 bins (6 kHz) follow, behind a
# conditioned norm of their own, because a 3x3 convolution sees three neighbouring bins and not where the next harmonic
# lies.
#
# ### A U-Net
#
# The picture is first padded to 256 frames, and its topmost bin dropped, so that it can be halved. After each block of
# the encoder it is averaged over 2x2 points, after the last one over frequency alone. What happens to it? We listen in
# on every block and write down the size of what comes out.

# %%
depth = range(1, len(network.encoder) + 1)
names = [*(f"encoder {i}" for i in depth), "bottleneck", *(f"decoder {i}" for i in depth)]
blocks = [*network.encoder, network.bottleneck, *network.decoder]
sizes = []
hooks = [block.register_forward_hook(lambda *args: sizes.append(tuple(args[2].shape[1:]))) for block in blocks]
logits = network.logits(seen, conditions[:1])
for hook in hooks:
    hook.remove()
pd.DataFrame(sizes, names, ["channels", "frames", "bins"])

# %% [markdown]
# Read downwards: frames and bins shrink while channels grow to 160, and then the same way back. That is the U. The
# *receptive field* of a point is the part of the input that it depends on. Each halving about doubles it, and in the
# middle it covers seconds and many harmonics at once, enough to tell instruments apart. Each decoder block also gets
# the encoder's features of its own size (a *skip connection*), so that fine detail is not lost.
#
# ### Three mask channels
#
# What does the network say in the end? Not a sound, but three *logits* for each point of the picture: numbers without
# limits, which a function then squeezes into the range where they mean something. From $m_0, m_1, m_2$ comes one
# complex factor, the *mask*:
#
# $$ M = \sigma(m_0) \, \frac{t_1 + i \, t_2}{|t_1 + i \, t_2|}, \qquad t_k = \tanh(m_k), \qquad
# \sigma(m) = \frac{1}{1 + e^{-m}} $$
#
# The *share* $\sigma(m_0)$, between 0 and 1, says how much of the mixture's magnitude to keep. The fraction is a
# *direction*, a complex number of length one, by which the mixture's phase is turned. What do they say for "violin"?

# %%
from lass_lab.course.nb03.plots import show_mask_channels

figure = show_mask_channels(logits[0].cpu(), magnitude[0, 0].cpu(), hop=config.hop)
caption = "The mask channels for “violin”: the share to keep, and the direction to turn by; blank where all is quiet."
figure_html(figure, caption)

# %% [markdown]
# In channel 0, look for bright ladders: harmonics that the network gives to the violin. Where channel 1 is near 1 and
# channel 2 near 0, the phase stays as it is. It does so nearly everywhere: the network sees magnitudes alone, which
# hardly tell which way a phase lies. Its ceiling is therefore the phase-sensitive mask of notebook 01, not the mask
# with phase.
#
# **Exercise 2.** Write the formula in NumPy: three arrays of one shape become one complex mask.
#
# <details><summary>A hint</summary><code>1j</code> is the imaginary unit; <code>np.abs</code> of a complex number is
# its length.</details>
# <details><summary>A second hint</summary>Make the direction as one complex array first, divide it by its length, and
# multiply by the share last.</details>

# %%
from lass_lab.course.nb03.checks import check_mask


def make_mask(size, across, up):
    """Logits of channel 0, 1 and 2 -> a complex mask of their shape."""
    return ...


check_mask(make_mask)

# %% [markdown]
# ### Back to sound
#
# The mask times the mixture's STFT is the estimate's STFT, and the inverse STFT makes it sound:
# $\hat s = \mathrm{iSTFT}(M \odot X)$. Do our steps give the same result as the network itself?

# %%
from lass_lab.signal import istft

mask = network.head.mask(logits)
estimate = istft(mask * spectrum, mixture.shape[-1], config.hop)
whole = network(mixture[:, None], conditions[:1])[:, 0]
difference = (estimate - whole).abs().max().item()
assert difference < 1e-4
print(f"largest difference between our steps and the network's own: {difference:.1e}")
players({"mixture": excerpt.mixture, "estimate for “violin”": estimate[0].cpu().numpy()})

# %% [markdown]
# That is the whole separation network: STFT, U-Net, mask, inverse STFT. `separator.separate` does the same for
# recordings of any length, window by window.
#
# ## Part 2: how good is it?
#
# We measure SDR and its improvement SDRi, as in notebook 00, and three more: *SI-SDR* forgives a wrong volume and a
# wrong sign (notebook 07 has its formula); *correlation* and *MSE* (mean squared error) compare magnitude spectrograms.

# %%
from lass_lab.course.plots import results_table
from lass_lab.experiments.evaluation import evaluate, summarise

table = evaluate({"tiny": separator}, list_pieces("test"), longest=profile.seconds)
summary = summarise(table)
results_table(summary[summary["separator"].isin(("mixture", "tiny"))], intervals=True)

# %% [markdown]
# An entry is the mean over five-second slices and, in brackets, its 95% *bootstrap* interval: how far that mean may be
# off for music like this piece (notebook 07 makes one). Both separators were measured on the same slices, so read the
# interval of their difference, SDRi. For each source: does it lie above 0, and does SI-SDR agree?

# %%
rows = summary.set_index(["separator", "source", "metric"])
whole, mean = rows["value"], rows["mean"]  # over all that was measured in one, and over its slices
low, high = rows["low"], rows["high"]
gains = {name: [each["tiny", name, "SDRi"] for each in (mean, low, high)] for name in excerpt.sources}
si_sdr = {separator: mean[separator, "trumpet", "SI-SDR"] for separator in ("mixture", "tiny")}
answer(
    f"SDRi: {'; '.join('{} {:+.1f} [{:.1f}, {:.1f}] dB'.format(name, *gain) for name, gain in gains.items())}. But the "
    f"trumpet's SI-SDR is {si_sdr['tiny']:.1f} dB, and the mixture's {si_sdr['mixture']:.1f} dB: even at its best "
    "volume the answer is further from the trumpet than the mixture is. What raised the trumpet's SDR is the low level "
    "of the answer: the softer an estimate, the nearer its SDR comes to the 0 dB of silence."
)

# %% [markdown]
# ### Three floors
#
# What can be had without finding the source? *The mixture* costs nothing. *Silence* costs nothing either: its error is
# the source itself, so its SDR is 0 dB, always. And there is a third floor that is easily missed. Whoever has an
# estimate of the violin has one of the trumpet, too: mixture minus violin.
#
# Notebook 00 derived what it scores: the trumpet's error is the violin's, so its SDR is the violin's SDR**i**. Here are
# all floors, over all that was measured in one.

# %%
names = list(excerpt.sources)
estimates = dict(zip(names, separator.separate(excerpt.mixture, names, progress=False), strict=True))
rest = excerpt.mixture - estimates["violin"]
floors = {
    source: {"mixture": whole["mixture", source, "SDR"], "silence": 0, "subtraction": whole["tiny", other, "SDRi"]}
    | {"asked for by name": whole["tiny", source, "SDR"]}
    for source, other in zip(names, names[::-1], strict=True)
}
pd.DataFrame(floors).T.rename_axis("SDR (dB)").style.format("{:.1f}")

# %%
from lass_lab.course.nb03.plots import show_floors

caption = "Each point is a slice of five seconds. A filled one above both lines and its hollow one was found."
figure_html(show_floors(table, "tiny"), caption)

# %% [markdown]
# An estimate is worth something above the *highest* floor. What is left of "it separates the violin", and of "it
# cannot hear the trumpet"?

# %%
one, two = floors["violin"], floors["trumpet"]
answer(
    f"The violin, asked for by name, has {one['asked for by name']:.1f} dB against {max(list(one.values())[:3]):.1f} "
    f"of the highest floor: it is found, in part. The trumpet has {two['asked for by name']:.1f} dB, where silence "
    f"has 0 and subtraction {two['subtraction']:.1f} dB. So this model gives a better trumpet without "
    "being asked for it, and that is the number which fine-tuning has to beat, not the one that it gives when asked."
)

# %% [markdown]
# ### Beside the paper
#
# The paper this course follows measured the full-size pretrained AudioSep on its own violin and trumpet duets. Other
# recordings and another model: only the pattern can be compared. What would subtraction have given its trumpet?

# %%
from lass_lab.experiments.paper_tables import paper_results

paper = paper_results("pretrained")
ours = summary[summary["separator"] == "tiny"].assign(separator="tiny, here")
results_table(pd.concat([ours, paper])[lambda rows: rows["metric"] != "SI-SDR"])

# %%
printed = paper.set_index(["source", "metric"])["value"]
before = {source: printed[source, "SDR"] - printed[source, "SDRi"] for source in names}
answer(
    f"{printed['violin', 'SDRi']:.1f} dB, the violin's SDRi, where asking gave {printed['trumpet', 'SDR']:.1f} dB. "
    "But that is so for plain sums of two sources, in which the mixture's two SDRs (SDR minus SDRi) are each "
    f"other's negatives. In the paper they are {before['violin']:.2f} and {before['trumpet']:.2f} dB: notebook 07 "
    "comes back to it."
)

# %% [markdown]
# And the paper's AudioSep? It is large, it was trained on recordings with trumpets, and its own test set has trumpets
# beside violins (over the ten instruments of that set it gains 10.5 dB on average). So neither its size nor a lack of
# trumpets explains the paper's trumpet row. What does (other recordings, other words, another level), the paper does
# not find out.
#
# ## Part 3: is it the sound or the word?
#
# All six panels have the same colour scale, so brightness can be compared. Players make everything equally loud, even
# what is next to nothing. Compare each right panel with the middle one: what is left over, and what is missing?

# %%
from IPython.display import HTML

from lass_lab.course.plots import compare_spectrograms

page = ""
for name, source in excerpt.sources.items():
    panels = {"mixture": excerpt.mixture, f"target: {name}": source, f"estimate for “{name}”": estimates[name]}
    figure = compare_spectrograms(panels, max_khz=8, db_range=50)
    page += figure_html(figure, f"Asked for the {name}: mixture, target and estimate.").data
shown = {f"estimate for “{name}”": sound for name, sound in estimates.items()} | {"mixture minus “violin”": rest}
HTML(page + players(shown).data)

# %% [markdown]
# The tiny model was taught instruments, voices and everyday sounds, but no trumpet. Is a word that nobody taught taken
# for its nearest relative among the taught ones? Then both would get the same answer: of one *level* (in dB against
# the mixture), and with a correlation of 1 between the two spectrograms.

# %%
from lass_lab.datasets.instruments import EVERYDAY, TAUGHT, VOICES
from lass_lab.experiments.evaluation import level_db
from lass_lab.signal import spectral_correlation

known = [*TAUGHT, *VOICES, *EVERYDAY]
words = ["bass clarinet", "viola", "piccolo", "trumpet", "string quartet", "harmonica", "hurdy-gurdy", "kazoo"]
cosine, places = (separator.query_network(words) @ separator.query_network(known).T).max(dim=1)
relatives = pd.DataFrame({"nearest taught": [known[place] for place in places], "cosine": cosine.cpu()}, words)
heard = [separator.separate(excerpt.mixture, list(each), progress=False) for each in (words, relatives.iloc[:, 0])]
relatives["level"], relatives["its level"] = ([level_db(sound, excerpt.mixture) for sound in each] for each in heard)
relatives["correlation"] = [spectral_correlation(*pair) for pair in zip(*heard, strict=True)]
relatives.round(2)

# %%
viola, piccolo, trumpet = (relatives.loc[word] for word in ("viola", "piccolo", "trumpet"))
quiet = relatives[(relatives["level"] < -15) & (relatives["its level"] < -15)]
answer(
    f"In part. The viola, at a cosine of {viola['cosine']:.2f}, gets what the violin gets (correlation "
    f"{viola['correlation']:.2f}). The trumpet, at {trumpet['cosine']:.2f} from the trombone, does not get the "
    f"trombone's answer ({trumpet['level']:.0f} against {trumpet['its level']:.0f} dB, correlation "
    f"{trumpet['correlation']:.2f}) but a little of both players. {' and '.join(quiet.index).capitalize()} get near "
    "silence, as their relatives do, which do not play here. And how near the nearest is does not tell: a piccolo, at "
    f"{piccolo['cosine']:.2f} from the flute, does get much of its answer (correlation {piccolo['correlation']:.2f})."
)

# %% [markdown]
# Is it then true that a model cannot find a *sound* that it was never taught? We ask for the trumpet by the names of
# other brass and of some reeds. The best of many words scores too well on the piece it was chosen on, so we choose on a
# *training* piece, and measure the chosen word elsewhere: on the test piece, and on one with another SoundFont.

# %%
from lass_lab.course.plots import show_intervals

others = ["trumpet", "french horn", "trombone", "clarinet", "oboe", "soprano saxophone"]
asking = {"violin": ["violin"], "trumpet": others}
asked = summarise(evaluate({"tiny": separator}, list_pieces("train")[:1], asking, longest=profile.seconds))
mean = asked.set_index(["separator", "query", "metric"])["mean"]
lines = {"silence": 0, "subtraction": mean["tiny", "violin", "SDRi"], "mixture": mean["mixture", "trumpet", "SDR"]}
asked = asked.query("separator == 'tiny' and source == 'trumpet' and metric == 'SDR'")
asked = asked.set_index("query").sort_values("mean", ascending=False)
best = asked.index[0]
caption = "SDR against the true trumpet of a training piece: mean over slices and 95% interval; lines are floors."
figure_html(show_intervals(asked, "SDR (dB)", lines), caption)

# %%
exams = [name for split in ("test", "out-of-domain") for name in list_pieces(split)]
asking = {"violin": ["violin"], "trumpet": ["trumpet", best]}
found = summarise(evaluate({"tiny": separator}, exams, asking, longest=profile.seconds)).query("separator == 'tiny'")
found = found.pivot(index="piece", columns=["query", "metric"], values="value").loc[exams]
columns = {"mixture": found["trumpet", "SDR"] - found["trumpet", "SDRi"], "silence": 0.0}
columns |= {"subtraction": found["violin", "SDRi"]} | {word: found[word, "SDR"] for word in asking["trumpet"]}
chosen = pd.DataFrame(columns).rename_axis("SDR of the trumpet (dB)")
assert chosen.loc[exams[0], best] > chosen.loc[exams[0], "trumpet"]
chosen.style.format("{:.1f}")

# %%
test, foreign = (chosen.loc[name] for name in exams)
answer(
    f"No. On the test piece “{best}” has {test[best]:.1f} dB, where “trumpet” has {test['trumpet']:.1f} dB and "
    "silence 0: the network can single out a trumpet that it was never taught, under the name of something that it was "
    f"taught and that sounds like it. What fails there is the word. (Subtraction has {test['subtraction']:.1f} dB, "
    f"without any name.) With another SoundFont ({exams[1]}) the same word has {foreign[best]:.1f} dB: whether a "
    "borrowed name helps depends on how this trumpet sounds. So both have to be learnt, the word and the sound, and "
    "fine-tuning does it in two phases."
)

# %% [markdown]
# ### Beyond this duet
#
# The model's card has what it reaches elsewhere: on music rendered with the two SoundFonts of its training, with a
# third that it never heard, and on **real performances**, solo recordings of people playing, mixed in pairs. (They are
# freely licensed; they were measured on and are not shipped.) In which row is the SDRi furthest below the first, and
# why?

# %%
from IPython.display import Markdown

from lass_lab.signal.files import data_dir

card = (data_dir() / "tiny" / "MODEL_CARD.md").read_text(encoding="utf-8").split("## The separator")[1]
Markdown("\n".join(line for line in card.splitlines() if line.startswith("|")))

# %% [markdown]
# <details><summary>Answer</summary>Real performances. In training nearly all music was rendered or put together from
# single recorded notes; bowing, breath, phrasing and the room of a performance are unlike it. A number on rendered
# music says little about recordings, and the duet of this course is rendered, too.</details>
#
# ## Part 4: where this separator comes from
#
# LASS-Net (2022) was the first of its kind, with the same two networks. Its query network was a small *transformer* (a
# network in which every word looks at every other); it learnt what words sound like from the separation network's
# errors alone, and its mask kept the mixture's phase. Three systems, each with one thing changed, were trained for the
# same few steps on eight instruments. The last row is the third system with its turn left out. Which step decides
# something?

# %%
from lass_lab.course.nb03.lineage import lineage_sounds, lineage_table

HTML(lineage_table().to_html() + players(lineage_sounds()).data)

# %% [markdown]
# <details><summary>Answer</summary>An entry is an SDRi in dB, with its 95% interval where it is a mean. From the first
# row to the second most is gained: words learnt from sounds beforehand are the step that counts. The third row
# is above the second, but the fourth, without its turn, is as good as the third: whatever that difference is, it
# is not the turn. LASS-Net's first two columns are the same, so the words have no say yet; and its mean is what half
# the mixture would have on these pairs, which are up to 10 dB apart (for equally loud sources it would be 3
# dB).</details>
#
# These networks are older than *tiny* (an earlier query network, mean absolute error, plain magnitudes): compare rows
# with each other, never with *tiny*. And the real LASS-Net learnt for far longer, from a transformer that had read
# much text. (`data/lineage/history.json` has the recipe, `data/README.md` how the table was made.)
#
# ## What we take along
#
# The baseline goes into the ledger, the file in which the course collects its results.

# %%
from lass_lab.course import ledger

for (name, source, metric), number in whole.items():
    if name == "tiny":
        unit = "dB" if "SDR" in metric else ""
        ledger.record("03_pretrained_baseline", f"{source}, {metric} before fine-tuning", number, unit)
for source, row in floors.items():
    ledger.record("03_pretrained_baseline", f"{source}, SDR by subtraction", row["subtraction"], "dB")
ledger.read("03_pretrained_baseline")[["name", "value", "unit", "profile"]].style.format({"value": "{:.3g}"})

# %% [markdown]
# - A separator is a query network and a separation network; the query acts as a shift before each convolution.
# - The separation network returns a mask: a share of the magnitude and a turn of the phase.
# - A number means something above the highest floor: mixture, silence, subtraction.
# - A sound that was never taught may be found under another name; a word that was never taught gets a
#   neighbour's sound, some of everything, or next to nothing.
# - Rendered music flatters: on real performances the same model gains less.

# %%
from lass_lab.course.quiz import quiz

quiz("03")

# %% [markdown]
# **Try:** change the slice at the top to `.slice(95, 5)`, or `words` to words of your own, predict what will change,
# and run all cells again. Which of your predictions were wrong?
#
# The answers to the exercises are in [the solutions](solutions/03_pretrained_baseline.ipynb).
#
# The notebooks from here on teach the separator the trumpet: 04 slices the two training duets, 05 and 06 fine-tune on
# them, 07 measures again.
