"""What a damaged recording still holds comes out as it was, in its place; what is said of it: tests/test_faults.py."""

import numpy as np
import pytest

from lass_lab.signal import AudioError, DamageWarning, read_blocks
from tests.hostile import RATE, mp3, opus, vorbis, wave

MAKERS = {"mp3": mp3, "ogg": vorbis, "opus": opus, "flac": wave, "wav": wave, "aiff": wave}


def heard(path):
    return np.concatenate(list(read_blocks(path, sample_rate=None)), axis=1)


@pytest.mark.parametrize("suffix", MAKERS)
def test_what_comes_before_a_cut_is_as_it_was(tmp_path, suffix):
    path = tmp_path / f"sound.{suffix}"
    MAKERS[suffix](path)
    whole, content = heard(path), path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    with pytest.warns(DamageWarning):
        found = heard(path)[:, : -RATE // 10]
    expected = whole[:, : found.shape[1]]
    assert found.shape[1] > RATE // 2  # an Opus page holds a second
    assert np.square(found - expected).mean() < 1e-6 * np.square(expected).mean()


def test_a_w64_of_zeros_ends(tmp_path):
    (tmp_path / "empty.w64").write_bytes(b"riff" + bytes(100))
    with pytest.raises(AudioError, match="cannot be read as audio"):
        heard(tmp_path / "empty.w64")
