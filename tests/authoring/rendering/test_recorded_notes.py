"""SoundFonts made of single notes: the right note for each key, in tune, and a clear line where one cannot be made."""

import io
import shutil
import tarfile

import numpy as np
import pytest
import soundfile

from authoring.rendering import recorded_notes
from authoring.rendering.fluidsynth import RenderError, find_fluidsynth, render_notes
from authoring.rendering.performance import Note
from authoring.rendering.recorded_notes import make_recorded_notes
from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.signal.files import InputError

NOTES = {"A3.mp3": 220.0, "A4.mp3": 440.0, "Fs5.mp3": 739.99}


def _can_play() -> bool:
    try:
        return bool(find_fluidsynth() and shutil.which("polyphone"))
    except RenderError:
        return False


@pytest.fixture
def archive(tmp_path):
    """A package of three notes, and of what else packages hold."""
    path = tmp_path / "package.tgz"
    with tarfile.open(path, "w:gz") as packed:
        for name, pitch in NOTES.items():
            sound = io.BytesIO()
            soundfile.write(sound, 0.5 * np.sin(2 * np.pi * pitch * np.arange(88_200) / 44_100), 44_100, format="MP3")
            _add(packed, f"package/{name}", sound.getvalue())
        _add(packed, "package/README.md", b"notes")
        _add(packed, "../A2.txt", b"not a note")
    return path


def _add(packed, name, data):
    member = tarfile.TarInfo(name)
    member.size = len(data)
    packed.addfile(member, io.BytesIO(data))


def test_every_key_is_played_by_the_nearest_note(archive, tmp_path):
    folder = tmp_path / "unpacked"
    folder.mkdir()
    regions = recorded_notes._unpack(archive, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["A3.wav", "A4.wav", "Fs5.wav"]
    spans = {region.center: (region.sample, region.low, region.high) for region in regions}
    assert spans == {57: ("A3.wav", 0, 63), 69: ("A4.wav", 64, 73), 78: ("Fs5.wav", 74, 127)}


@pytest.mark.skipif(not _can_play(), reason="polyphone, fluidsynth or mido is missing")
def test_a_soundfont_made_of_notes_plays_in_tune_and_ends_in_time(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(recorded_notes, "_PACKAGES", {"flute": recorded_notes._Package("flute", "1", "")})
    monkeypatch.setattr(recorded_notes, "fetch", lambda url, sha1, folder: archive)
    path = make_recorded_notes(tmp_path / "out") / "flute.sf2"
    for key in (57, 60, 71, 84):
        sound = render_notes([Note(0.0, 1.0, key, 100)], INSTRUMENTS["glockenspiel"], str(path), 1, seconds=2.0)
        spectrum = np.abs(np.fft.rfft(sound[:32_000] * np.hanning(32_000)))
        assert np.argmax(spectrum) == pytest.approx(440 * 2 ** ((key - 69) / 12), rel=0.02)
        assert np.abs(sound[48_000:]).max() < 0.01 * np.abs(sound).max()
    made = path.stat().st_mtime_ns
    monkeypatch.setattr(recorded_notes, "fetch", None)  # what is there is not fetched again
    make_recorded_notes(tmp_path / "out")
    assert path.stat().st_mtime_ns == made


def test_what_is_missing_is_named_and_nothing_is_half_written(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(RenderError, match="polyphone: command not found; install it with"):
            make_recorded_notes(tmp_path / "out")
    monkeypatch.setattr(shutil, "which", lambda command: command)
    monkeypatch.setattr(recorded_notes, "_REGISTRY", "http://127.0.0.1:9/{name}-{version}.tgz")
    with pytest.raises(InputError, match="http://127.0.0.1:9/violin-1.1.1.tgz: cannot be fetched"):
        make_recorded_notes(tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))
