"""A made CLAP: the layout of the real one at sizes that take no time, and a tokenizer in place of the hub's."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from torch import Tensor

from lass_lab.models.audiosep import clap, fetching
from tests.models.made import FIXTURES, draw

SMALL = clap.ROBERTA_BASE | {
    "vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48,
    "max_position_embeddings": 34,
}  # fmt: skip
COUNT = "text_branch.embeddings.position_ids"
AUDIO = {
    "audio_branch.linear.weight": [1024, 4],
    "audio_branch.linear.bias": [1024],
    "audio_projection.0.weight": [512, 1024],
    "audio_projection.0.bias": [512],
    "audio_projection.2.weight": [512, 512],
    "audio_projection.2.bias": [512],
}


def real_shapes() -> dict[str, list[int]]:
    """Keys and shapes of the full-size CLAP."""
    return json.loads((FIXTURES / "clap_state_dict.json").read_text())


def made_clap_state(prefix: str = "", count: bool = False) -> dict[str, Tensor]:
    """CLAP's keys at the sizes of `SMALL`, with the audio tower of `FAKE_HTSAT`."""
    names = {
        ours: theirs for theirs, ours in (("text_branch.", "encoder.roberta."), ("text_projection.", "projection."))
    }
    shapes = dict(AUDIO) | {"logit_scale_a": [], "text_transform.sequential.0.weight": [512, 512]}
    for key, value in clap.word_shapes(SMALL).items():
        ours = next(part for part in names if key.startswith(part))
        shapes[names[ours] + key.removeprefix(ours)] = list(value.shape)
    state = {prefix + key: draw(key, shape, salt=0) + key.endswith("LayerNorm.weight") for key, shape in shapes.items()}
    if count:
        state[prefix + COUNT] = torch.arange(SMALL["max_position_embeddings"])[None]
    return state


def write_tokenizer(path: Path, entries: int = SMALL["vocab_size"]) -> Path:
    """RoBERTa's kind of tokenizer (bytes, RoBERTa's marks), without its merges; filled up to `entries`."""
    words = ["<s>", "<pad>", "</s>", "<unk>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    words += [f"<extra{number}>" for number in range(entries - len(words))]
    tokenizer = Tokenizer(models.BPE(vocab={word: place for place, word in enumerate(words)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer.save(str(path))
    return path


def write_clap_folder(folder: Path, monkeypatch) -> Path:
    """The folder of a small `ClapQueryNet`, written as the real one is."""
    monkeypatch.setattr(clap, "ROBERTA_BASE", SMALL)
    folder.parent.mkdir(parents=True, exist_ok=True)
    tokenizer = write_tokenizer(folder.parent / "tokenizer.json")
    fetching.write_clap(fetching.clap_state(made_clap_state()), Path("made.pt"), tokenizer, folder)
    return folder


FAKE_HTSAT = """
from torch import nn
from .utils import do_mixup, interpolate

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 1024)
        self.heard = []

    def forward(self, inputs, device=None):
        self.heard.append(inputs["waveform"])
        return {"embedding": self.linear(inputs["waveform"].unflatten(1, (4, -1)).abs().mean(2))}

def create_htsat_model(sizes):
    assert (sizes.model_name, sizes.sample_rate) == ("base", 48_000)
    return Network()
"""


def write_fake_laion_clap(folder: Path, htsat: str = FAKE_HTSAT) -> None:
    """A package like laion-clap, whose own `__init__` files end the run, as the real ones do without a network."""
    module = folder / "laion_clap" / "clap_module"
    module.mkdir(parents=True)
    for package in (module.parent, module):
        (package / "__init__.py").write_text("raise OSError('asked the hub for a tokenizer')\n")
    (module / "htsat.py").write_text(htsat)
    (folder / "torchlibrosa.py").write_text("")
