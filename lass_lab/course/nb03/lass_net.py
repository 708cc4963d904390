"""LASS-Net's kind of query network: a small transformer that learns its words together with the separation network."""

from torch import Tensor, nn

from lass_lab.models.querynet import QueryNet, projection
from lass_lab.models.sentence_encoder import LONGEST, TokenMean
from lass_lab.signal.files import InputError

VOCABULARY = 30_522  # word pieces of MiniLM's tokenizer, which is BERT's
LAYERS, SIZE, HEADS = 4, 256, 4


class TransformerQueryNet(QueryNet):
    """Words to conditions, learning along with the separation network (Liu et al., "Separate What You Describe", 2022).

    A BERT of a few layers, as LASS-Net's. What a word sounds like, it finds out from the separation network's errors
    alone. LASS-Net's had read much text before; this one begins at random. Only words can be asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        from transformers import BertConfig

        transformer = BertConfig(
            vocab_size=VOCABULARY,
            hidden_size=SIZE,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            intermediate_size=4 * SIZE,
            max_position_embeddings=LONGEST,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        self.encoder = TokenMean(transformer)
        self.projection = projection(SIZE)
        self.audio_tower = NoSounds()
        self.freeze_encoder()


class NoSounds(nn.Module):
    """In the place of an audio tower: says that there is none."""

    def forward(self, waveforms: Tensor) -> Tensor:
        raise InputError("query: this separator knows words only; a sound cannot be its query")
