"""The separation network: a residual U-Net on spectrograms, conditioned on the query through FiLM.

The layout is AudioSep's ResUNet30 (Liu et al., "Separate Anything You Describe", 2023; the network is Kong et al.,
2021) at any width, depth and resolution. Each `block` below reads top to bottom as the signal flows:

    mixture -> |STFT| -> batch norm over bins -> encoder -> bottleneck -> decoder -> mask x STFT -> estimate
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lass_lab.models.heads import HEADS, PreservingHead
from lass_lab.models.layers import MOMENTUM, ConditionedNorm, ExactConv2d, FrequencyLayers, in_float32
from lass_lab.signal.files import InputError
from lass_lab.signal.spectral import istft, stft

SILENCE = 1e-20  # the least level or energy that is divided by
FAINTEST = 1e-5  # magnitude, or share of the level: what is under it is seen as that (AudioSep: 1e-10, squared)
QUERIES_AT_ONCE = {"cuda": 8}  # in one pass; elsewhere 1, which is faster there: see `layers`


@dataclass(frozen=True)
class ResUNetConfig:
    """Sizes of a ResUNet. The defaults are the tiny tier's: AudioSep's layout at a quarter of its width.

    The inner blocks have up to two fifths of it: there it costs almost nothing.

    Attributes:
        channels: feature channels of each encoder block, outermost first; its length is the depth.
        n_fft: STFT window in samples; `n_fft / 2` must be divisible by `2 ** depth`.
        hop: samples between frames.
        condition_size: length of the condition vector.
        inert_parameters: also hold the second norm of each decoder block that AudioSep's state has and its
            forward pass never uses, so that its parameters are counted, loaded and saved in full.
        head: the output layer, one of `heads.HEADS`.
        compression: what the network sees are the magnitudes as shares of the mixture's level, to this power, so that
            it answers the same at any level; 0: the magnitudes themselves, as in AudioSep.
        frequency_bins: the lowest bins, over which every block also has `FrequencyLayers`; 0: no such layers. They must
            be divisible by `2 ** depth`.
    """

    channels: tuple[int, ...] = (8, 16, 48, 96, 160, 160)
    n_fft: int = 2048
    hop: int = 640
    condition_size: int = 512
    inert_parameters: bool = False
    head: str = "audiosep"
    compression: float = 0.0
    frequency_bins: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))  # JSON gives a list
        sizes = (*(self.channels or (0,)), self.n_fft, self.hop, self.condition_size)
        if odd := [size for size in sizes if not isinstance(size, Integral) or isinstance(size, bool) or size < 1]:
            raise InputError(f"ResUNetConfig: sizes must be positive whole numbers, got {odd[0]!r}")
        if self.n_fft % (2 << len(self.channels)):
            raise InputError(f"ResUNetConfig: n_fft {self.n_fft} is not divisible by {2 << len(self.channels)}")
        bins = self.frequency_bins
        if not isinstance(bins, Integral) or not 0 <= bins <= self.n_fft // 2 or bins % (1 << len(self.channels)):
            fault = f"from 0 to {self.n_fft // 2}, divisible by {1 << len(self.channels)}"
            raise InputError(f"ResUNetConfig: frequency_bins {bins!r} is not a number {fault}")
        if not 0 <= self.compression <= 1:
            raise InputError(f"ResUNetConfig: compression {self.compression!r} is not within 0 and 1")
        if self.hop > self.n_fft // 3:
            raise InputError(f"ResUNetConfig: hop {self.hop} is not within 1 and n_fft / 3 = {self.n_fft // 3}")
        if self.head not in HEADS:
            raise InputError(f"ResUNetConfig: no head '{self.head}'; one of {', '.join(HEADS)}")

    @classmethod
    def audiosep(cls) -> "ResUNetConfig":
        """AudioSep's own sizes: 26,447,941 trainable parameters, 233 GFLOP for five seconds
        (246 in the original, whose STFT and inverse are convolutions)."""
        return cls(channels=(32, 64, 128, 256, 384, 384), hop=320, inert_parameters=True)


class ResidualBlock(nn.Module):
    """Two conditioned, pre-activated 3x3 convolutions beside a shortcut (He et al., 2016).

    The shortcut is a 1x1 convolution of class `thin` where the number of channels changes. With `bins`, the sum passes
    through `FrequencyLayers` over so many of them.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        condition_size: int,
        bins: int = 0,
        thin: type[nn.Conv2d] = nn.Conv2d,
    ) -> None:
        super().__init__()
        self.norm1 = ConditionedNorm(channels_in, condition_size)
        self.conv1 = nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1, bias=False)
        self.norm2 = ConditionedNorm(channels_out, condition_size)
        self.conv2 = nn.Conv2d(channels_out, channels_out, kernel_size=3, padding=1, bias=False)
        same = channels_in == channels_out
        self.shortcut = nn.Identity() if same else thin(channels_in, channels_out, kernel_size=1)
        self.frequency = FrequencyLayers(channels_out, bins, condition_size) if bins else None

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        residual = self.norm1(features, condition)
        residual = self.norm2.after(self.conv1, residual, condition)
        features = self.conv2(residual).add_(self.shortcut(features))
        return self.frequency(features, condition) if self.frequency else features


class DecoderBlock(nn.Module):
    """Upsample by a transposed convolution, put the encoder's features beside, and refine."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        condition_size: int,
        stride: tuple[int, int],
        bins: int,
        inert: bool,
        thin: type[nn.Conv2d],
    ) -> None:
        super().__init__()
        self.norm = ConditionedNorm(channels_in, condition_size)
        self.upsample = nn.ConvTranspose2d(channels_in, channels_out, kernel_size=stride, stride=stride, bias=False)
        self.block = ResidualBlock(2 * channels_out, channels_out, condition_size, bins, thin)
        if inert:
            self.inert = ConditionedNorm(channels_in, condition_size)

    def forward(self, features: Tensor, skip: Tensor, condition: Tensor) -> Tensor:
        features = self.upsample(self.norm(features, condition))
        return self.block(torch.cat((features, skip), dim=1), condition)


class ResUNet(nn.Module):
    """A mixture's waveform and a condition in, the estimate's waveform out.

    Five seconds at AudioSep's sizes: 501 frames, padded to 512; 1025 bins, the topmost left out of the U-Net.
    """

    def __init__(self, config: ResUNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ResUNetConfig()
        channels, size = config.channels, config.condition_size
        self.strides = [(2, 2)] * (len(channels) - 1) + [(1, 2)]
        self.input_norm = nn.BatchNorm2d(config.n_fft // 2 + 1, momentum=MOMENTUM)
        self.input_conv = ExactConv2d(1, channels[0], kernel_size=1)
        inputs = (channels[0], *channels[:-1])
        bins = [config.frequency_bins >> level for level in range(len(channels))]
        self.encoder = nn.ModuleList(
            ResidualBlock(before, after, size, each) for before, after, each in zip(inputs, channels, bins, strict=True)
        )
        self.bottleneck = ResidualBlock(channels[-1], channels[-1], size, bins[-1] // 2)
        upwards = channels[::-1]
        below = (channels[-1], *upwards[:-1])
        thin = [nn.Conv2d] * (len(channels) - 1) + [ExactConv2d]
        self.decoder = nn.ModuleList(
            DecoderBlock(before, after, size, stride, each, config.inert_parameters, convolution)
            for before, after, stride, each, convolution in zip(
                below, upwards, self.strides[::-1], bins[::-1], thin, strict=True
            )
        )
        self.head = HEADS[config.head](channels[0])
        self.apply(_initialise)
        for module in self.modules():
            if isinstance(module, FrequencyLayers):
                nn.init.zeros_(module.expand.weight)
        self.queries_at_once: int | None = None  # in one pass of `separate`; None: as many as suit the device
        self.layout = torch.channels_last  # of features in memory; 3 times as fast to train on a CPU
        self.to(memory_format=self.layout)

    def replace_head(self, kind: str) -> "ResUNet":
        """Put a new output layer in the place of the old one: at random, or ("preserving") as its very function.

        Raises:
            InputError: no such head, or one to be preserved that has not AudioSep's convolution in it.
        """
        config = replace(self.config, head=kind)  # which knows the kinds
        head = HEADS[kind](config.channels[0]).to(self.input_conv.weight.device)
        head.apply(_initialise)
        if isinstance(head, PreservingHead):
            if (old := self.config.head) not in ("audiosep", kind):
                raise InputError(f"head '{kind}': begins as AudioSep's, and the network has '{old}'")
            head.take_over(self.head)
        self.config, self.head = config, head
        self.to(memory_format=self.layout)
        return self

    def forward(self, mixture: Tensor, condition: Tensor) -> Tensor:
        """Separate a batch.

        Args:
            mixture: `(batch, 1, samples)`, 32 kHz, at least one sample.
            condition: `(batch, condition_size)`, or `(1, condition_size)` for all of the batch.

        Returns:
            The estimate, `(batch, 1, samples)`.
        """
        spectrum = stft(mixture[:, 0].float(), self.config.n_fft, self.config.hop)
        estimate = self.head.mask(self.logits(self.seen(spectrum), condition)) * spectrum
        return istft(estimate, mixture.shape[-1], self.config.hop)[:, None]

    def separate(self, mixture: Tensor, conditions: Tensor) -> Tensor:
        """Every mixture by every condition: `(batch, samples)`, `(queries, size)` -> `(batch, queries, samples)`.

        Or `(batch, channels, samples)` -> `(batch, queries, channels, samples)`: one mask serves all channels (see
        `seen`), so that the stereo image stays. The mixtures' spectrograms are computed once for all queries.
        """
        spectrum = stft(mixture.float(), self.config.n_fft, self.config.hop)
        seen, estimates = self.seen(spectrum), []
        for some in conditions.split(self.queries_at_once or QUERIES_AT_ONCE.get(mixture.device.type, 1)):
            condition = some if len(some) == 1 else some.repeat(len(mixture), 1)
            mask = self.head.mask(self.logits(seen.repeat_interleave(len(some), dim=0), condition))
            mask = mask.unflatten(0, (len(mixture), len(some)))
            asked = spectrum[:, None]  # (batch, 1, [channels,] frames, bins)
            masked = asked * (mask if asked.ndim == mask.ndim else mask[:, :, None])
            estimates.append(istft(masked, mixture.shape[-1], self.config.hop))
        return torch.cat(estimates, dim=1)

    def seen(self, spectrum: Tensor) -> Tensor:
        """What the U-Net sees of a spectrogram `(batch, [channels,] frames, bins)`: real `(batch, 1, frames, bins)`.

        Magnitudes; of several channels their root mean square, in which nothing cancels. Compressed, they are shares of
        the level of the whole: the root of a frame's energy, in the mean over the frames, each of which counts by its
        energy, so that silence before, after or between changes nothing.
        """
        magnitude = spectrum.abs() if self.config.compression else spectrum.abs().clamp_min(FAINTEST)
        if magnitude.ndim > 3:
            magnitude = magnitude.square().mean(1).sqrt()
        if not self.config.compression:
            return magnitude[:, None]
        energy = magnitude.square().sum(-1)
        highest = energy.amax(-1, keepdim=True).clamp_min(SILENCE)
        share = energy / highest
        level = (highest[:, 0] * share.square().sum(-1) / share.sum(-1).clamp_min(SILENCE)).sqrt().clamp_min(SILENCE)
        relative = (magnitude / level[:, None, None]).clamp_min(FAINTEST)  # at 0 a power has no gradient
        return relative.pow(self.config.compression)[:, None]

    def logits(self, magnitude: Tensor, condition: Tensor) -> Tensor:
        """Mask logits for what is `seen` of a mixture, `(batch, 1, frames, bins)`: what the U-Net proper computes."""
        frames = magnitude.shape[2]
        # The batch norm runs over bins, which therefore stand where channels do.
        features = self.input_norm(magnitude.transpose(1, 3)).transpose(1, 3)
        padding = -frames % 2 ** (len(self.config.channels) - 1)  # every pooling but the last halves them
        features = functional.pad(features, (0, -1, 0, padding))  # -1: drops the topmost bin
        features = self.input_conv(features.contiguous(memory_format=self.layout))
        skips = []
        for block, stride in zip(self.encoder, self.strides, strict=True):
            skips.append(block(features, condition))
            features = functional.avg_pool2d(skips[-1], stride)
        features = self.bottleneck(features, condition)
        for block in self.decoder:
            features = block(features, skips.pop(), condition)
        with in_float32(features):
            logits = self.head(features.float())
        return functional.pad(logits, (0, 1))[:, :, :frames]

    def load_audiosep_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load AudioSep's separation network by its own keys, with or without the `ss_model.` prefix.

        Strict: the Fourier kernels under `base.stft.` and `base.istft.`, which `torch.stft` replaces, are the only
        keys that may be absent or of another size; query-encoder keys of a whole checkpoint are passed over.

        Raises:
            InputError: names the keys that are missing or foreign, or the first tensor of a wrong shape. Nothing
                is loaded then.
        """
        from lass_lab.models.audiosep.keys import translate  # of the full-size tier: imported only when asked for

        self.load_state_dict(translate(state, self.state_dict(), depth=len(self.config.channels)))


def _initialise(module: nn.Module) -> None:
    """Xavier-uniform weights, biases at zero, as AudioSep; batch norms keep PyTorch's ones and zeros."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
