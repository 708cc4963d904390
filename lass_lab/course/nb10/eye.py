"""A small eye: pictures to vectors in the space of sentences, where alone words and pictures meet; and captions for it.

It stands in for CLIP. It is trained on pictures of single players against captions of what is *drawn*, by the loss of
notebook 02, and then frozen. The sentence encoder is frozen from the start.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lass_lab.course.nb10.films import stage
from lass_lab.models.sentence_encoder import SentenceEncoder

TOKENS, TOKEN_RATE = 6, 0.02  # free ones of a caption without words (VAST has 75), and the step they climb by
CAPTIONS = (  # of pictures: what is drawn, and never how it sounds
    "{a} {name}", "a player of the {name}", "a picture of {a} {name}", "a drawing of {a} {name}",
    "somebody holding {a} {name}", "a person with {a} {name}", "{a} {name} on a stage", "the {name} in this picture",
    "a small {name}", "a {name} player seen from afar",
)  # fmt: skip


def captions(look: str) -> list[str]:
    """What may be written under a picture of a player with this look."""
    return [words.format(name=look, a="an" if look[0] in "aeiou" else "a") for words in CAPTIONS]


class Eye(nn.Module):
    """Three pooled 3x3 convolutions and a linear layer: every region of a picture as a vector."""

    channels = (16, 32, 64)

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((1, *self.channels[:-1]), self.channels, strict=True):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers, nn.Conv2d(self.channels[-1], SentenceEncoder.size, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures `(..., frames, 32, 32)` -> regions `(..., 16, 384)`: each the maximum over the frames."""
        flat = pictures.reshape(-1, 1, *pictures.shape[-2:])
        regions = self.features(flat).flatten(2).transpose(1, 2)
        return regions.unflatten(0, pictures.shape[:-2]).amax(-3)


def strongest(regions: Tensor) -> Tensor:
    """The vector of the region that has most to say, the longest: `(..., 16, 384)` -> `(..., 384)` of length one."""
    place = regions.norm(dim=-1, keepdim=True).argmax(-2, keepdim=True)
    return functional.normalize(regions.take_along_dim(place, -2)[..., 0, :], dim=-1)


def practice_picture(rng: np.random.Generator, look: str) -> np.ndarray:
    """One picture of one player among idle things, at some moment of some music: `(1, 32, 32)`."""
    onsets = np.sort(rng.uniform(0, 2, 4))
    notes = np.column_stack([onsets, onsets + rng.uniform(0.1, 0.6, 4), rng.integers(40, 90, 4)])
    return stage(rng, [look], [notes]).draw([rng.uniform(0, 2.5)])


# Captions without words ---------------------------------------------------------------------------------


def latent_captions(
    encoder: SentenceEncoder, seen: Tensor, steps: int = 60, seed: int = 0
) -> tuple[Tensor, list[float]]:
    """Captions of pictures, found and not written: free token vectors that climb towards what is seen.

    Between the tokens that begin and end a sentence stand free vectors in place of words. They follow the gradient of
    the cosine between what the frozen encoder makes of them and the picture's vector (Tan et al., "VAST", 2023).

    Args:
        encoder: frozen.
        seen: the pictures' vectors, `(pictures, 384)`, of length one.
        steps, seed: of the climb.

    Returns:
        The captions' sentence vectors `(pictures, 384)`, and the mean cosine at each step.
    """
    words = encoder.bert.embeddings.word_embeddings.weight.detach()
    start, end = (words[encoder.tokenizer.token_to_id(each)].expand(len(seen), 1, -1) for each in ("[CLS]", "[SEP]"))
    noise = torch.randn(len(seen), TOKENS, words.shape[1], generator=torch.Generator().manual_seed(seed))
    free = (words.mean(0) + words.std(0) * noise).requires_grad_()
    optimizer, cosines = torch.optim.Adam([free], lr=TOKEN_RATE), []
    with torch.enable_grad():
        for _ in range(steps):
            read = encoder.bert(inputs_embeds=torch.cat([start, free, end], 1)).last_hidden_state.mean(1)
            caption = functional.normalize(read, dim=-1)
            cosine = (caption * seen).sum(-1)
            optimizer.zero_grad()
            (-cosine.sum()).backward()
            optimizer.step()
            cosines.append(float(cosine.detach().mean()))
    return caption.detach(), cosines
