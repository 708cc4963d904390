"""What a damaged recording still holds comes out as it was, in its place; what is said of it: tests/test_faults.py."""

import warnings

import av
import numpy as np
import pytest
import soundfile

from lass_lab.signal import DamageWarning, read_blocks

RATE = 48_000
SECONDS = 4.0


def made(path, codec):
    """A file of two voices, encoded; returns them, `(channels, samples)`."""
    rng, size = np.random.default_rng(0), round(SECONDS * RATE)
    spectra = np.fft.rfft(rng.standard_normal((2, size)))
    spectra[:, np.fft.rfftfreq(size, 1 / RATE) > 4_000] = 0
    sound = 0.1 * np.fft.irfft(spectra, size) / np.fft.irfft(spectra, size).std()
    sound = np.clip(sound, -0.9, 0.9).astype(np.float32)
    if codec == "vorbis":  # FFmpeg's own encoder of it is no good
        soundfile.write(path, sound.T, RATE, "VORBIS", format="OGG", compression_level=0.2)
        return
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, RATE, layout="stereo")
        stream.bit_rate = 256_000
        resampler = av.AudioResampler(stream.format, "stereo", RATE, frame_size=stream.codec_context.frame_size or 1024)
        frame = av.AudioFrame.from_ndarray(sound, "fltp", "stereo")
        frame.sample_rate, frame.pts = RATE, 0
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            file.mux(stream.encode(part))
    return sound


def heard(path):
    """A file's samples, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        samples = np.concatenate(list(read_blocks(path, sample_rate=None)), axis=1)
    assert all(warning.category is DamageWarning for warning in caught)
    return samples, [str(warning.message).removeprefix(f"{path}: ") for warning in caught]


def error_db(found, sound):
    size = min(found.shape[1], sound.shape[1])
    return 10 * np.log10(np.mean((found[:, :size] - sound[:, :size]) ** 2) / np.mean(sound[:, :size] ** 2))


STREAMS = [
    ("mp3", "libmp3lame"), ("ogg", "vorbis"), ("opus", "libopus"), ("flac", "flac"), ("wav", "pcm_s16le"),
    ("aiff", "pcm_s16be"),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "codec"), STREAMS)
def test_a_cut_file_says_so(tmp_path, suffix, codec):
    path = tmp_path / f"sound.{suffix}"
    made(path, codec)
    whole, content = heard(path)[0], path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    found, told = heard(path)
    assert 0.4 < found.shape[1] / whole.shape[1] < 0.7 and error_db(found[:, : -RATE // 10], whole) < -60
    assert told and any(" s of the 4.0" in line or "without the mark of its end" in line for line in told)


def test_damage_in_the_middle_shifts_nothing(tmp_path):
    path = tmp_path / "sound.flac"
    made(path, "flac")
    whole, content = heard(path)[0], bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    found, told = heard(path)
    assert told and "has a hole" in told[0]
    assert found.shape == whole.shape
    np.testing.assert_array_equal(found[:, -RATE:], whole[:, -RATE:])
