"""Files in blocks: the very samples that whole files give and get, and nothing left where something fails."""

import warnings

import numpy as np
import pytest
import soundfile
import soxr

from lass_lab.signal import AudioError, AudioWarning, InputError, read_blocks, write_audio, write_blocks

RATE = 32_000


def noise(samples, channels=1, seed=0):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (samples, channels)).astype(np.float32)


def cut(waveforms, size):
    return (waveforms[:, start : start + size] for start in range(0, waveforms.shape[1], size))


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_blocks_are_the_whole_file_to_the_last_bit(tmp_path, rate, channels):
    """Also where soxr resamples the whole at once: its stream keeps no seams."""
    samples = noise(200_003, channels)
    soundfile.write(tmp_path / "noise.wav", samples, rate, subtype="FLOAT")
    blocks = list(read_blocks(tmp_path / "noise.wav"))
    expected = soxr.resample(samples, rate, RATE, quality="VHQ")
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), expected.reshape(-1, channels).T)
    assert len(blocks) > 2 and all(block.dtype == np.float32 for block in blocks)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("size", [1_000, 65_536, 200_000])
def test_each_file_is_the_one_that_write_audio_writes(tmp_path, suffix, size):
    waveforms = noise(150_001, 2).T * [[1.0], [3.0]]  # the second would clip
    waveforms = waveforms.astype(np.float32)
    paths = [tmp_path / "new" / f"{row}{suffix}" for row in range(2)]
    with pytest.warns(AudioWarning) as caught:
        gains = write_blocks(paths, cut(waveforms, size))
    assert [str(warning.message).partition(" is above")[0] for warning in caught] == [f"{paths[1]}: peak 2.7"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = [write_audio(tmp_path / f"{row}{suffix}", waveforms[row]) for row in range(2)]
    assert gains == expected and gains[0] == 0 > gains[1]
    for path in paths:
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()
    assert sorted(path.parent.iterdir()) == paths


def failing(good):
    yield good
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("blocks", "fault"),
    [
        (lambda: failing(np.zeros((2, 100))), ZeroDivisionError),
        (lambda: [np.zeros((2, 100)), np.full((2, 1), np.inf)], AudioError),
        (lambda: [], AudioError),
    ],
)
def test_where_something_fails_nothing_is_left_and_nothing_lost(tmp_path, blocks, fault):
    old, new = tmp_path / "old.wav", tmp_path / "new" / "folder" / "new.wav"
    old.write_text("precious")
    with pytest.raises(fault):
        write_blocks([old, new], blocks(), force=True)
    assert list(tmp_path.iterdir()) == [old] and old.read_text() == "precious"
    with pytest.raises(InputError, match="exists already"):
        write_blocks([new, old], [np.zeros((2, 100))])
    assert list(tmp_path.iterdir()) == [old]
