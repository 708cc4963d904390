"""Query networks: words or a sound in, a condition out, a 512-d unit vector that names a sound."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lass_lab.models.sentence_encoder import SentenceEncoder, official_weights
from lass_lab.signal.audio import SAMPLE_RATE, checked_waveform
from lass_lab.signal.files import InputError
from lass_lab.signal.spectral import mel_spectrogram

Query = str | np.ndarray | Tensor  # words, or a sound: (samples,) at 32 kHz

CONDITION_SIZE = 512
SENTENCES_AT_ONCE = 64  # in one pass of the sentence encoder; each costs what the longest does
ENCODERS = ("frozen", "low-rank", "top", "whole")  # how much of the sentence encoder may learn
RANK = 8
SHORTEST_S, LONGEST_S = 0.25, 10.0  # of a sound that serves as a query; what is longer is cut, as CLAP does
FLOOR = 1e-10  # on the mel power, under the log


class QueryNet(nn.Module):
    """What every query network does; a subclass sets up the four parts named below, then calls `freeze_encoder()`.

    Words go through a sentence encoder and a projection to unit length, sounds through an audio tower; both end in one
    space. While the sentence encoder is frozen, its output is computed once per sentence.

    Attributes:
        encoder: sentences to vectors, `(sentences, size)`.
        projection: those vectors to 512 numbers.
        audio_tower: waveforms `(batch, samples)`, 32 kHz, to conditions.
        config: what to call the class with to make one of these sizes again.
        published: prefixes of the tensors that were published and that every new one starts from.
    """

    encoder: nn.Module
    projection: nn.Sequential
    audio_tower: nn.Module
    config: dict[str, Any]
    published: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self._sentences: dict[str, Tensor] = {}

    def published_keys(self) -> set[str]:
        """Keys of the `state_dict` that need not be stored, unless training changed what they name."""
        return {key for key in self.state_dict() if key.startswith(self.published) and ".lora_" not in key}

    def published_state(self) -> dict[str, Tensor]:
        """The published tensors, by the keys of a new one's `state_dict`."""
        return {}

    def official_state(self) -> dict[str, Tensor]:
        """The same by the keys of this one's `state_dict`."""
        published = self.published_state()
        return {key: published[key.replace(".base_layer.", ".")] for key in self.published_keys()}  # peft moves them

    def forget_sentences(self) -> None:
        """Compute every sentence anew: to be called after weights were changed in place."""
        self._sentences.clear()

    def _load_from_state_dict(self, *args: Any) -> None:
        self.forget_sentences()  # they are the old weights'
        super()._load_from_state_dict(*args)

    def freeze_encoder(self, frozen: bool = True) -> "QueryNet":
        """Freeze the sentence encoder (no gradients, no dropout), or let it learn."""
        self.encoder.requires_grad_(not frozen)
        self._sentences.clear()
        return self.train(self.training)

    def learn(self, encoder: str = "low-rank") -> "QueryNet":
        """Let the words' projection learn, and as much of the sentence encoder as is said; the audio tower is frozen.

        Args:
            encoder: "frozen": nothing of it; "low-rank": beside the queries and values of its attention, maps of rank
                8 that start at zero (Hu et al., "LoRA", 2021), so that little need be stored; "top": its last layer;
                "whole": all of it.

        Raises:
            InputError: none of these.
        """
        if encoder not in ENCODERS:
            raise InputError(f"encoder '{encoder}': choose one of {', '.join(ENCODERS)}")
        self.freeze_encoder(encoder != "whole")
        if encoder == "low-rank":
            self.add_low_rank()
        elif encoder == "top":
            next(self.encoder.children()).encoder.layer[-1].requires_grad_(True)
        self.projection.requires_grad_(True)
        self.audio_tower.requires_grad_(False)
        return self.train(self.training)

    def add_low_rank(self, rank: int = RANK) -> None:
        """Put low-rank maps that learn beside the frozen encoder's attention; they start at zero."""
        from peft import LoraConfig, inject_adapter_in_model

        if not self.config.get("low_rank"):
            adapters = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=["query", "value"])
            inject_adapter_in_model(adapters, next(self.encoder.children()))
            self.config |= {"low_rank": rank}
        for name, parameter in self.encoder.named_parameters():
            parameter.requires_grad_("lora_" in name)

    @property
    def encoder_frozen(self) -> bool:
        return not any(parameter.requires_grad for parameter in self.encoder.parameters())

    def train(self, mode: bool = True) -> "QueryNet":
        super().train(mode)
        self.encoder.eval()  # also where it learns: with dropout a query would be another one at every step
        for part in (self.projection, self.audio_tower):
            if not any(parameter.requires_grad for parameter in part.parameters()):
                part.eval()  # batch statistics would change what is frozen
        return self

    def forward(self, queries: Sequence[Query]) -> Tensor:
        """Queries -> conditions.

        Args:
            queries: at least one; each words (a string), or a sound (`(samples,)`, 32 kHz, NumPy or torch), of which
                the first 10 s count.

        Returns:
            `(len(queries), 512)`, each row of length one.

        Raises:
            InputError: no query, one that is neither words nor sound or holds none, or a sound under 0.25 s.
        """
        queries = checked_queries(queries)
        groups: dict[int, list[int]] = {}  # sounds of one length go through in one batch, and so do all words (0)
        for place, query in enumerate(queries):
            length = 0 if isinstance(query, str) else len(query)
            groups.setdefault(length, []).append(place)
        parts = [self._conditions([queries[place] for place in groups[length]], length) for length in sorted(groups)]
        order = torch.tensor([place for length in sorted(groups) for place in groups[length]], device=parts[0].device)
        return torch.cat([part.float() for part in parts])[order.argsort()]

    def _conditions(self, queries: Sequence[Query], length: int) -> Tensor:
        """Words (of length 0), or sounds of so many samples -> conditions."""
        if length:
            sounds = torch.from_numpy(np.stack(queries))
            return self.audio_tower(sounds.to(self.projection[0].weight.device))
        sentences = self._frozen_sentences(queries) if self.encoder_frozen else self.encoder(queries)
        return functional.normalize(self.projection(sentences), dim=-1)

    def _frozen_sentences(self, queries: Sequence[str]) -> Tensor:
        device = self.projection[0].weight.device
        if new := [query for query in dict.fromkeys(queries) if query not in self._sentences]:
            # A sentence's last bits depend on its batch, and a resumed run must get what an unbroken one would have.
            size = 1 if self.training else SENTENCES_AT_ONCE
            groups = [new[start : start + size] for start in range(0, len(new), size)]
            with torch.no_grad(), torch.autocast(device.type, enabled=False):
                for group in groups:
                    self._sentences.update(zip(group, self.encoder(group).cpu(), strict=True))
        return torch.stack([self._sentences[query] for query in queries]).to(device)


class AudioTower(nn.Module):
    """Log-mel spectrogram, four pooled 3x3 convolutions, the mean over time, and one linear layer.

    CLAP's audio tower (HTSAT-base; Wu et al., 2023) has 28 M parameters, this one half a million. How loud a sound is
    does not matter: its log-mel spectrogram is taken relative to its own mean.
    """

    mels, n_fft, hop, channels = 64, 2048, 640, (32, 64, 128, 128)

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((1, *self.channels[:-1]), self.channels, strict=True):
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            layers += [nn.AvgPool2d(2, ceil_mode=True)]
        self.features = nn.Sequential(*layers)
        self.projection = nn.Linear(self.channels[-1] * (self.mels >> len(self.channels)), CONDITION_SIZE)
        self.to(memory_format=torch.channels_last)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Waveforms `(batch, samples)`, 32 kHz -> conditions `(batch, 512)`, each row of length one."""
        power = mel_spectrogram(waveforms.float(), self.mels, self.n_fft, self.hop)
        level = (power + FLOOR).log()
        level = level - level.mean((1, 2), keepdim=True)
        features = self.features(level[:, None].contiguous(memory_format=torch.channels_last))
        pooled = features.mean(2).flatten(1)  # over time; what is left of frequency stays apart
        return functional.normalize(self.projection(pooled), dim=-1)


class TinyQueryNet(QueryNet):
    """The tiny tier's query network: a CLAP in miniature (Wu et al., 2023).

    Its projection and its small `AudioTower` were made by contrastive training. Differentiable end to end.

    Args:
        hidden: width between the projection's two layers.
        encoder: the sentence encoder; None loads the official one.
        low_rank: rank of the maps beside its attention, where fine-tuning put some (see `learn`).
    """

    published = ("encoder.bert.",)

    def __init__(self, hidden: int = 512, encoder: SentenceEncoder | None = None, low_rank: int = 0) -> None:
        super().__init__()
        self.encoder = encoder or SentenceEncoder()
        self.projection = projection(SentenceEncoder.size, hidden)
        self.audio_tower = AudioTower()
        self.config = {"hidden": hidden}
        if low_rank:
            self.add_low_rank(low_rank)
        self.freeze_encoder()

    def published_state(self) -> dict[str, Tensor]:
        return {f"encoder.bert.{key}": value for key, value in official_weights().items()}


def projection(size: int, hidden: int = CONDITION_SIZE) -> nn.Sequential:
    """CLAP's projection of `size` numbers into the space of conditions; the unit length comes after."""
    return nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, CONDITION_SIZE))


def checked_queries(queries: Sequence[Query]) -> list[Query]:
    """The queries, sounds as `as_sound` makes them. Raises InputError where one is neither words nor a sound."""
    if isinstance(queries, str) or not len(queries):
        raise InputError(f"queries: needs a list of at least one query, got {queries!r}")
    for query in queries:
        if isinstance(query, (np.ndarray, Tensor)):
            continue
        if not isinstance(query, str):
            raise InputError(f"query: needs words (a string) or a sound (an array), got {type(query).__name__}")
        if not query.strip():
            raise InputError("query: is empty; name a sound, for example 'violin'")
        if re.search("[\ud800-\udfff]", query):
            raise InputError(f"query: {query!r} is not all text; it holds bytes that are no characters")
    return [query if isinstance(query, str) else as_sound(query) for query in queries]


def as_sound(sound: np.ndarray | Tensor, name: str = "query") -> np.ndarray:
    """A sound `(samples,)`, 32 kHz, as a query: float32, without a constant offset, and at most `LONGEST_S`.

    A silence of a second or more before it is left out, down to the last `SHORTEST_S`: an answer would be for the
    silence. Raises InputError, which begins with `name`, where it is no waveform, shorter than `SHORTEST_S`, or silent.
    """
    sound = checked_waveform(sound, name).astype(np.float32, copy=False)
    loud = np.abs(sound - np.median(sound))
    start = int(np.argmax(loud > loud.max() / 1000)) if loud.any() else 0
    shortest = round(SHORTEST_S * SAMPLE_RATE)
    sound = sound[min(start, len(sound) - shortest) :] if start > SAMPLE_RATE else sound
    if len(sound) < shortest:
        raise InputError(f"{name}: a sound of {len(sound) / SAMPLE_RATE:.2f} s is too short; {SHORTEST_S:g} s at least")
    if not loud.any():
        raise InputError(f"{name}: the sound is silent")
    sound = sound[: round(LONGEST_S * SAMPLE_RATE)]
    return sound - sound.mean(dtype=np.float64).astype(np.float32)
