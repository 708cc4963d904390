"""CLAP's audio tower, HTSAT-base, out of the package laion-clap: found only once a sound is the query."""

import importlib
import importlib.util
import sys
import warnings
from pathlib import Path
from types import ModuleType, SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn import functional

from lass_lab.models.querynet import projection
from lass_lab.models.separator import check_tensors, read_tensors
from lass_lab.signal.audio import SAMPLE_RATE
from lass_lab.signal.files import InputError

CLAP_RATE = 48_000  # Hz
LONGEST = 480_000  # samples at that rate, ten seconds
EMBEDDING_SIZE = 1024
INSTALL = "pip install --no-deps laion-clap torchlibrosa"

# HTSAT-base as CLAP has it (laion-clap's model_configs/HTSAT-base.json).
HTSAT_BASE = {
    "model_name": "base", "class_num": 527, "mel_bins": 64, "sample_rate": CLAP_RATE,
    "window_size": 1024, "hop_size": 480, "fmin": 50, "fmax": 14_000,
}  # fmt: skip


class ClapAudioTower(nn.Module):
    """A sound in, a condition out, in the space of the words (Chen et al., "HTS-AT", 2022; Wu et al., 2023).

    Built at the first sound, from the weights at `path`; until then, and for words, laion-clap need not be installed.
    It is always frozen: in eval mode, without gradients, and no part of the state of what holds it.

    Args:
        path: a safetensors file with its tensors under `audio_tower.htsat.` and `audio_tower.projection.`.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._parts: list[nn.Module] = []  # a list hides them from state_dict, optimisers and train()

    @torch.no_grad()
    def forward(self, waveforms: Tensor) -> Tensor:
        """Waveforms `(batch, samples)`, 32 kHz, at most 10 s -> conditions `(batch, 512)`, each row of length one.

        Raises:
            InputError: laion-clap is not installed, or its network does not fit the weights.
        """
        self._parts = self._parts or self._build()
        htsat, projection = (part.to(waveforms.device) for part in self._parts)
        with torch.autocast(waveforms.device.type, enabled=False):
            # laion-clap's device argument says where its input is to be brought: it is there.
            found = htsat({"waveform": ten_seconds(waveforms.float())}, device=waveforms.device)
            return functional.normalize(projection(found["embedding"]), dim=-1)

    def _build(self) -> list[nn.Module]:
        module = htsat_module()
        with torch.random.fork_rng(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old calls of laion-clap's, which a user cannot mend
            htsat = module.create_htsat_model(SimpleNamespace(**HTSAT_BASE))
            parts = {"audio_tower.htsat.": htsat, "audio_tower.projection.": projection(EMBEDDING_SIZE)}
        for prefix, part in parts.items():
            state = read_tensors(self.path, lambda key, prefix=prefix: key.startswith(prefix))
            state = {key.removeprefix(prefix): value for key, value in state.items()}
            check_tensors(state, part.state_dict(), f"{self.path}: not the weights of laion-clap's HTSAT-base")
            part.load_state_dict(state)
            part.eval().requires_grad_(False)
        return list(parts.values())


def ten_seconds(waveforms: Tensor) -> Tensor:
    """Waveforms at 32 kHz -> CLAP's input: `(batch, 480000)` at 48 kHz.

    Resampled as AudioSep does; a shorter one is repeated as often as it fits whole, then followed by zeros, as
    laion-clap does. Its detour over 16-bit integers, a change at -96 dB, is left out.
    """
    from torchaudio.functional import resample

    waveforms = resample(waveforms, SAMPLE_RATE, CLAP_RATE)[:, :LONGEST]
    waveforms = waveforms.repeat(1, LONGEST // waveforms.shape[1])
    return functional.pad(waveforms, (0, LONGEST - waveforms.shape[1]))


def htsat_module() -> ModuleType:
    """laion-clap's module of the HTSAT network, and nothing else of that package.

    Importing the package itself would ask the hub for three tokenizers and need a dozen packages more. So its folder
    is put under a name of ours, as a package whose `__init__` is never run, and with a stand-in for its `utils`: of
    those, HTSAT takes two functions, whose results do not reach the embedding.

    Raises:
        InputError: laion-clap or torchlibrosa is not installed, or cannot be imported.
    """
    name = f"{__name__}_htsat"
    spec = importlib.util.find_spec("laion_clap")
    if not (spec and spec.submodule_search_locations and importlib.util.find_spec("torchlibrosa")):
        raise InputError(f"query: a sound needs CLAP's audio tower, which is not installed: {INSTALL}")
    package, utils = ModuleType(name), ModuleType(f"{name}.utils")
    package.__path__ = [str(Path(folder) / "clap_module") for folder in spec.submodule_search_locations]
    utils.interpolate = lambda frames, _: frames  # stretches what it says of each frame
    utils.do_mixup = None  # augments its training
    sys.modules |= {name: package, utils.__name__: utils}
    try:
        return importlib.import_module(f"{name}.htsat")
    except ImportError as error:
        raise InputError(f"query: CLAP's audio tower cannot be imported ({error}): {INSTALL}") from error
    finally:
        for part in (name, utils.__name__):  # the module has what it took of them
            sys.modules.pop(part, None)
