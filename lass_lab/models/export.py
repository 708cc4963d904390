"""The separation network as ONNX, for programs that have no PyTorch; a page of Python beside it shows the rest.

Exported by `torch.onnx` in opset 20, with the number of frames free. What stands before and after the network (the
transform, what it sees of it, the mask) is arithmetic that NumPy does: see `onnx_example.py`, which goes with it.
"""

import copy
import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from lass_lab.models.layers import ConditionedNorm
from lass_lab.models.resunet import ResUNet
from lass_lab.models.separator import LanguageSeparator
from lass_lab.signal.files import InputError, atomic_path, refuse_existing

OPSET = 20
NETWORK, CONDITIONS, EXAMPLE = "network.onnx", "conditions.json", "separate.py"
FRAMES = 96  # of what the network is traced with


class _Logits(nn.Module):
    """A copy of a separation network, computed layer by layer, from what it sees to its mask logits."""

    def __init__(self, network: ResUNet) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).float().cpu().eval()
        for module in self.modules():
            if isinstance(module, ConditionedNorm):
                module.folds = False

    def forward(self, seen: Tensor, condition: Tensor) -> Tensor:
        return self.network.logits(seen, condition)


def export(separator: LanguageSeparator, queries: Sequence[str], out: Path, *, force: bool = False) -> list[Path]:
    """Write a separator to `out`: network.onnx, conditions.json and an example, separate.py, that needs no more.

    The network makes mask logits `(1, 1 or 3, frames, bins)` of what it sees `(1, 1, frames, bins)` and of a condition
    `(1, 512)`; conditions.json has that of each query, and the sizes of the transform. Returns the paths.

    Raises:
        InputError: a query that names nothing, a file that is there already (without `force`), or no ONNX here.
    """
    try:
        import onnxscript  # noqa: F401 - what torch.onnx takes
    except ImportError as error:
        raise InputError(
            f"export: takes the packages onnx and onnxscript ({error}); pip install onnx onnxscript"
        ) from error
    config = separator.network.config
    with torch.no_grad():
        conditions = separator.query_network(list(queries)).float().cpu()
    sizes = {"n_fft": config.n_fft, "hop": config.hop, "compression": config.compression}
    told = sizes | {"conditions": dict(zip(queries, conditions.tolist(), strict=True))}
    paths = [out / name for name in (NETWORK, CONDITIONS, EXAMPLE)]
    refuse_existing(paths, force)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    seen = torch.rand(1, 1, FRAMES, config.n_fft // 2 + 1)
    program = torch.onnx.export(
        _Logits(separator.network).eval(),
        (seen, conditions[:1]),
        input_names=["seen", "condition"],
        output_names=["logits"],
        dynamic_shapes={"seen": {2: torch.export.Dim("frames", min=1, max=1 << 20)}, "condition": None},
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    with atomic_path(paths[0], force) as path:
        program.save(path, include_initializers=True)
    with atomic_path(paths[1], force) as path:
        path.write_text(json.dumps(told) + "\n")
    with atomic_path(paths[2], force) as path:
        shutil.copyfile(Path(__file__).with_name("onnx_example.py"), path)
    return paths
