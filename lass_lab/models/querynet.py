"""Query networks: words in, a condition out, a 512-d unit vector that names a sound."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lass_lab.models.sentence_encoder import SentenceEncoder, sentence_encoder_folder
from lass_lab.signal.files import InputError

CONDITION_SIZE = 512
CACHED_QUERIES = 4096


class TinyQueryNet(nn.Module):
    """The tiny tier's query network: a sentence encoder and a projection to the condition.

    The projection has the shape of CLAP's text projection (Wu et al., 2023): linear, ReLU, linear, unit length.
    Differentiable end to end. While the sentence encoder is frozen, its output is computed once per sentence.

    Args:
        hidden: width between the projection's two layers.
        encoder: the sentence encoder; None loads the official one.
    """

    def __init__(self, hidden: int = 512, encoder: SentenceEncoder | None = None) -> None:
        super().__init__()
        self.encoder = encoder or SentenceEncoder(sentence_encoder_folder())
        self.projection = nn.Sequential(
            nn.Linear(SentenceEncoder.size, hidden), nn.ReLU(), nn.Linear(hidden, CONDITION_SIZE)
        )
        self.config = {"hidden": hidden}
        self._sentences: OrderedDict[str, Tensor] = OrderedDict()
        self.freeze_encoder()

    def freeze_encoder(self, frozen: bool = True) -> "TinyQueryNet":
        """Hold the sentence encoder still (no gradients, no dropout), or let it learn."""
        self.encoder.requires_grad_(not frozen)
        self._sentences.clear()
        return self.train(self.training)

    @property
    def encoder_frozen(self) -> bool:
        return not any(parameter.requires_grad for parameter in self.encoder.parameters())

    def train(self, mode: bool = True) -> "TinyQueryNet":
        super().train(mode)
        if self.encoder_frozen:
            self.encoder.eval()  # its dropout would blur every query of a network that is meant to stand still
        return self

    def forward(self, queries: Sequence[str]) -> Tensor:
        """Queries -> conditions.

        Args:
            queries: words, one string an item, at least one.

        Returns:
            `(len(queries), 512)`, each row of length one.

        Raises:
            InputError: no query, or one that is not a string or holds no words.
        """
        check_queries(queries)
        sentences = self._frozen_sentences(queries) if self.encoder_frozen else self.encoder(queries)
        return nn.functional.normalize(self.projection(sentences), dim=-1)

    def _frozen_sentences(self, queries: Sequence[str]) -> Tensor:
        device = self.projection[0].weight.device
        if new := [query for query in dict.fromkeys(queries) if query not in self._sentences]:
            with torch.no_grad(), torch.autocast(device.type, enabled=False):
                for query, vector in zip(new, self.encoder(new).cpu(), strict=True):
                    self._sentences[query] = vector
        batch = torch.stack([self._sentences[query] for query in queries]).to(device)
        while len(self._sentences) > CACHED_QUERIES:
            self._sentences.popitem(last=False)
        return batch


def check_queries(queries: Sequence[str]) -> None:
    """Raise InputError unless `queries` is one or more strings, each with something in it."""
    if isinstance(queries, str) or not len(queries):
        raise InputError(f"queries: needs a list of at least one query, got {queries!r}")
    for query in queries:
        if not isinstance(query, str):
            raise InputError(f"query: needs words (a string), got {type(query).__name__}")
        if not query.strip():
            raise InputError("query: is empty; name a sound, for example 'violin'")
