import os
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile

from authoring.rendering.acoustics import add_room
from authoring.rendering.fluidsynth import Clip, find_fluidsynth, find_soundfont, render_clips
from authoring.rendering.performance import Note
from authoring.rendering.sources import COLUMNS, active_rms_db, normalised, plan_sources, render_sources
from lass_lab.datasets.instruments import INSTRUMENTS, RENDERED
from lass_lab.signal.files import InputError

SOUNDFONT = "TimGM6mb"


try:
    can_render = bool(find_fluidsynth() and find_soundfont(SOUNDFONT))
except InputError:
    can_render = False
needs_fluidsynth = pytest.mark.skipif(not can_render, reason="fluidsynth or TimGM6mb is missing")


def _render(notes: list[Note], seed: int, soundfont: str = SOUNDFONT) -> np.ndarray:
    return render_clips([Clip(notes, INSTRUMENTS["flute"], seed)], soundfont, seconds=2.0)[0]


def _onset(waveform: np.ndarray) -> float:
    return np.flatnonzero(np.abs(waveform) > 0.2 * np.abs(waveform).max())[0] / 32_000


@needs_fluidsynth
def test_a_rendered_note_has_its_pitch_and_time_and_is_the_same_every_time():
    notes = [Note(0.5, 1.2, 69, 100)]
    sound = _render(notes, 1)
    assert sound.shape == (64_000,) and sound.dtype == np.float32
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert np.argmax(spectrum) * 0.5 == pytest.approx(440, abs=6)
    assert 0.5 <= _onset(sound) < 0.7
    assert np.array_equal(sound, _render(notes, 1))
    assert not np.array_equal(sound, _render(notes, 2))


@needs_fluidsynth
def test_clips_of_one_run_keep_their_time_and_do_not_ring_into_each_other():
    ringing = Clip([Note(0.3, 2.0, 60, 120)], INSTRUMENTS["piano"], 0)
    silent = Clip([], INSTRUMENTS["piano"], 0)
    clicks = Clip([Note(t, 0.2, 84, 120) for t in (1.0, 1.3337, 1.7)], INSTRUMENTS["xylophone"], 0)
    sounds = render_clips([ringing, silent, clicks, ringing, clicks], SOUNDFONT, seconds=1.999)
    assert np.abs(sounds[1]).max() < 1e-6
    assert _onset(sounds[2]) == pytest.approx(1.0, abs=0.01)
    # Beyond a difference in the first 2 ms of a note, a clip sounds the same wherever it lies.
    for one, two in ((0, 3), (2, 4)):
        assert np.sum((sounds[one] - sounds[two]) ** 2) < 1e-2 * np.sum(sounds[one] ** 2)


@needs_fluidsynth
def test_a_broken_soundfont_is_an_error_not_another_soundfont(tmp_path):
    broken = tmp_path / "broken.sf2"
    broken.write_bytes(b"RIFF" + bytes(100))
    with pytest.raises(InputError, match="broken.sf2: "):
        _render([Note(0.0, 0.5, 60, 100)], 0, str(broken))


@needs_fluidsynth
def test_notes_that_come_out_silent_are_an_error():
    with pytest.raises(InputError, match="flute is silent"):
        _render([Note(2.5, 0.5, 60, 100)], 0)


def test_a_missing_program_or_soundfont_says_what_to_install(monkeypatch, tmp_path):
    with pytest.raises(InputError, match="Nowhere_GM: .*fluid-soundfont-gm") as caught:
        find_soundfont("Nowhere_GM")
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("fluidsynth") is None
    with pytest.raises(InputError, match="apt install fluidsynth.*brew install fluid-synth"):
        find_fluidsynth()


def test_a_room_keeps_the_direct_sound_and_decays_by_60_db_in_its_time():
    impulse = np.zeros(32_000, dtype=np.float32)
    impulse[0] = 1.0
    echoing = add_room(impulse, np.random.default_rng(0), rt60=0.5, wet_db=-12).astype(np.float64)
    assert echoing[0] == pytest.approx(1.0, abs=1e-5)
    assert 10 * np.log10(np.sum(echoing[1:] ** 2)) == pytest.approx(-12, abs=0.01)
    early, late = (np.mean(echoing[start : start + 1_600] ** 2) for start in (1_600, 11_200))
    assert 10 * np.log10(early / late) == pytest.approx(60 * 0.3 / 0.5, abs=1.0)


def test_levels_are_measured_where_it_sounds():
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(64_000) / 32_000)
    tone[32_000:] = 0
    assert active_rms_db(tone) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert active_rms_db(normalised(tone)) == pytest.approx(-20, abs=0.01)
    clicks = np.zeros(64_000)
    clicks[::16_000] = 0.1
    assert np.abs(normalised(clicks)).max() == pytest.approx(0.9)
    assert active_rms_db(np.zeros(64_000)) == -np.inf


def test_a_bank_is_planned_by_score_and_a_larger_one_begins_with_the_smaller():
    clips = {"train": 3, "validation": 1, "test": 1}
    planned = plan_sources(clips, ("one", "two"))
    assert len({clip.path for clip in planned}) == len(planned) == 5 * 2 * len(RENDERED)
    for split, count in clips.items():
        for soundfont in ("one", "two"):
            mine = [c.instrument for c in planned if (c.split, c.soundfont) == (split, soundfont)]
            assert sorted(mine) == sorted(count * RENDERED)
    scores: dict[tuple, list] = {}
    for clip in planned:
        scores.setdefault((clip.split, clip.score), []).append(clip)
    for voices in scores.values():
        assert 2 <= len(voices) <= 4
        assert len({clip.instrument for clip in voices}) == len(voices) == voices[0].voices
    seeds = {clip.seed(0) for clip in planned}
    assert len(seeds) == len(scores)
    smaller = plan_sources({"train": 2}, ("one", "two"))
    assert smaller == planned[: len(smaller)]


@needs_fluidsynth
def test_a_bank_is_rendered_resumed_and_kept_from_other_settings(tmp_path):
    settings = {"clips": {"test": 1}, "seconds": 1.0, "soundfonts": (SOUNDFONT,), "workers": 1}
    table = pd.read_csv(render_sources(tmp_path, **settings))
    assert tuple(table.columns) == COLUMNS
    assert sorted(table.instrument) == sorted(RENDERED)
    sounds = {path: soundfile.read(tmp_path / path) for path in table.path}
    assert all(rate == 32_000 and sound.shape == (32_000,) for sound, rate in sounds.values())
    assert all(-30 < active_rms_db(sound) < -19.9 for sound, _ in sounds.values())

    *others, lost = table.path
    os.remove(tmp_path / lost)
    times = [os.stat(tmp_path / path).st_mtime_ns for path in others]
    render_sources(tmp_path, **settings)
    assert [os.stat(tmp_path / path).st_mtime_ns for path in others] == times
    assert np.array_equal(soundfile.read(tmp_path / lost)[0], sounds[lost][0])

    with pytest.raises(InputError, match="settings.json: .*other settings"):
        render_sources(tmp_path, **settings | {"seconds": 4.0})
