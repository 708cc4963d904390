"""SoundFonts made of Gravis patches: every kind of sample read exactly, played in tune, and held while a key is."""

import io
import shutil
import struct
import tarfile

import numpy as np
import pytest

from authoring.rendering import gus_patches
from authoring.rendering.fluidsynth import RenderError, find_fluidsynth, render_notes
from authoring.rendering.gus_patches import make_freepats, read_patch
from authoring.rendering.performance import Note
from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.signal.files import InputError

RATE = 22_050
WIDE, UNSIGNED, LOOPED = 1, 2, 4


def _can_play() -> bool:
    try:
        return bool(find_fluidsynth() and shutil.which("polyphone"))
    except RenderError:
        return False


def _sample(data, modes, lowest, highest, root, loop):
    """One sample of a patch: 96 bytes of header, of which what `read_patch` reads is filled."""
    width = 2 if modes & WIDE else 1
    hertz = [round(1000 * value) for value in (lowest, highest, root)]
    header = struct.pack("<7sBIIIHIII", b"a note", 0, len(data), loop[0] * width, loop[1] * width, RATE, *hertz)
    return header.ljust(55, b"\0") + bytes([modes]) + bytes(40) + data


def _patch(*samples):
    return b"GF1PATCH110\0ID#000002\0".ljust(198, b"\0") + bytes([len(samples)]) + bytes(40) + b"".join(samples)


def _tone(pitch, periods=44):
    """So many periods, rounded to samples; 16-bit."""
    wave = 0.5 * np.sin(2 * np.pi * pitch * np.arange(round(periods * RATE / pitch)) / RATE)
    return np.round(32_767 * wave).astype("<i2")


@pytest.fixture
def two_tones():
    """Two octaves a quarter tone off, 0.1 to 0.2 s, looped whole: the upper one comes first, as in some files."""
    low, high = 220 * 2 ** (0.5 / 12), 440 * 2 ** (0.5 / 12)
    upper, lower = _tone(high), _tone(low)
    return _patch(
        _sample(upper.tobytes(), WIDE | LOOPED, 311, 2000, high, (0, len(upper))),
        _sample(lower.tobytes(), WIDE | LOOPED, 8, 311, low, (0, len(lower))),
    )


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
        assert (sample.rate, sample.lowest, sample.highest, sample.root) == (RATE, 8, 100, 50)
        assert sample.loop == ((1, 3) if modes & LOOPED else None)


def test_every_key_is_played_by_one_sample(two_tones, tmp_path):
    lower, upper = gus_patches._regions(two_tones, tmp_path)
    assert (lower.low, lower.high, lower.center + lower.cents / 100) == (0, 62, 57.5)
    assert (upper.low, upper.high, upper.center + upper.cents / 100) == (63, 127, 69.5)


@pytest.mark.skipif(not _can_play(), reason="polyphone, fluidsynth or mido is missing")
def test_a_soundfont_made_of_patches_plays_in_tune_for_as_long_as_asked(two_tones, tmp_path, monkeypatch):
    archive = tmp_path / "package.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        member = tarfile.TarInfo("package/Tone_000/073_Flute.pat")
        member.size = len(two_tones)
        packed.addfile(member, io.BytesIO(two_tones))
    monkeypatch.setattr(gus_patches, "_PATCHES", {"flute": "073_Flute"})
    monkeypatch.setattr(gus_patches, "fetch", lambda url, sha1, folder: archive)
    path = make_freepats(tmp_path / "out") / "flute.sf2"
    for key in (57, 60, 71, 84):
        sound = render_notes([Note(0.0, 1.5, key, 100)], INSTRUMENTS["glockenspiel"], str(path), 1, seconds=3.0)
        spectrum = np.abs(np.fft.rfft(sound[:32_000] * np.hanning(32_000)))
        assert np.argmax(spectrum) == pytest.approx(440 * 2 ** ((key - 69) / 12), rel=0.01)
        first, last = np.abs(sound[3_200:16_000]).max(), np.abs(sound[32_000:44_800]).max()
        assert last == pytest.approx(first, rel=0.05)
        assert np.abs(sound[64_000:]).max() < 0.01 * first
    made = path.stat().st_mtime_ns
    monkeypatch.setattr(gus_patches, "fetch", None)  # what is there is not fetched again
    make_freepats(tmp_path / "out")
    assert path.stat().st_mtime_ns == made


def test_what_is_no_patch_or_is_cut_short_is_refused(two_tones):
    with pytest.raises(InputError, match="no Gravis Ultrasound patch"):
        list(read_patch(b"RIFF" + bytes(400)))
    for length in (239 + 50, len(two_tones) - 1):
        with pytest.raises(InputError, match="ends in the middle of a sample"):
            list(read_patch(two_tones[:length]))


def test_what_is_missing_is_named_and_nothing_is_half_written(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(RenderError, match="polyphone: command not found; install it with"):
            make_freepats(tmp_path / "out")
    monkeypatch.setattr(shutil, "which", lambda command: command)
    monkeypatch.setattr(gus_patches, "_URL", "http://127.0.0.1:9/freepats.tgz")
    with pytest.raises(InputError, match="http://127.0.0.1:9/freepats.tgz: cannot be fetched"):
        make_freepats(tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))


def test_no_source_is_a_trumpet():
    assert not [patch for patch in gus_patches._PATCHES.values() if "Trumpet" in patch]
