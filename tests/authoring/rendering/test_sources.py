import numpy as np
import pandas as pd
import pytest

from authoring.rendering.sources import excerpt_sources, loudest_start
from lass_lab.datasets.mixing import SourceBank
from lass_lab.signal import SAMPLE_RATE
from lass_lab.signal.files import InputError
from tests.made_sources import TONES, made_bank


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made_bank(tmp_path_factory.mktemp("bank"))


def test_a_small_bank_is_cut_out_of_a_large_one_where_it_is_loudest(folder, tmp_path):
    table = excerpt_sources(folder, tmp_path, clips={"train": 2, "test": 1}, seconds=1.0)
    clips = pd.read_csv(table)
    assert clips.groupby(["split", "instrument"]).size().to_dict() == {
        (split, name): count for split, count in (("train", 2), ("test", 1)) for name in TONES
    }
    small, large = SourceBank(tmp_path, "train"), SourceBank(folder, "train")
    assert small.instruments == large.instruments and set(small.clips["seconds"]) == {1.0}
    tone = small.read(0, 0, SAMPLE_RATE)
    pitch = float(np.argmax(np.abs(np.fft.rfft(tone))))  # one second: bins are Hz
    assert min(abs(pitch / TONES[small.clips.at[0, "instrument"]] - ratio) for ratio in (1, 8 / 7)) < 0.01
    swell = np.concatenate([np.full(SAMPLE_RATE, level, np.float32) for level in (0.1, 0.2, 0.3, 0.3)])
    assert loudest_start(swell, 2.0) == 2 * SAMPLE_RATE
    with pytest.raises(InputError, match="exists already"):
        excerpt_sources(folder, tmp_path, clips={"train": 1}, seconds=1.0)
