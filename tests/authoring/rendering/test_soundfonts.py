"""SoundFonts of recorded notes and of Gravis patches: read exactly, the right sample for each key, in tune."""

import shutil
import struct

import numpy as np
import pytest
import soundfile

from authoring.rendering import gus_patches, soundfonts
from authoring.rendering.fluidsynth import Clip, render_clips
from authoring.rendering.gus_patches import make_freepats, read_patch
from authoring.rendering.performance import Note
from authoring.rendering.soundfonts import PACKAGES, make_recorded_notes
from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.signal.files import InputError

needs_polyphone = pytest.mark.skipif(
    not (shutil.which("fluidsynth") and shutil.which("polyphone")), reason="polyphone or fluidsynth is missing"
)
NOTES = {"A3": 220.0, "A4": 440.0, "Fs5": 739.99}
RATE = 22_050
WIDE, UNSIGNED, LOOPED = 1, 2, 4


@pytest.fixture
def package(tmp_path):
    """The files of a package of three notes."""
    paths = [tmp_path / "package" / name for name in ("README.md", *(f"{note}.mp3" for note in NOTES))]
    paths[0].parent.mkdir()
    for path, pitch in zip(paths[1:], NOTES.values(), strict=True):
        soundfile.write(path, 0.5 * np.sin(2 * np.pi * pitch * np.arange(88_200) / 44_100), 44_100, format="MP3")
    return paths


def _sample(data, modes, lowest, highest, root, loop):
    """One sample of a patch: 96 bytes of header, of which what `read_patch` reads is filled."""
    width = 2 if modes & WIDE else 1
    hertz = [round(1000 * value) for value in (lowest, highest, root)]
    header = struct.pack("<7sBIIIHIII", b"a note", 0, len(data), loop[0] * width, loop[1] * width, RATE, *hertz)
    return header.ljust(55, b"\0") + bytes([modes]) + bytes(40) + data


def _patch(*samples):
    return b"GF1PATCH110\0ID#000002\0".ljust(198, b"\0") + bytes([len(samples)]) + bytes(40) + b"".join(samples)


@pytest.fixture
def two_tones():
    """Two octaves a quarter tone off, 0.1 to 0.2 s, looped whole: the upper one comes first, as in some files."""
    samples = []
    for pitch, lowest, highest in ((440 * 2 ** (0.5 / 12), 311, 2000), (220 * 2 ** (0.5 / 12), 8, 311)):
        wave = 0.5 * np.sin(2 * np.pi * pitch * np.arange(round(44 * RATE / pitch)) / RATE)
        data = np.round(32_767 * wave).astype("<i2").tobytes()
        samples.append(_sample(data, WIDE | LOOPED, lowest, highest, pitch, (0, len(wave))))
    return _patch(*samples)


def test_every_kind_of_sample_is_read_exactly():
    values = np.array([-32_768, -1, 0, 256, 32_767])
    kinds = {
        WIDE: values.astype("<i2").tobytes(),
        WIDE | UNSIGNED: (values + 32_768).astype("<u2").tobytes(),
        0: (values // 256).astype("i1").tobytes(),
        UNSIGNED | LOOPED: (values // 256 + 128).astype("u1").tobytes(),
    }
    read = list(read_patch(_patch(*(_sample(data, modes, 8, 100, 50, (1, 4)) for modes, data in kinds.items()))))
    for sample, modes in zip(read, kinds, strict=True):
        expected = values / 32_768 if modes & WIDE else values // 256 / 128
        np.testing.assert_array_equal(sample.waveform, expected.astype(np.float32))
        assert (sample.rate, sample.highest, sample.root) == (RATE, 100, 50)
        assert sample.loop == ((1, 3) if modes & LOOPED else None)


def test_every_key_is_played_by_the_nearest_recording(package, two_tones, tmp_path):
    regions = soundfonts._keyboard(package, tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.wav")) == ["A3.wav", "A4.wav", "Fs5.wav"]
    spans = {region.center: (region.sample, region.low, region.high) for region in regions}
    assert spans == {57: ("A3.wav", 0, 63), 69: ("A4.wav", 64, 73), 78: ("Fs5.wav", 74, 127)}
    lower, upper = gus_patches._keyboard(two_tones, tmp_path)
    assert (lower.low, lower.high, lower.center + lower.cents / 100) == (0, 62, 57.5)
    assert (upper.low, upper.high, upper.center + upper.cents / 100) == (63, 127, 69.5)


@needs_polyphone
def test_a_soundfont_plays_in_tune_for_as_long_as_asked(package, two_tones, tmp_path, monkeypatch):
    patch = tmp_path / "073_Flute.pat"
    patch.write_bytes(two_tones)
    note = {"package": "flute", "version": "1", "sha1": ""}
    monkeypatch.setitem(PACKAGES, "recorded-notes", {"flute": note})
    monkeypatch.setitem(PACKAGES, "freepats", {"flute": "073_Flute"})
    monkeypatch.setattr(soundfonts, "fetch", lambda url, sha1, folder: package)
    monkeypatch.setattr(gus_patches, "fetch", lambda url, sha1, folder: [patch])
    for make, seconds in ((make_recorded_notes, 1.0), (make_freepats, 1.5)):
        path = make(tmp_path / make.__name__) / "flute.sf2"
        for key in (57, 60, 71, 84):
            clip = Clip([Note(0.0, seconds, key, 100)], INSTRUMENTS["glockenspiel"], 1)
            (sound,) = render_clips([clip], str(path), seconds=3.0)
            spectrum = np.abs(np.fft.rfft(sound[:32_000] * np.hanning(32_000)))
            assert np.argmax(spectrum) == pytest.approx(440 * 2 ** ((key - 69) / 12), rel=0.01)
            first, last = np.abs(sound[3_200:16_000]).max(), np.abs(sound[32_000:44_800]).max()
            assert last == pytest.approx(first, rel=0.05) or make is make_recorded_notes
            assert np.abs(sound[64_000:]).max() < 0.01 * first
        made = path.stat().st_mtime_ns
        make(tmp_path / make.__name__)
        assert path.stat().st_mtime_ns == made


@pytest.mark.parametrize("make", [make_recorded_notes, make_freepats])
def test_what_is_missing_is_named_and_nothing_is_half_written(make, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(InputError, match="polyphone: command not found"):
            make(tmp_path / "out")
    monkeypatch.setattr(shutil, "which", lambda command: command)
    monkeypatch.setattr(soundfonts, "_REGISTRY", "http://127.0.0.1:9/{name}-{version}.tgz")
    monkeypatch.setattr(gus_patches, "_URL", "http://127.0.0.1:9/freepats.tgz")
    with pytest.raises(InputError, match=r"http://127.0.0.1:9/\S*.tgz: cannot be fetched"):
        make(tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))


def test_no_source_is_a_trumpet():
    assert not any("rumpet" in str(packages) for packages in PACKAGES.values())
