"""The four losses of VAST, which learns to separate from silent pictures, sounds and captions without words.

Tan et al., "Language-guided audio-visual source separation via trimodal consistency" (2023). The losses are means over
the batch; vectors have length one.
"""

from torch import Tensor
from torch.nn import functional

from lass_lab.experiments.contrastive import TEMPERATURE

TEACHER_SCALE = 1 / TEMPERATURE  # of the frozen eye, as it was trained
SCALE = 100.0  # of what learns, as in VAST
LARGEST_MASK, LIGHTEST, HEAVIEST = 5.0, 1e-3, 10.0


def mask_error(mask: Tensor, mixture: Tensor, source: Tensor) -> Tensor:
    """How far masks are from the ideal ones, each `(batch, frames, bins)` and magnitudes -> `(batch,)`.

    The mean of `w |M - M*|`: the ideal mask is `M* = clip(S / X, 0, 5)`, the weight `w = clip(log(1 + X), 0.001, 10)`,
    by which what is loud in the mixture counts more. By sight it is VAST's video loss, by a caption its text loss.
    """
    ideal = (source / mixture.clamp_min(1e-10)).clamp(0, LARGEST_MASK)
    weight = mixture.log1p().clamp(LIGHTEST, HEAVIEST)
    return (weight * (mask - ideal).abs()).mean((-2, -1))


def pointing(regions: Tensor, vector: Tensor, scale: float) -> Tensor:
    """Where a vector points: log of the softmax over regions of `scale` times the cosine.

    Regions `(..., regions, size)` of any length and `(..., size)` -> `(..., regions)`.
    """
    cosines = (functional.normalize(regions, dim=-1) @ functional.normalize(vector, dim=-1)[..., None])[..., 0]
    return (scale * cosines).log_softmax(-1)


def trimodal(regions: Tensor, caption: Tensor, heard: Tensor) -> Tensor:
    """Tri-modal consistency: what was heard must point to where the caption points. KL(p || q).

    Regions `(batch, regions, size)`, caption and sound `(batch, size)`. The teacher p is frozen.
    """
    teacher, student = pointing(regions, caption, TEACHER_SCALE), pointing(regions, heard, SCALE)
    return functional.kl_div(student, teacher.detach(), reduction="batchmean", log_target=True)


def audio_language(heard: Tensor, captions: Tensor, own: Tensor) -> Tensor:
    """Audio-language consistency: each sound must find its own among all captions `(captions, size)`, by its index."""
    return functional.cross_entropy(SCALE * heard @ captions.T, own)
