"""The duets' scores: the same each time, playable, and kept apart by what is in them."""

import numpy as np
import pytest

from authoring.rendering.duets import PIECES, PLAYERS, arrange, make_duets
from lass_lab.datasets import list_pieces
from lass_lab.datasets.instruments import INSTRUMENTS
from lass_lab.signal.files import InputError

NAMES = [piece["name"] for piece in PIECES]


def test_pieces_of_different_splits_share_no_tune():
    assert sorted(list_pieces()) == sorted(NAMES)
    tunes = {piece["name"]: {section["tune"] for section in piece["sections"]} for piece in PIECES}
    for name in list_pieces("test") + list_pieces("out-of-domain"):
        assert not any(tunes[name] & tunes[other] for other in NAMES if other != name)


@pytest.mark.parametrize("piece", PIECES, ids=NAMES)
def test_an_arrangement_is_deterministic_and_playable_in_overlapping_ranges(piece):
    notes, seconds = arrange(piece)
    assert (notes, seconds) == arrange(piece)
    pitches = {player: [note.pitch for note in notes[player]] for player in PLAYERS}
    for player in PLAYERS:
        assert INSTRUMENTS[player].low <= min(pitches[player]) <= max(pitches[player]) <= INSTRUMENTS[player].high
        assert max(note.start_s + note.duration_s for note in notes[player]) < seconds
    violin, trumpet = (pitches[player] for player in PLAYERS)
    shared = range(max(min(violin), min(trumpet)), min(max(violin), max(trumpet)) + 1)
    assert np.mean([pitch in shared for pitch in violin + trumpet]) > 0.5


def test_nothing_shipped_is_overwritten_unasked(tmp_path):
    (tmp_path / "manifest.csv").write_text("mine")
    with pytest.raises(InputError, match="manifest.csv: exists already"):
        make_duets(tmp_path)
    assert (tmp_path / "manifest.csv").read_text() == "mine"
