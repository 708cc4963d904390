from collections import Counter

import pytest

from lass_lab.datasets import heldout_captions, training_captions
from lass_lab.datasets.captions import CAPTIONS
from lass_lab.datasets.instruments import EVERYDAY, INSTRUMENTS, RENDERED, TAUGHT, VOICES


def test_at_least_24_instruments_are_taught_and_none_of_them_is_a_trumpet():
    assert len(TAUGHT) >= 24
    assert set(INSTRUMENTS) - set(RENDERED) == {"trumpet"} and set(TAUGHT) < set(RENDERED)
    # General MIDI, counted from 0: trumpet, muted trumpet, brass section, synth brass.
    assert not {INSTRUMENTS[name].program for name in TAUGHT} & {56, 59, 61, 62, 63}


def test_every_sound_has_phrasings_and_no_two_share_one():
    assert set(CAPTIONS) == {*INSTRUMENTS, *VOICES, *EVERYDAY}
    assert min(len(phrasings) for phrasings in CAPTIONS.values()) >= 12
    counts = Counter(phrasing.lower() for phrasings in CAPTIONS.values() for phrasing in phrasings)
    assert [phrasing for phrasing, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("name", [*INSTRUMENTS, *VOICES, *EVERYDAY])
def test_held_out_phrasings_are_never_trained_with(name):
    assert training_captions(name)[0] == name
    assert len(heldout_captions(name)) == 3
    assert not set(training_captions(name)) & set(heldout_captions(name))
    assert set(training_captions(name)) | set(heldout_captions(name)) == set(CAPTIONS[name])


@pytest.mark.parametrize("name", RENDERED)
def test_no_taught_instrument_is_asked_for_by_a_trumpet(name):
    assert not [phrasing for phrasing in CAPTIONS[name] if "trumpet" in phrasing.lower()]
