"""The full-size query network: CLAP's text tower and, where laion-clap is installed, its audio tower."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from lass_lab.models.audiosep.clap_audio import ClapAudioTower
from lass_lab.models.audiosep.downloads import cache_dir
from lass_lab.models.querynet import CONDITION_SIZE, QueryNet
from lass_lab.signal.files import InputError

SIZES, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"

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
SPECIAL = {"<s>": 0, "<pad>": 1, "</s>": 2}
ALIKE = 0.999  # cosine above which two unlike queries say that something is broken


class RobertaEncoder(nn.Module):
    """Sentences to RoBERTa's pooled outputs, `(sentences, hidden_size)`. Differentiable.

    Built from its sizes and filled from the checkpoint, so that the hub is asked for the tokenizer alone. Queries are
    padded to the longest of them; the original pads to 512 tokens, which gives the same vectors and takes longer.

    Args:
        sizes: as `ROBERTA_BASE`.
        tokenizer: path of RoBERTa's tokenizer.json.

    Raises:
        InputError: the tokenizer is missing, damaged, or not that of these sizes.
    """

    def __init__(self, sizes: dict[str, Any], tokenizer: Path) -> None:
        super().__init__()
        from transformers import RobertaConfig, RobertaModel

        self.tokenizer = read_tokenizer(tokenizer, sizes["vocab_size"])
        self.tokenizer.enable_truncation(sizes["max_position_embeddings"] - 2)  # two positions are never used
        self.tokenizer.enable_padding(pad_id=SPECIAL["<pad>"], pad_token="<pad>")
        self.roberta = RobertaModel(RobertaConfig(**sizes))

    def forward(self, sentences: Sequence[str]) -> Tensor:
        """Sentences -> `(len(sentences), hidden_size)`."""
        tokens = self.tokenizer.encode_batch([str(sentence) for sentence in sentences])
        device = self.roberta.device
        ids = torch.tensor([token.ids for token in tokens], device=device)
        mask = torch.tensor([token.attention_mask for token in tokens], device=device)
        return self.roberta(input_ids=ids, attention_mask=mask).pooler_output


class ClapQueryNet(QueryNet):
    """AudioSep's query network: CLAP (Wu et al., 2023) with RoBERTa-base for words and HTSAT-base for sounds.

    Words: pooled output, 768 -> 512, ReLU, 512 -> 512, unit length. They need no package beside transformers. Sounds
    need laion-clap and stand still: nothing here trains their tower. Differentiable in the words' encoder and
    projection.

    Args:
        folder: as `weights.fetch_weights` writes it to the cache; None takes that one.
        low_rank: rank of the maps beside the encoder's attention, where fine-tuning put some.

    Raises:
        InputError: the folder, or one of its files, is missing, damaged, or does not fit.
    """

    def __init__(self, folder: Path | None = None, low_rank: int = 0) -> None:
        super().__init__()
        self.folder = folder = Path(folder) if folder else clap_folder()
        sizes = _read_sizes(folder / SIZES)
        with torch.random.fork_rng():  # a random start that is overwritten at once must not move the run's own seed
            self.encoder = RobertaEncoder(sizes, folder / TOKENIZER)
            self.projection = projection(sizes["hidden_size"])
        self.audio_tower = ClapAudioTower(folder / WEIGHTS)
        self.config = {}
        self.load_state_dict(self._read_words())
        self.freeze_encoder()
        self._check_apart()
        if low_rank:
            self.add_low_rank(low_rank)
            self.freeze_encoder()

    def published_state(self) -> dict[str, Tensor]:
        return load_file(self.folder / WEIGHTS)  # a memory map: what is not looked at is not read

    def _read_words(self) -> dict[str, Tensor]:
        path = self.folder / WEIGHTS
        try:
            with safe_open(path, framework="pt") as file:
                state = {key: file.get_tensor(key) for key in file.keys() if not key.startswith("audio_tower.")}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise InputError(f"{path}: not a whole safetensors file ({error})") from error
        check_shapes(state, self.state_dict(), path)
        return state

    def _check_apart(self) -> None:
        # Not through forward: that would keep the two sentences before weights of a fine-tuned folder come in.
        was_training = self.training
        self.eval()
        with torch.no_grad():
            first, second = nn.functional.normalize(self.projection(self.encoder(["violin", "trumpet"])), dim=-1)
        self.train(was_training)
        if not first @ second < ALIKE:  # also where one is NaN
            raise InputError(f"{self.folder}: 'violin' and 'trumpet' get the same condition: its files do not fit")


def projection(size: int) -> nn.Sequential:
    """CLAP's projection of `size` numbers into the space of conditions; the unit length comes after."""
    return nn.Sequential(nn.Linear(size, CONDITION_SIZE), nn.ReLU(), nn.Linear(CONDITION_SIZE, CONDITION_SIZE))


def word_shapes(sizes: dict[str, Any]) -> dict[str, Tensor]:
    """Tensors without data, by the keys of a `ClapQueryNet` of these sizes: what its state must look like."""
    from transformers import RobertaConfig, RobertaModel

    with torch.device("meta"):
        parts = {
            "encoder.roberta.": RobertaModel(RobertaConfig(**sizes)),
            "projection.": projection(sizes["hidden_size"]),
        }
    return {prefix + key: value for prefix, part in parts.items() for key, value in part.state_dict().items()}


def check_shapes(state: dict[str, Tensor], expected: dict[str, Tensor], path: Path) -> None:
    """Raise InputError unless `state` has the keys and shapes of `expected`."""
    if odd := sorted(state.keys() ^ expected.keys()):
        kind = "missing" if odd[0] in expected else "foreign"
        raise InputError(f"{path}: {len(odd)} of CLAP's key(s) missing or foreign, the first is {odd[0]} ({kind})")
    for key, value in expected.items():
        if state[key].shape != value.shape:
            found, asked = tuple(state[key].shape), tuple(value.shape)
            raise InputError(f"{path}: CLAP's {key} has shape {found}, not {asked}")


def read_tokenizer(path: Path, entries: int) -> Any:
    """RoBERTa's tokenizer, once it is known to be that.

    A tokenizer that could not be downloaded may come as an empty one, of five entries and without an error
    (transformers' RobertaTokenizer does so): every query is then encoded nearly alike.

    Args:
        path: a tokenizer.json.
        entries: what it must hold; RoBERTa's has 50,265.

    Raises:
        InputError: missing, damaged, of another size, or with its marks elsewhere.
    """
    from tokenizers import Tokenizer

    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises the bare class
        raise InputError(f"{path}: not a tokenizer ({error})") from error
    if (found := tokenizer.get_vocab_size()) != entries:
        raise InputError(f"{path}: a tokenizer of {found:,} entries, RoBERTa's has {entries:,}")
    if any(tokenizer.token_to_id(mark) != place for mark, place in SPECIAL.items()):
        raise InputError(f"{path}: a tokenizer whose marks {', '.join(SPECIAL)} are not RoBERTa's")
    violin, trumpet = (tokenizer.encode(word).ids for word in ("violin", "trumpet"))
    if violin == trumpet or violin[:1] != [SPECIAL["<s>"]] or violin[-1] != SPECIAL["</s>"]:
        raise InputError(f"{path}: a tokenizer that does not tell 'violin' from 'trumpet'")
    return tokenizer


def clap_folder() -> Path:
    """Where the cache has CLAP.

    Raises:
        InputError: it is not there yet.
    """
    folder = cache_dir() / "clap"
    if not (folder / SIZES).is_file():
        raise InputError(f"{folder}: CLAP's weights are not there yet; fetch them with: lass-lab weights")
    return folder


def _read_sizes(path: Path) -> dict[str, Any]:
    try:
        sizes = json.loads(path.read_text())["text"]
        return {name: sizes[name] for name in ROBERTA_BASE}
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: not the sizes of a CLAP ({error})") from error
