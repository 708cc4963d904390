"""What is trained in notebook 10: an eye that is frozen, a separator conditioned on what it sees, and an ear."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from lass_lab.course.nb10.eye import Eye
from lass_lab.models.querynet import AudioTower
from lass_lab.models.resunet import ResUNet, ResUNetConfig
from lass_lab.models.sentence_encoder import SentenceEncoder
from lass_lab.models.separator import check_tensors, read_tensors, write_tensors
from lass_lab.signal.files import data_dir
from lass_lab.signal.spectral import istft, stft

NETWORK = ResUNetConfig(
    channels=(4, 8, 16, 32, 64), n_fft=512, hop=160, condition_size=SentenceEncoder.size, head="magnitude", compression=0.3,
    frequency_bins=256,
)  # fmt: skip
WEIGHTS = "model.safetensors"


class Ear(AudioTower):
    """The course's audio tower, narrower, for sounds at 8 kHz, into the space of sentences.

    Its window, its hop and the rate of its samples are a quarter of the tower's: to it all is two octaves higher.
    """

    mels, n_fft, hop, channels = 64, 512, 160, (16, 32, 64, 64)

    def __init__(self) -> None:
        super().__init__()
        self.projection = nn.Linear(self.projection.in_features, SentenceEncoder.size)


class Looker(nn.Module):
    """Eye, separation network and ear; and the captions without words of the clips that it was trained with.

    A condition is a vector of length one in the space of sentences: of a picture's region, of a caption, or of words.
    """

    def __init__(self, clips: int) -> None:
        super().__init__()
        self.eye, self.network, self.ear = Eye(), ResUNet(NETWORK), Ear()
        self.register_buffer("captions", torch.zeros(clips, SentenceEncoder.size))
        self.eye.requires_grad_(False)

    def spectrum(self, waveforms: Tensor) -> Tensor:
        """Waveforms `(..., samples)` at 8 kHz -> complex `(..., frames, bins)`."""
        return stft(waveforms, NETWORK.n_fft, NETWORK.hop)

    def mask(self, spectrum: Tensor, condition: Tensor) -> Tensor:
        """Mask from 0 to 1, `(batch, frames, bins)`, for mixtures' spectrograms and a condition `(batch, 384)` each."""
        return self.network.mask(spectrum, condition).real

    def waveform(self, spectrum: Tensor, samples: int) -> Tensor:
        """The inverse of `spectrum`."""
        return istft(spectrum, samples, NETWORK.hop)

    @torch.no_grad()
    def separate(self, mixtures: Tensor, conditions: Tensor) -> Tensor:
        """Mixtures `(batch, samples)`, a condition each -> estimates `(batch, samples)`."""
        spectrum = self.spectrum(mixtures)
        return self.waveform(self.mask(spectrum, conditions) * spectrum, mixtures.shape[-1])


def save(looker: Looker, folder: Path) -> None:
    """Write its weights in float16 to `folder`."""
    write_tensors({key: value.half().contiguous() if value.is_floating_point() else value for key, value in looker.state_dict().items()}, folder / WEIGHTS)


def load(folder: Path | None = None) -> Looker:
    """The looker that `save` wrote to `folder`, in eval mode; by default the one that ships."""
    path = (folder or data_dir() / "sight") / WEIGHTS
    state = read_tensors(path)
    looker = Looker(len(state["captions"]))
    check_tensors(state, looker.state_dict(), path)
    looker.load_state_dict(state)
    return looker.eval()


def words(encoder: SentenceEncoder, queries: Sequence[str]) -> Tensor:
    """Words as conditions, `(queries, 384)`."""
    with torch.no_grad():
        return functional.normalize(encoder(queries), dim=-1)
