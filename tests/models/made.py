"""Made weights of AudioSep's exact keys and shapes: the recipe under which the parity answer was recorded."""

import json
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

FIXTURES = Path(__file__).parents[1] / "fixtures"


def made_audiosep_state(salt: int = 0, prefix: str = "") -> dict[str, Tensor]:
    shapes = json.loads((FIXTURES / "audiosep_state_dict.json").read_text())
    return {prefix + key: draw(key, shape, salt) for key, shape in shapes.items() if "stft" not in key}


def draw(key: str, shape: list[int], salt: int) -> Tensor:
    rng = np.random.Generator(np.random.Philox(key=zlib.crc32(key.encode()) + salt))
    if key.endswith("num_batches_tracked"):
        return torch.tensor(0)
    if key.endswith("running_var") or (key.endswith("weight") and len(shape) == 1 and ".bn" in key):
        values = rng.uniform(0.5, 1.5, shape)
    elif key.endswith("running_mean") or len(shape) == 1:
        values = 0.1 * rng.standard_normal(shape)
    else:
        values = rng.standard_normal(shape) / math.sqrt(math.prod(shape[1:]))
    return torch.from_numpy(np.asarray(values, np.float32))


def relative_error(found, expected):
    return (torch.linalg.vector_norm(found - expected) / torch.linalg.vector_norm(expected)).item()
