"""What is trained in notebook 10: an eye that is frozen, a separator conditioned on what it sees, and an ear."""

from pathlib import Path

import torch
from torch import Tensor, nn

from lass_lab.course.nb10.duets import SAMPLE_RATE
from lass_lab.course.nb10.eye import Eye
from lass_lab.models.querynet import AudioTower
from lass_lab.models.resunet import ResUNet, ResUNetConfig
from lass_lab.models.sentence_encoder import SentenceEncoder
from lass_lab.models.separator import check_tensors, read_tensors
from lass_lab.signal.files import data_dir
from lass_lab.signal.spectral import istft, stft

N_FFT, HOP, LOWEST_HZ, BANDS = 512, 160, 50.0, 129
NETWORK = ResUNetConfig(  # its n_fft says how many bands it sees
    channels=(4, 8, 16, 32, 64), n_fft=256, hop=80, frequency_bins=128, condition_size=SentenceEncoder.size,
    head="magnitude", compression=0.3,
)  # fmt: skip
STRENGTH = 10.0  # of a condition: the network begins to heed it sooner
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
    """Eye, separation network and ear; and captions without words, one for each clip that it is trained with.

    A condition is a vector of length one in the space of sentences: of a picture's region, of a caption, or of words.
    """

    def __init__(self, clips: int) -> None:
        super().__init__()
        self.eye, self.network, self.ear = Eye(), ResUNet(NETWORK), Ear()
        self.register_buffer("captions", torch.zeros(clips, SentenceEncoder.size))
        self.eye.requires_grad_(False)
        to_bands, to_bins = band_matrices()
        self.register_buffer("to_bands", to_bands, persistent=False)
        self.register_buffer("to_bins", to_bins, persistent=False)

    def spectrum(self, waveforms: Tensor) -> Tensor:
        """Waveforms `(..., samples)` at 8 kHz -> complex `(..., frames, bins)`."""
        return stft(waveforms, N_FFT, HOP)

    def bands(self, spectrum: Tensor) -> Tensor:
        """Magnitudes in bands of equal musical width: complex `(..., frames, bins)` -> `(..., frames, bands)`."""
        return spectrum.abs() @ self.to_bands.T

    def mask(self, bands: Tensor, condition: Tensor) -> Tensor:
        """Mask from 0 to 1, `(batch, frames, bands)`, for mixtures' bands and a condition `(batch, 384)` each."""
        return self.network.logits(self.network.seen(bands), STRENGTH * condition)[:, 0].sigmoid()

    def masked(self, mask: Tensor, spectrum: Tensor, samples: int) -> Tensor:
        """The waveform `(batch, samples)` of what a mask over bands leaves of a spectrogram."""
        return istft(mask @ self.to_bins.T * spectrum, samples, HOP)

    @torch.no_grad()
    def separate(self, mixtures: Tensor, conditions: Tensor) -> Tensor:
        """Mixtures `(batch, samples)`, a condition each -> estimates `(batch, samples)`."""
        spectrum = self.spectrum(mixtures)
        return self.masked(self.mask(self.bands(spectrum), conditions), spectrum, mixtures.shape[-1])


def band_matrices() -> tuple[Tensor, Tensor]:
    """From bins to bands `(bands, bins)`, triangles whose weights sum to one; and back, by interpolation."""
    hertz = torch.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
    step = torch.log2(torch.tensor(SAMPLE_RATE / 2 / LOWEST_HZ)) / (BANDS - 1)  # octaves from band to band
    centres = LOWEST_HZ * 2 ** (step * torch.arange(BANDS))
    width = torch.maximum(centres * (2**step - 1), hertz[1])  # no narrower than bins are apart
    to_bands = (1 - (hertz - centres[:, None]).abs() / width[:, None]).clamp_min(0)
    place = (torch.log2(hertz.clamp_min(LOWEST_HZ) / LOWEST_HZ) / step)[:, None]
    to_bins = (1 - (place - torch.arange(BANDS)).abs()).clamp_min(0)
    return to_bands / to_bands.sum(1, keepdim=True), to_bins / to_bins.sum(1, keepdim=True)


def load(folder: Path | None = None) -> Looker:
    """The looker whose weights lie in `folder`, in eval mode; by default the one that ships."""
    path = (folder or data_dir() / "sight") / WEIGHTS
    state = read_tensors(path)
    looker = Looker(len(state["captions"]))
    check_tensors(state, looker.state_dict(), path)
    looker.load_state_dict(state)
    return looker.eval()
