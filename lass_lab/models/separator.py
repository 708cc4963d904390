"""The separator: a query network and a separation network, and how both are kept in a folder."""

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub import ModelCard, PyTorchModelHubMixin, hf_hub_download
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm.auto import tqdm

from lass_lab.models.querynet import CONDITION_SIZE, Query, QueryNet
from lass_lab.models.resunet import QUERIES_AT_ONCE, ResUNet, ResUNetConfig
from lass_lab.models.streaming import Windows, stream
from lass_lab.signal.audio import SAMPLE_RATE, checked_waveform
from lass_lab.signal.files import LOUDEST, InputError, atomic_path

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
WINDOW_S, OVERLAP_S, MARGIN_S = 10.0, 1.0, 0.25
WIDEST = 1 << 16  # of a query network's layers, as far as a configuration is believed
PROGRESS_FROM_S = 60.0  # shorter mixtures are done before a bar could be read
QUERY_NETWORKS = {  # a class's name, which config.json has, -> the module to import it from once it is asked for
    "TinyQueryNet": "lass_lab.models.querynet",
    "ClapQueryNet": "lass_lab.models.audiosep.clap",
}


class LanguageSeparator(nn.Module, PyTorchModelHubMixin):
    """Separates one source from a mixture: the one that the query names.

    `save_pretrained`, `from_pretrained` and `push_to_hub` keep it as safetensors (weights in float16, running
    statistics and vectors in float32) beside a config.json. What the query network has from its official weights, the
    sentence encoder first of all, is stored only where training changed it.
    """

    def __init__(self, query_network: QueryNet, network: ResUNet) -> None:
        super().__init__()
        self.query_network = query_network
        self.network = network
        self.precision = torch.float32

    @property
    def device(self) -> torch.device:
        return self.network.input_conv.weight.device

    def fingerprint(self) -> str:
        """16 hexadecimal digits that tell these weights, of both networks, from any others."""
        digest = hashlib.sha256()
        for name, values in sorted(self.state_dict().items()):
            digest.update(name.encode())
            digest.update(values.cpu().contiguous().numpy())
        return digest.hexdigest()[:16]

    def forward(self, mixture: Tensor, queries: Sequence[Query]) -> Tensor:
        """Mixtures `(batch, 1, samples)` and one query for each -> estimates `(batch, 1, samples)`."""
        return self.network(mixture, self.query_network(queries))

    def separate(
        self,
        mixture: np.ndarray,
        query: Query | Sequence[Query],
        *,
        residual: bool = False,
        consistent: bool = False,
        against: Sequence[Query] = (),
        progress: bool | None = None,
    ) -> np.ndarray:
        """Separate a whole recording, of any length, by one query or by each of several.

        Args:
            mixture: `(samples,)` or `(channels, samples)`, 32 kHz. One mask serves all channels.
            query: words, or a sound like the one wanted (`(samples,)`, 32 kHz), or a sequence of such.
            residual: also give what the estimates lack to the mixture, as a last row.
            consistent: correct the estimates so that they share out what they lack, with a residual: see `share_out`.
                It pays most where the queries name all there is.
            against: further queries, for what else plays: their estimates take part in that and are not returned.
                Without `consistent` only the common error is shared out: see `share_error`.
            progress: show a progress bar; None shows it for mixtures over a minute.

        Returns:
            float32 of the mixture's shape for one query; for a sequence, or with a residual, so many of them.

        Raises:
            InputError: a query that names nothing, or a mixture that is not one finite floating-point waveform, or one
                beyond `LOUDEST`.
        """
        mixture = checked_waveform(mixture, "mixture", channels=True)
        if (peak := float(np.abs(mixture).max())) > LOUDEST:
            raise InputError(f"mixture: has a peak of {peak:.3g}, where full scale is 1")
        mixture = mixture.astype(np.float32, copy=False)
        sequence = hasattr(query, "__iter__") and not isinstance(query, (str, bytes, Tensor))
        one = not sequence or (isinstance(query, np.ndarray) and query.ndim < 2)
        queries = [query] if one else list(query)
        rows, length = len(queries), mixture.shape[-1]
        estimates, start = np.empty((rows + residual, *mixture.shape), dtype=np.float32), 0
        how = {"consistent": consistent, "against": against, "length": length, "progress": progress}
        for block in self.separate_blocks([mixture], queries, **how):
            estimates[:rows, ..., start : start + block.shape[-1]] = block
            start += block.shape[-1]
        if residual:
            estimates[rows] = mixture - estimates[:rows].sum(0)
        return estimates[0] if one and not residual else estimates

    def remove(self, mixture: np.ndarray, query: Query | Sequence[Query], **how: Any) -> np.ndarray:
        """The mixture without what the queries name: the residual alone, of the mixture's shape; see `separate`."""
        return self.separate(mixture, query, residual=True, **how)[-1]

    def separate_blocks(
        self,
        blocks: Iterable[np.ndarray],
        queries: Sequence[Query],
        *,
        consistent: bool = False,
        against: Sequence[Query] = (),
        length: int | None = None,
        progress: bool | None = None,
    ) -> Iterator[np.ndarray]:
        """Separate block by block, in memory that does not depend on the length; the estimates are `separate`'s.

        Args:
            blocks: the mixture in order, float32 `(samples,)` or `(channels, samples)` each, 32 kHz, checked as those
                of `read_blocks` are.
            queries: one or more, words or sounds.
            consistent, against: as in `separate`.
            length: samples of the mixture as far as that is known; for the progress bar alone.
            progress: as in `separate`.

        Yields:
            float32 `(queries, [channels,] samples)`; how they are cut has nothing to do with `blocks`.

        Raises:
            InputError: a query that names nothing, a mixture without samples, or weights that are not float32. What
                `blocks` raises passes through.
        """
        if isinstance(queries, str) or isinstance(against, str):
            raise InputError("queries, against: need a list, as in against=['trumpet']")
        if (kind := self.network.input_conv.weight.dtype) != torch.float32:  # after `half()` or `double()`
            told = 'float() makes them so, and load_separator(..., precision="bfloat16") computes with less'
            raise InputError(f"separator: its weights must be float32, and are {kind}; {told}")
        windows = Windows(*(round(part * SAMPLE_RATE) for part in (WINDOW_S, OVERLAP_S, MARGIN_S)))
        if progress is None:
            progress = (length or 0) > PROGRESS_FROM_S * SAMPLE_RATE
        was_training = self.training
        self.eval()
        try:
            with torch.no_grad():
                condition = self.query_network([*queries, *against])
            correct = None
            if consistent or against:
                from lass_lab.models.sharing import share_error, share_out  # only when asked for

                correct = share_out if consistent else share_error
            total = round(length / SAMPLE_RATE) if length else None
            with tqdm(total=total, unit="s", desc="separating", disable=not progress) as bar:
                for block in stream(blocks, windows, lambda window: self._estimates(window, condition, correct)):
                    yield block[: len(queries)]
                    bar.update(round(block.shape[-1] / SAMPLE_RATE))
        finally:
            self.train(was_training)

    def _estimates(self, window: np.ndarray, condition: Tensor, correct: Callable | None) -> np.ndarray:
        """A window `([channels,] samples)` -> estimates `(queries, [channels,] samples)`."""
        window = without_offset(window)
        while True:
            mixture = torch.from_numpy(window).to(self.device)
            low_precision = self.precision != torch.float32
            try:
                with torch.inference_mode(), torch.autocast(self.device.type, self.precision, low_precision):
                    estimates = self.network.separate(mixture[None], condition.to(self.device))[0]
                found = estimates.float().cpu().numpy()
                return correct(found, window) if correct else found
            except RuntimeError as error:  # Apple's GPUs have no class of their own for it
                if "out of memory" not in str(error):
                    raise
                self._make_room(error)

    def _make_room(self, error: RuntimeError) -> None:
        """Compute fewer queries at once from now on, in the end on the CPU; raises `error` where that is so already."""
        at_once = self.network.queries_at_once or QUERIES_AT_ONCE.get(self.device.type, 1)
        if at_once > 1:
            self.network.queries_at_once = at_once // 2
            warnings.warn(f"{self.device} is out of memory: going on with {at_once // 2} queries at once", stacklevel=2)
        elif self.device.type != "cpu":
            warnings.warn(f"{self.device} is out of memory: going on on the CPU", stacklevel=2)
            self.to("cpu").precision = torch.float32
        else:
            raise error

    # How it is kept ---------------------------------------------------------------------------------

    def _save_pretrained(self, save_directory: Path) -> None:
        """Write each file whole or not at all; config.json, the last, says that all of them are there."""
        kind = {"kind": type(self.query_network).__name__}
        config = {"query_network": kind | self.query_network.config, "network": asdict(self.network.config)}
        official = {f"query_network.{key}": value for key, value in self.query_network.official_state().items()}
        state = {
            key: (value.half() if value.is_floating_point() and value.ndim > 1 else value).contiguous()
            for key, value in self.state_dict().items()
            if key not in official or not torch.equal(value.cpu(), official[key])
        }
        write_tensors(state, save_directory / WEIGHTS)
        if not (save_directory / CARD).exists():
            with atomic_path(save_directory / CARD, force=True) as path:
                self.generate_model_card().save(path)
        with atomic_path(save_directory / CONFIG, force=True) as path:
            path.write_text(json.dumps(config, indent=2) + "\n")

    def generate_model_card(self, *args, **kwargs) -> ModelCard:
        """The README.md of a saved folder and of its page on the hub: what it is and how to open it."""
        return ModelCard.load(Path(__file__).with_name("card.md"))

    @classmethod
    def _from_pretrained(
        cls, *, model_id: str, map_location="cpu", strict=True, query_network=None, network=None, **hub
    ) -> "LanguageSeparator":
        # The mixin passes on what it finds in config.json: its two networks, which `from_folder` reads there.
        folder = Path(model_id)
        if not folder.is_dir():
            folder = Path([hf_hub_download(model_id, name, **hub) for name in (CONFIG, WEIGHTS)][-1]).parent
        return cls.from_folder(folder).to(map_location)

    @classmethod
    def from_folder(cls, folder: str | os.PathLike[str]) -> "LanguageSeparator":
        """The separator that `save_pretrained` wrote to `folder`, in eval mode on the CPU.

        Raises:
            InputError: a file is missing, damaged, or does not fit the other.
        """
        folder = Path(folder)
        separator = cls(*_read_config(folder / CONFIG, folder / WEIGHTS))
        state = read_tensors(folder / WEIGHTS)
        official = {f"query_network.{key}" for key in separator.query_network.published_keys()}
        check_tensors(state, separator.state_dict(), folder / WEIGHTS, optional=official)
        separator.load_state_dict(state, strict=False)
        return separator.eval()


def without_offset(window: np.ndarray) -> np.ndarray:
    """Samples `(..., samples)` less the straight line nearest to them: an offset, or one that drifts, is no sound.

    It would be the loudest of all that the network sees. What lasts under a quarter of a second stays as it is.
    """
    size = window.shape[-1]
    if size < SAMPLE_RATE / 4:
        return window
    time = np.linspace(-1, 1, size)
    slope = window @ time / (time @ time)
    line = window.mean(axis=-1, dtype=np.float64)[..., None] + slope[..., None] * time
    return (window - line).astype(np.float32)


def write_tensors(state: dict[str, Tensor], path: Path) -> None:
    """Write a safetensors file in place of `path`. Raises InputError where the disk does not take it."""
    try:
        with atomic_path(path, force=True) as temporary:
            save_file(state, temporary, {"format": "pt"})
    except SafetensorError as error:
        raise InputError(f"{path}: cannot be written ({error})") from error


def read_tensors(path: Path, wanted: Callable[[str], bool] = lambda key: True) -> dict[str, Tensor]:
    """The tensors of a safetensors file whose keys are `wanted`. Raises InputError where it is missing or damaged."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys() if wanted(key)}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: not a whole safetensors file ({error})") from error


def check_tensors(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor], name: str | Path, optional: Collection[str] = ()
) -> None:
    """Raise InputError, which begins with `name`, unless `state` has the keys and shapes of `expected`.

    Those that are `optional` may be absent.
    """
    missing = [key for key in expected if key not in state and key not in optional]
    foreign = [key for key in state if key not in expected]
    for kind, keys in (("missing", missing), ("foreign", foreign)):
        if keys:
            raise InputError(f"{name}: {len(keys)} key(s) {kind}, the first is {keys[0]}")
    for key, value in state.items():
        if not isinstance(value, Tensor) or value.shape != expected[key].shape:
            found, wanted = tuple(getattr(value, "shape", ())), tuple(expected[key].shape)
            raise InputError(f"{name}: {key} has shape {found}, not {wanted}")
        if not (value.is_meta or torch.isfinite(value).all()):
            raise InputError(f"{name}: {key} holds NaN or infinite numbers")


def _read_config(path: Path, weights: Path) -> tuple[QueryNet, ResUNet]:
    """Both networks at the sizes that config.json asks for, if those are sizes that the weights can fill."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        sizes = dict(config["query_network"])
        kind = sizes.pop("kind", "TinyQueryNet")  # the first folders, which were all of one kind, do not say
        if kind not in QUERY_NETWORKS:
            raise ValueError(f"a query network of kind {kind!r}")
        query_network = getattr(import_module(QUERY_NETWORKS[kind]), kind)
        signature(query_network).bind(**sizes)
        if odd := [name for name, size in sizes.items() if type(size) is not int or not 0 <= size <= WIDEST]:
            raise ValueError(f"{odd[0]} of {sizes[odd[0]]!r}, not a whole number up to {WIDEST}")
        network = ResUNetConfig(**config["network"])
        if network.condition_size != CONDITION_SIZE:
            raise ValueError(f"a condition of {network.condition_size} numbers, not {CONDITION_SIZE}")
        with torch.device("meta"):  # which takes no memory, whatever is asked for
            numbers = sum(value.numel() for value in ResUNet(network).state_dict().values())
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except RecursionError as error:
        raise InputError(f"{path}: not a separator's configuration (nested too deep)") from error
    except (ValueError, TypeError, KeyError, OSError, RuntimeError, OverflowError) as error:
        raise InputError(f"{path}: not a separator's configuration ({error})") from error
    if weights.is_file() and numbers > (size := weights.stat().st_size):
        raise InputError(f"{weights}: its {size:,} bytes cannot hold the {numbers:,} numbers that {path.name} asks for")
    # Outside: what the query network's own files lack is no fault of the configuration.
    return query_network(**sizes), ResUNet(network)
