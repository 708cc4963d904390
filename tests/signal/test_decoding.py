"""Sound from elsewhere: decoded from its first sample to its last, or what is missing is said."""

import os
import struct
import threading
import warnings

import av
import numpy as np
import pytest
import soundfile

from lass_lab.signal import AudioError, DamageWarning, read_blocks

RATE = 48_000
SECONDS = 4.0
# Suffix, encoder, its options, and by how many samples the length may differ where nothing in the file tells it.
LOSSY = [
    ("mp3", "libmp3lame", {}, 0),
    ("mp3", "libmp3lame", {"write_xing": "0"}, 3 * 1152),
    ("m4a", "aac", {}, 0),
    ("aac", "aac", {}, 3 * 1024),
    ("ogg", "vorbis", {}, 0),
    ("opus", "libopus", {}, 0),
    ("webm", "libopus", {}, 960),
    ("mp2", "mp2", {}, 2 * 1152),
    ("ac3", "ac3", {}, 2 * 1536),
    ("mp4", "alac", {}, 0),
]
UNTOLD = {"aac": 1024, "mp2": 481, "ac3": 256}  # samples that an encoder adds and its file keeps silent of


def made(path, codec, options=None):
    """A file of two voices, encoded; returns them, `(channels, samples)`."""
    rng, size = np.random.default_rng(0), round(SECONDS * RATE)
    spectra = np.fft.rfft(rng.standard_normal((2, size)))
    spectra[:, np.fft.rfftfreq(size, 1 / RATE) > 4_000] = 0
    sound = 0.1 * np.fft.irfft(spectra, size) / np.fft.irfft(spectra, size).std()
    sound = np.clip(sound, -0.9, 0.9).astype(np.float32)
    if codec == "vorbis":  # FFmpeg's own encoder of it is no good
        soundfile.write(path, sound.T, RATE, "VORBIS", format="OGG", compression_level=0.2)
        return sound
    with av.open(str(path), "w", options=options or {}) as file:
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


@pytest.mark.parametrize(("suffix", "codec", "options", "apart"), LOSSY, ids=[f"{case[0]}-{case[2]}" for case in LOSSY])
def test_it_begins_at_its_first_sample(tmp_path, suffix, codec, options, apart):
    path = tmp_path / f"sound.{suffix}"
    sound = made(path, codec, options)
    found, told = heard(path)
    assert not told and abs(found.shape[1] - sound.shape[1]) <= apart
    late = UNTOLD.get(suffix, 1105 if options else 0)
    assert error_db(found[:, late:], sound) < -12
    path.rename(path.with_suffix(".wav"))  # what it is called does not matter
    np.testing.assert_array_equal(heard(path.with_suffix(".wav"))[0], found)


@pytest.mark.parametrize(("suffix", "codec"), [("mp3", "libmp3lame"), ("ogg", "vorbis"), ("opus", "libopus")])
def test_of_two_streams_in_one_file_both_are_heard(tmp_path, suffix, codec):
    path = tmp_path / f"sound.{suffix}"
    sound = made(path, codec)
    path.write_bytes(2 * path.read_bytes())
    found, told = heard(path)
    second = found[:, sound.shape[1] :]
    lag = min(range(0, 3_000), key=lambda late: error_db(second[:, late : late + RATE], sound[:, :RATE]))
    assert error_db(found, sound) < -12 and error_db(second[:, lag : lag + 3 * RATE], sound[:, : 3 * RATE]) < -12


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


def test_a_header_that_promises_more_than_there_is(tmp_path):
    path = tmp_path / "sound.wav"
    made(path, "pcm_s16le")
    content = path.read_bytes()
    start = content.index(b"data") + 8
    path.write_bytes(content[: start + 32])
    found, told = heard(path)
    assert found.shape == (2, 8) and told == ["holds 0.000 s of the 4.000 s that it should"]
    for unknown in (0, 0xFFFFFFFF):  # as it is streamed: the length is that of the file
        path.write_bytes(content[: start - 4] + struct.pack("<I", unknown) + content[start:])
        assert heard(path)[0].shape == (2, SECONDS * RATE) and not heard(path)[1]


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


def test_a_hole_in_an_ogg_is_told(tmp_path):
    path = tmp_path / "sound.ogg"
    made(path, "vorbis")
    pages = path.read_bytes().split(b"OggS")
    path.write_bytes(b"OggS".join(pages[: len(pages) // 2] + pages[len(pages) // 2 + 2 :]))
    assert any(" s of the 4.000 s" in line or "has a hole" in line for line in heard(path)[1])


def test_what_stands_before_an_mp3_is_passed_over(tmp_path):
    path = tmp_path / "sound.mp3"
    sound = made(path, "libmp3lame")
    content = path.read_bytes()
    for before in (bytes(65_536), b"what comes first " * 99):
        path.write_bytes(before + content)
        assert error_db(heard(path)[0][:, 1105:], sound) < -12
    path.write_bytes(content[5_000:])  # begins within a frame
    assert heard(path)[0].shape[1] > 3.5 * RATE


def test_a_playlist_opens_nothing_else(tmp_path):
    made(tmp_path / "sound.wav", "pcm_s16le")
    lists = {"list.m3u8": "#EXTM3U\n#EXTINF:4,\nsound.wav\n", "list.txt": "ffconcat version 1.0\nfile sound.wav\n"}
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(AudioError, match=f"{name}: (cannot be read as audio|holds no)"):
            heard(tmp_path / name)


def test_a_pipe_is_read_to_its_end(tmp_path):
    sound = made(tmp_path / "sound.flac", "flac")
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes((tmp_path / "sound.flac").read_bytes()))
    writer.start()
    assert heard(tmp_path / "pipe")[0].shape == sound.shape
    writer.join()
