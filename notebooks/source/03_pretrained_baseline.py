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
# - see where a query enters, and what it changes;
# - measure the separator on a duet that it has never met, with error bars and a floor to compare with;
# - understand why it fails where it fails;
# - hear what it has over LASS-Net, the first system of its kind.
#
# {{time}}
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
# In which form does the network get to see sound? From the magnitudes of a short-time Fourier transform (STFT): how
# strong each frequency is, in each short window of time.

# %%
from lass_lab.course.plots import figure_html, show_spectrogram
from lass_lab.signal import stft

config = network.config
mixture = torch.from_numpy(excerpt.mixture)[None].to(separator.device)
spectrum = stft(mixture, config.n_fft, config.hop)
magnitude = spectrum.abs()[:, None]
print(f"{mixture.shape[-1]} samples -> {magnitude.shape[-2]} frames of {magnitude.shape[-1]} bins")
ax = show_spectrogram(excerpt.mixture, hop=config.hop, title="mixture", max_khz=8, db_range=50)
figure_html(ax, "What the separation network starts from: the magnitude of the mixture's STFT, here in decibels.")

# %% [markdown]
# The STFT is complex: beside each magnitude stands a phase. The phase is set aside for now; it comes back at the end.
#
# How loud a recording is should not matter, and faint harmonics should not vanish beside loud ones. So what the network
# sees are magnitudes divided by the level of the whole, to a power below 1. What do 20 dB less change?

# %%
seen, quieter = network.seen(spectrum), network.seen(0.1 * spectrum)
print(f"to the power of {config.compression}: largest change {(seen - quieter).abs().max().item():.1e}")
print(
    f"loudest over median point: {magnitude.max() / magnitude.median():.0f} before, "
    f"{seen.max() / seen.median():.1f} after"
)

# %% [markdown]
# ### From words to a condition
#
# How does a network take in words? The query network turns a query into its *condition*: 512 numbers, scaled so that
# their squares add up to one. For such vectors the inner product says how close two meanings are; 1 is the same.

# %%
import pandas as pd

queries = ["violin", "a fiddle", "trumpet", "piano"]
conditions = separator.query_network(queries)
closeness = (conditions @ conditions.T).cpu().numpy()
print(f"{len(queries)} queries -> {tuple(conditions.shape)}")
pd.DataFrame(closeness, queries, queries).round(2)

# %% [markdown]
# Read the first row: to which of the other three is *violin* closest? The closer two conditions are, the harder it is
# for everything that follows to treat them differently.
#
# ### Where the query enters
#
# The separation network is a stack of convolutions. Where can 512 numbers get in? In every normalisation in front of
# a convolution, by *feature-wise linear modulation* (FiLM). This is all there is to it:

# %%
import inspect

from lass_lab.models.layers import ConditionedNorm

print(inspect.getsource(ConditionedNorm))

# %% [markdown]
# One linear layer reads a shift, `beta`, off the condition: one number for each feature channel, the same at all times
# and frequencies. The leaky ReLU behind it lets through what is above zero, so a shift opens some channels and closes
# others. Do different queries open different channels? We look in the middle of the network.

# %%
from lass_lab.course.nb03.plots import show_shifts

betas = network.bottleneck.norm1.film(conditions).cpu()
distance = (betas - betas[0]).abs().mean(dim=1).tolist()
print({query: round(value, 3) for query, value in zip(queries, distance, strict=True)})
ax = show_shifts(dict(zip(queries, betas, strict=True)))
figure_html(ax, "The shifts beta in the middle of the network: a row a query, a column a feature channel.")

# %% [markdown]
# The printed numbers say how far each row is from the first, on average. Rows that look alike make the network do
# alike: look for columns in which *violin* and *trumpet* differ. Every other layer has such shifts of its own, and the
# query acts nowhere else.
#
# ### A U-Net
#
# What happens to the picture on the way? We listen in on every block and write down the size of what comes out.

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
# Read downwards: frames and bins shrink while channels grow, and then the same way back. That is the U. In
# the middle one point sees a long stretch of time and many harmonics at once, enough to tell instruments apart; each
# decoder block also gets the encoder's features of its own size, so that fine detail is not lost.
#
# ### Three mask channels
#
# What does the network say in the end? Not a sound, but three numbers for each point of the picture. The last layer
# gives them their meaning.

# %%
from lass_lab.models.heads import AudioSepHead

print(inspect.getsource(AudioSepHead))

# %% [markdown]
# Channel 0, squeezed between 0 and 1, says which share of the mixture's magnitude to keep. Channels 1 and 2 are the
# real and imaginary part of a direction, by which the mixture's phase is turned. What do they say for "violin"?

# %%
from lass_lab.course.nb03.plots import show_mask_channels

figure = show_mask_channels(logits[0].cpu(), magnitude[0, 0].cpu(), hop=config.hop)
caption = "The mask channels for “violin”: the share to keep, and the direction to turn by; blank where all is quiet."
figure_html(figure, caption)

# %% [markdown]
# In channel 0, look for bright ladders: harmonics that the network gives to the violin. Where channel 1 is near 1 and
# channel 2 near 0, the phase stays as it is.
#
# **Exercise 1.** Make one complex mask of the three channels, given as NumPy arrays of one shape: the *share* is the
# sigmoid of the first, `tanh` of the others are the real and the imaginary part of a *direction*, and a direction has
# length one. The answer is the share times the direction.

# %%
from lass_lab.course.nb03.checks import check_mask


def make_mask(size, across, up):
    """Logits of channel 0, 1 and 2 -> a complex mask of their shape."""
    return ...


check_mask(make_mask)

# %% [markdown]
# ### Back to sound
#
# The mask times the mixture's STFT is the estimate's STFT, and the inverse STFT makes it sound. Does our walk through
# the parts end where the separation network itself does?

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
# The mask may turn phases; how much does it make of that? Leave the turn out, keep channel 0 alone, and measure both
# against the true violin, in SDR as in notebook 01. Predict first: is the turn worth 0, 1 or 5 dB?

# %%
from lass_lab.models.heads import scaling_mask
from lass_lab.signal import sdr

share = istft(scaling_mask(logits) * spectrum, mixture.shape[-1], config.hop)
for name, heard in {"share and turn": estimate, "the share alone": share}.items():
    print(f"{name}: {sdr(excerpt.sources['violin'], heard[0].cpu().numpy()):.3f} dB")

# %% [markdown]
# Where the two agree, the network has not learnt to turn anything: it sees magnitudes alone, and which way a phase
# lies they hardly tell. Then the ceiling over it is not notebook 01's *mask with phase*, but the *phase-sensitive*
# one, many decibels lower. Keep it in mind when, in a later notebook, numbers stop rising.
#
# ### How large is it?
#
# The model you just used is *tiny*. How does it compare with the AudioSep that the paper fine-tunes? Both are the
# same class with different sizes, so we can build AudioSep's layout (without its weights) and count.

# %%
from lass_lab.models import ResUNet, ResUNetConfig

with torch.device("meta"):  # shapes alone, no memory
    large = ResUNet(ResUNetConfig.audiosep())
parts = ["encoder", "bottleneck", "decoder", "head"]
rows = {
    name: {part: sum(p.numel() for p in getattr(net, part).parameters()) for part in parts}
    | {"all": sum(p.numel() for p in net.parameters()), "hop (samples)": net.config.hop}
    for name, net in {"tiny": network, "AudioSep": large}.items()
}
print(f"AudioSep's separation network is {rows['AudioSep']['all'] / rows['tiny']['all']:.0f} times as large")
pd.DataFrame(rows).T.style.format("{:,}")

# %% [markdown]
# These are trainable parameters of the separation network; the hop is the step from frame to frame, so a smaller one
# means more frames a second to compute. The head is a rounding error in both: three small filters. Keep that
# in mind for the phases of fine-tuning, where the paper replaces exactly this layer.
#
# ## Part 2: how good is it?
#
# Listening has limits; we want numbers. For every query we compare the estimate with the true source:
#
# - **SDR**, the signal-to-distortion ratio in dB: the source's energy over the error's. Higher is better.
# - **SDRi**, its improvement: SDR minus what the untouched mixture scores.
# - **SI-SDR**, which forgives a wrong volume and nothing else.
# - **correlation** and **MSE** (mean squared error), of the two magnitude spectrograms.
#
# `evaluate` measures the whole piece and each of its 5 s slices. The *mixture* itself takes part as the separator
# that does nothing: whoever is no better has not separated. How does our separator do?

# %%
from lass_lab.course.plots import results_table
from lass_lab.experiments.evaluation import evaluate, summarise

pieces = list_pieces("test")[: profile.pieces]
table = evaluate({"tiny": separator}, pieces, longest=profile.seconds)
summary = summarise(table)
results_table(summary, intervals=True)

# %% [markdown]
# Every entry is a mean over slices and, in brackets, the 95% interval in which that mean would probably lie for
# other slices of the same piece. It says nothing about other pieces, let alone other violins. Compare *tiny* with
# *mixture*, once for each source: is it better, and do the intervals keep apart? The same in one picture:

# %%
from lass_lab.course.plots import show_metric_bars

bars = summary.assign(value=summary["mean"])
ax = show_metric_bars(bars, metric="SDR")
n_slices = int(summary["slices"].min())
figure_html(ax, f"SDR by query on the held-out duet: mean and 95% interval over {n_slices} slices or more.")

# %% [markdown]
# ### A trap: silence
#
# How much of this improvement would a separator get that returns nothing at all? Its error is the source itself, so
# its SDR is 0 dB, always.

# %%
value = summary.set_index(["separator", "source", "metric"])["value"]
trap = {
    source: {
        "SDRi of silence": 0 - value["mixture", source, "SDR"],
        "SDRi of tiny": value["tiny", source, "SDRi"],
        "SI-SDR of the mixture": value["mixture", source, "SI-SDR"],
        "SI-SDR of tiny": value["tiny", source, "SI-SDR"],
    }
    for source in excerpt.sources
}
pd.DataFrame(trap).T.style.format("{:+.1f} dB")

# %% [markdown]
# Where the mixture scores below 0 dB, silence "improves" it: an SDRi no larger than silence's is no success. SI-SDR
# cannot be had that way, because it forgives the volume: an estimate whose SI-SDR is no higher than the mixture's is
# quieter than the mixture, perhaps, but not better separated.
#
# **Exercise 2.** Given improvements and the mixtures' SDRs, two arrays in dB: which estimates are better than silence?

# %%
from lass_lab.course.nb03.checks import check_beats_silence


def beats_silence(gained, before):
    """True for each estimate that is better than silence; both arrays are in dB, one entry an estimate."""
    return ...


check_beats_silence(beats_silence)

# %% [markdown]
# ### Beside the paper
#
# The paper this course follows measured the full-size pretrained AudioSep on its own violin and trumpet duets. Do we
# see the same picture?

# %%
from lass_lab.experiments.paper_tables import paper_results

ours = summary.assign(separator=summary["separator"] + ", here")
results_table(pd.concat([ours, paper_results("pretrained")]))

# %% [markdown]
# Here an entry is the value over the whole recording. This is no contest: other recordings, a model of another size,
# and the paper does not say what its correlation and MSE are taken of. What can be compared is the pattern. In the
# paper the violin is a success and the trumpet a failure, and a bad one: its SDRi is negative, so the estimate is
# *worse than the mixture*. Which pattern do our rows show? A failure need not look like that one: what does the trap
# above say of our trumpet? One more thing to check in any such table: SDR minus SDRi is the mixture's own SDR.
#
# ## Part 3: look, listen, explain
#
# What do these numbers look like? All six panels have the same colours, so brightness can be compared among them.

# %%
from IPython.display import HTML

from lass_lab.course.plots import compare_spectrograms

estimates = dict(zip(excerpt.sources, separator.separate(excerpt.mixture, list(excerpt.sources)), strict=True))
page = ""
for name, source in excerpt.sources.items():
    panels = {"mixture": excerpt.mixture, f"target: {name}": source, f"estimate for “{name}”": estimates[name]}
    figure = compare_spectrograms(panels, max_khz=8, db_range=50, reference_db=-20)
    page += figure_html(figure, f"Asked for the {name}: mixture, target and estimate.").data
HTML(page)

# %% [markdown]
# In each row, compare the right panel with the middle one: what is left over, and what is missing? A panel that is dark
# all over is an answer, too. And listen; players make everything equally loud, even what is next to nothing:

# %%
page = ""
for name, source in excerpt.sources.items():
    page += players({f"target: {name}": source, f"estimate for “{name}”": estimates[name]}).data
HTML(page)

# %% [markdown]
# ### Why the trumpet?
#
# What was this model taught? It learned to answer for these instruments, for voices, and for some everyday sounds. A
# few more instruments played in its mixtures, to be rejected and never asked for; a trumpet never did.

# %%
import textwrap

from lass_lab.datasets.instruments import EVERYDAY, TAUGHT, VOICES

for kind in (TAUGHT, VOICES, EVERYDAY):
    print(textwrap.fill(", ".join(kind), 90))
print(f"\nthe violin is among them: {'violin' in TAUGHT}; the trumpet: {'trumpet' in TAUGHT}")

# %% [markdown]
# The word *trumpet* has a condition all the same, somewhere among the conditions of words that were taught. So what
# does the separator hear when we ask for it? We compare the estimates with both sources, by the correlation
# of their spectrograms, and beside them the mixture, which anybody has for nothing.

# %%
from lass_lab.signal import spectral_correlation

sounds = {f"asked for the {query}": estimate for query, estimate in estimates.items()} | {"mixture": excerpt.mixture}
heard = pd.DataFrame(
    {
        f"like the {name}": [spectral_correlation(source, sound) for sound in sounds.values()]
        for name, source in excerpt.sources.items()
    },
    index=list(sounds),
)
heard.round(3)

# %% [markdown]
# A separator that follows the words has the largest number of each column where that instrument was asked for. Is it
# larger than the mixture's? An estimate that is less like its target than the mixture has lost more than it found.
#
# Might other words for the same sound do better? Among the instruments that were taught are relatives of the trumpet,
# other brass. We ask for each of them and for the family, and measure against the true trumpet.

# %%
from lass_lab.datasets.instruments import INSTRUMENTS

brass = [name for name, instrument in INSTRUMENTS.items() if instrument.family == "brass"]
words = {"trumpet": ["brass", *brass]}
asked = summarise(evaluate({"tiny": separator}, pieces, words, longest=profile.seconds))
ax = show_metric_bars(asked.assign(value=asked["mean"]), metric="SDR")
figure_html(ax, "Asking for the trumpet in other words: SDR against the true trumpet, mean and interval over slices.")

# %% [markdown]
# Compare the bars with the mixture's, and with 0 dB, the score of silence. If one of these words does better than
# *trumpet*, part of the failure is in the query network, which does not know what the word means; if none does, the
# separation network has not learned the sound either. Fine-tuning has to mend the one that is at fault, which is one
# reason to do it in two phases.
#
# ## Part 4: where this separator comes from
#
# AudioSep is not the first of its kind. LASS-Net (2022) was, and had the same two networks. Its query network was a
# small transformer that knew no sound, and learnt what words sound like from the separation network's errors alone;
# its mask kept the mixture's phase. Both are settings here. How far apart are its words before any training?

# %%
from dataclasses import replace

from lass_lab.course.nb03.lass_net import TransformerQueryNet
from lass_lab.models import LanguageSeparator
from lass_lab.models.heads import MagnitudeHead

lass_net = LanguageSeparator(TransformerQueryNet(), ResUNet(replace(config, head="magnitude"))).eval()
print(inspect.getsource(MagnitudeHead))
fresh = lass_net.query_network(queries)
pd.DataFrame((fresh @ fresh.T).numpy(), queries, queries).round(2)

# %% [markdown]
# Compare with the same table of *tiny* in part 1, whose query network had learnt its words from sounds beforehand. How
# far does either way lead? Three systems, each with one thing changed, were trained on eight instruments, by one recipe
# and for the same number of steps; the transformer began at random, too (LASS-Net's own had read much text before).
# Predict: what is gained by the words, and what by the phase? More in words that were taught, or in others? The last
# row checks the answer: it is the third system with its turn left out again, and nothing else done to it.

# %%
from lass_lab.course.nb03.lineage import lineage_sounds, lineage_table

lineage_table()

# %% [markdown]
# Every entry is an SDRi in dB, with its 95% interval where it is a mean. Read downwards: from the first row to the
# second only the words changed, from there to the third only the mask. Where the fourth row is as good as the third,
# whatever the third has over the second is not the turn; it may be chance, or that three channels are easier to train
# than one. Then read each row from left to right: what do words cost that nobody taught? Steps whose intervals overlap
# decide nothing. (`data/lineage/history.json` has the recipe, `data/README.md` how the table was made.)
#
# Keep a floor in mind here, too. Of two sources that are equally loud, half of the mixture has an SDRi of 3 dB,
# whichever was asked for. Which rows stay below? And where the first two columns of a row agree in everything, words
# have no say: all answers are one answer, and as long as they are, hardly a gradient tells one word from another. The
# violin of our excerpt, by each of the three:

# %%
players(lineage_sounds())

# %% [markdown]
# All three had a fraction of the training that *tiny* had, on a third of its instruments, and the real LASS-Net learnt
# for far longer. What they show is the order in which things are learnt cheaply: words from sounds first, and then to
# separate by them. The course keeps to it: phase 1 freezes the query network.
#
# ## What we take along
#
# The baseline goes into the ledger, the file in which the course collects its results.

# %%
from lass_lab.course import ledger

for (name, source, metric), number in value.items():
    if name == "tiny":
        unit = "dB" if "SDR" in metric else ""
        ledger.record("03_pretrained_baseline", f"{source}, {metric} before fine-tuning", number, unit)
ledger.read("03_pretrained_baseline")[["name", "value", "unit", "profile"]].round(4)

# %% [markdown]
# These are the numbers to beat, and they were measured on a piece that stays out of every training to come.
#
# - A separator is a query network and a separation network; the query acts as a shift before each convolution.
# - The separation network returns a mask: a share of the magnitude and a turn of the phase.
# - A number means something beside a floor (the mixture, silence) and with an interval.
# - What a model was never taught, it cannot find: it guesses, or answers with silence.
# - Words learnt from sounds beforehand are what makes separating by words quick to learn.
#
# **Try:** change the slice at the top to `.slice(95, 5)`, or `queries` to words of your own, predict what will change,
# and run all cells again. Which of your predictions were wrong?
#
# The answers to the exercises are in [the solutions](solutions/03_pretrained_baseline.ipynb).
#
# The notebooks from here on teach the separator the trumpet: 04 slices the two training duets, 05 and 06 fine-tune
# on them, 07 measures again.
