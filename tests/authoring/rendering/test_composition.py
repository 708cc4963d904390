import numpy as np
import pytest

from authoring.rendering.composition import compose, counterpoint, ladder
from authoring.rendering.duets import TUNES, Tune
from authoring.rendering.performance import Event, add_chords, fit_to_range
from lass_lab.datasets.instruments import INSTRUMENTS


def test_the_same_seed_gives_the_same_notes():
    assert compose(3, 20.0, voices=3) == compose(3, 20.0, voices=3)
    assert compose(3, 20.0) != compose(4, 20.0)


@pytest.mark.parametrize("seed", range(8))
def test_a_score_fills_its_time_in_its_key_and_never_exceeds_it(seed):
    score = compose(seed, 20.0, voices=4)
    assert len(score.voices) == 4
    for notes in score.voices:
        assert max(note.start_s + note.duration_s for note in notes) <= 20.0
        assert max(note.start_s for note in notes) > 15.0
        assert min(note.start_s for note in notes) >= 0
        assert all(note.duration_s > 0 and 1 <= note.velocity <= 127 for note in notes)
        assert {note.pitch % 12 for note in notes} <= set(score.key)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_a_voice_moves_into_an_instruments_range_by_octaves(name):
    notes = list(compose(5, 30.0).voices[0])
    player = INSTRUMENTS[name]
    moved = fit_to_range(notes, player, np.random.default_rng(0))
    assert all(player.low <= note.pitch <= player.high for note in moved)
    assert [note.pitch % 12 for note in moved] == [note.pitch % 12 for note in notes]


def test_chords_only_add_notes_of_the_key_within_the_range():
    score, player = compose(6, 30.0), INSTRUMENTS["piano"]
    notes = fit_to_range(score.voices[0], player, np.random.default_rng(0))
    thick = add_chords(notes, score.key, player, np.random.default_rng(0))
    assert len(thick) > len(notes)
    assert set(notes) <= set(thick)
    assert all(note.pitch % 12 in score.key and note.pitch >= player.low for note in thick)


@pytest.mark.parametrize("seed", range(6))
def test_counterpoint_is_consonant_on_the_beat_and_has_no_parallel_fifths_or_octaves(seed):
    steps = ladder(2, "major")
    lead = TUNES["ode_to_joy"].line()
    follow = counterpoint([lead], steps, np.random.default_rng(seed), beats=4, split=2, centre=60)

    def lead_at(beat):
        return next((event.pitch for event in lead if event.beat <= beat < event.end), None)

    on_beat = [event for event in follow if event.beat == round(event.beat) and lead_at(event.beat)]
    consonant = [abs(event.pitch - lead_at(event.beat)) % 12 in (0, 3, 4, 7, 8, 9) for event in on_beat]
    assert np.mean(consonant) > 0.97
    parallel = [
        abs(one.pitch - lead_at(one.beat)) % 12 == abs(two.pitch - lead_at(two.beat)) % 12 in (0, 7)
        and one.pitch != two.pitch
        and lead_at(one.beat) != lead_at(two.beat)
        for one, two in zip(follow, follow[1:], strict=False)
        if lead_at(one.beat) and lead_at(two.beat)
    ]
    assert np.mean(parallel) < 0.02
    assert {event.pitch % 12 for event in follow} <= {pitch % 12 for pitch in steps}
    assert all(abs(event.pitch - 60) <= 9 for event in follow)


def test_a_tune_is_read_as_written():
    line = Tune("", "", 0, "major", 3, 2, 1, "G4 | C5*2 Bb4*.5 F#4*.5 | r C4*2").line()
    assert line == [
        Event(2.0, 1.0, 67),
        Event(3.0, 2.0, 72),
        Event(5.0, 0.5, 70),
        Event(5.5, 0.5, 66),
        Event(7.0, 2.0, 60),
    ]
    with pytest.raises(ValueError, match="bar 1 holds 4 beats"):
        Tune("", "", 0, "major", 3, 2, 1, "G4 | C5*4 | C5").line()
