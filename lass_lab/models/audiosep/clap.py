"""The full-size query network: CLAP's text tower and, where laion-clap is installed, its audio tower."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lass_lab.models.audiosep.clap_audio import ClapAudioTower
from lass_lab.models.querynet import QueryNet, projection
from lass_lab.models.sentence_encoder import tokenized
from lass_lab.models.separator import check_tensors, read_tensors
from lass_lab.signal.files import InputError, cache_dir

WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"

# RoBERTa-base (Liu et al., 2019), as published; transformers' own defaults are not quite these.
ROBERTA_BASE = {
    "vocab_size": 50265,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
}


class RobertaEncoder(nn.Module):
    """Sentences to RoBERTa's pooled outputs, `(sentences, hidden_size)`. Differentiable.

    Built from its sizes and filled from the checkpoint, so that the hub is asked for the tokenizer alone. Queries are
    padded to the longest of them; the original pads to 512 tokens, which gives the same vectors and takes longer.

    Raises InputError where the `tokenizer`, RoBERTa's tokenizer.json, is missing, damaged, or another one.
    """

    def __init__(self, tokenizer: Path) -> None:
        super().__init__()
        from transformers import RobertaConfig, RobertaModel

        self.tokenizer = read_tokenizer(tokenizer)
        self.tokenizer.enable_truncation(ROBERTA_BASE["max_position_embeddings"] - 2)  # two positions are never used
        self.tokenizer.enable_padding(pad_id=1, pad_token="<pad>")
        self.roberta = RobertaModel(RobertaConfig(**ROBERTA_BASE))

    def forward(self, sentences: Sequence[str]) -> Tensor:
        """Sentences -> `(len(sentences), hidden_size)`."""
        return self.roberta(**tokenized(self.tokenizer, sentences, self.roberta.device)).pooler_output


class ClapQueryNet(QueryNet):
    """AudioSep's query network: CLAP (Wu et al., 2023) with RoBERTa-base for words and HTSAT-base for sounds.

    Words: pooled output, 768 -> 512, ReLU, 512 -> 512, unit length. They need no package beside transformers. Sounds
    need laion-clap; their tower is always frozen. Differentiable in the words' encoder and projection.

    Args:
        folder: as `fetching.write_clap` writes it to the cache; None takes that one.
        low_rank: rank of the maps beside the encoder's attention, where fine-tuning put some.

    Raises:
        InputError: the folder, or one of its files, is missing, damaged, or does not fit.
    """

    published = ("encoder.", "projection.")

    def __init__(self, folder: Path | None = None, low_rank: int = 0) -> None:
        super().__init__()
        self.folder = folder = Path(folder or cached_folder())
        if not (folder / WEIGHTS).is_file():
            raise InputError(f"{folder}: CLAP's weights are not there yet; fetch them with: lass-lab weights")
        with torch.random.fork_rng():  # a random start that is overwritten at once must not move the run's own seed
            self.encoder = RobertaEncoder(folder / TOKENIZER)
            self.projection = projection(ROBERTA_BASE["hidden_size"])
        self.audio_tower = ClapAudioTower(folder / WEIGHTS)
        self.config = {}
        words = self.published_state()
        check_tensors(words, self.state_dict(), folder / WEIGHTS)
        self.load_state_dict(words)
        if low_rank:
            self.add_low_rank(low_rank)
        self.freeze_encoder()

    def published_state(self) -> dict[str, Tensor]:
        return read_tensors(self.folder / WEIGHTS, lambda key: key.startswith(self.published))


def cached_folder() -> Path:
    """Where the cache has CLAP, once it was fetched."""
    return cache_dir() / "clap"


def word_shapes(sizes: dict[str, Any]) -> dict[str, Tensor]:
    """Tensors without data, by the keys of a `ClapQueryNet` of these sizes: what its state must look like."""
    from transformers import RobertaConfig, RobertaModel

    with torch.device("meta"):
        parts = {
            "encoder.roberta.": RobertaModel(RobertaConfig(**sizes)),
            "projection.": projection(sizes["hidden_size"]),
        }
    return {prefix + key: value for prefix, part in parts.items() for key, value in part.state_dict().items()}


def read_tokenizer(path: Path) -> Any:
    """RoBERTa's tokenizer, of a tokenizer.json, once it is known to hold as many entries as RoBERTa's.

    Raises:
        InputError: missing, damaged, or of another size: with fewer, every query would be encoded nearly alike.
    """
    from tokenizers import Tokenizer

    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises the bare class
        raise InputError(f"{path}: not a tokenizer ({error})") from error
    if (found := tokenizer.get_vocab_size()) != (entries := ROBERTA_BASE["vocab_size"]):
        raise InputError(f"{path}: a tokenizer of {found:,} entries, RoBERTa's has {entries:,}")
    return tokenizer
