"""A finished run of fine-tuning, small enough to be made in seconds, for what reads runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from lass_lab.datasets.duet_mixing import DuetRecipe
from lass_lab.experiments import finetune
from lass_lab.experiments.probes import FORGETTING
from lass_lab.experiments.recipes import FinetuningRecipe, Phase
from lass_lab.models import LanguageSeparator, ResUNet, ResUNetConfig
from lass_lab.models.querynet import TinyQueryNet
from tests.made_duets import made_duets
from tests.made_sources import made_bank

RECIPE = FinetuningRecipe(
    phase1=Phase(epochs=1, rate=1e-2, warmup=2),
    phase2=Phase(epochs=1, rate=1e-3, query_rate=1e-3, captions=True, warmup=2),
    items=DuetRecipe(seconds=0.4),
    batch=8,
    checkpoint_every=2,
    validate_every=2,
)


@contextmanager
def made_run(folder: Path, name: str = "finetune") -> Iterator[Path]:
    """A run in `folder`/`name` of the separator in `folder`/start; meanwhile data and ledger are those of `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LASS_LAB_DATA", str(folder / "data"))
        patch.setenv("LASS_LAB_RUNS", str(folder / "runs"))
        made_duets(folder / "data", seconds=36.0, splits={"one": "train", "three": "test"})
        tones = {name: 220.0 * 1.3**place for place, name in enumerate(FORGETTING)}
        made_bank(folder / "data" / "sources", seconds=5.5, splits=("train", "test"), tones=tones)
        torch.manual_seed(0)
        small = ResUNetConfig(channels=(2, 3), n_fft=256, hop=80)
        LanguageSeparator(TinyQueryNet(), ResUNet(small)).save_pretrained(folder / "start")
        finetune(folder / "start", folder / name, RECIPE, progress=False)
        yield folder / name
