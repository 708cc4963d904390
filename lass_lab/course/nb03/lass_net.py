"""LASS-Net's kind of query network: a small transformer that learns its words together with the separation network.

Once this module is imported, folders of separators that have it can be opened.
"""

from torch import Tensor, nn

from lass_lab.models.querynet import QueryNet, projection
from lass_lab.models.sentence_encoder import LONGEST, TokenMean
from lass_lab.models.separator import QUERY_NETWORKS
from lass_lab.signal.files import InputError

HEAD_SIZE = 64
VOCABULARY = 30_522  # word pieces of MiniLM's tokenizer, which is BERT's


class TransformerQueryNet(QueryNet):
    """Words to conditions, learning along with the separation network (Liu et al., "Separate What You Describe", 2022).

    A BERT of a few layers, as LASS-Net's. What a word sounds like, it finds out from the separation network's errors
    alone. LASS-Net's had read much text before; this one begins at random. Only words can be asked for.

    Args:
        layers: of the transformer.
        size: of its token vectors, a multiple of 64; each of its heads sees 64 of them.
        hidden: width between the projection's two layers.
    """

    def __init__(self, layers: int = 4, size: int = 256, hidden: int = 512) -> None:
        super().__init__()
        from transformers import BertConfig

        transformer = BertConfig(
            vocab_size=VOCABULARY,
            hidden_size=size,
            num_hidden_layers=layers,
            num_attention_heads=size // HEAD_SIZE,
            intermediate_size=4 * size,
            max_position_embeddings=LONGEST,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        self.encoder = TokenMean(transformer)
        self.projection = projection(size, hidden)
        self.audio_tower = NoSounds()
        self.config = {"layers": layers, "size": size, "hidden": hidden}
        self.freeze_encoder()


class NoSounds(nn.Module):
    """In the place of an audio tower: says that there is none."""

    def forward(self, waveforms: Tensor) -> Tensor:
        raise InputError("query: this separator knows words only; a sound cannot be its query")


QUERY_NETWORKS[TransformerQueryNet.__name__] = __name__
