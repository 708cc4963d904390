"""The query bench answers what was typed, says in one line why it cannot, and leaves its first answer behind."""

import base64
import io
import json
from datetime import UTC, datetime

import numpy as np
import pytest
import soundfile

from lass_lab.course.nb00.widgets import query_bench, your_recording
from lass_lab.signal import InputError
from tests.course.controls import bridge_of, click, control, page_after, sounds, text

pytestmark = pytest.mark.usefixtures("shell")
MIXTURE = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)


class Halves:
    """Gives half of the mixture for every query but the silent one, and refuses empty ones as the real one does."""

    def __init__(self):
        self.asked = []

    def separate(self, mixture, query, *, progress):
        self.asked.append(query)
        if not query.strip():
            raise InputError("query: is empty; name a sound")
        return mixture * (0.0 if query == "silence" else 0.5)


@pytest.fixture
def separator():
    return Halves()


@pytest.fixture
def bench(separator):
    return query_bench(separator, MIXTURE, "a fiddle")


def type_in(bench, query):
    """Type a query as a front end does, then click."""

    def act():
        control(bench, "query").value = query
        control(bench, "separate").click()

    return page_after(act)


def test_the_first_answer_is_there_without_a_kernel(bench, separator):
    assert separator.asked == ["a fiddle"] and control(bench, "query").value == "a fiddle"
    page = bench.still.data
    assert page.count("<audio") == 2 and page.count("<img") == 1 + 2
    assert "“a fiddle”, the first 1 s" in page
    # Half the amplitude is a quarter of the energy.
    assert "at -6.0 dB against the mixture" in page


def test_a_click_shows_the_answer_to_what_was_typed_once(bench, separator):
    assert "“a fiddle”" in click(bench, "separate"), "nothing was typed"
    page = type_in(bench, "the violin")
    assert separator.asked == ["a fiddle", "a fiddle", "the violin"]
    assert "estimate for “the violin”" in page and page.count("<audio") == 2
    assert not control(bench, "separate").disabled


def test_a_query_that_cannot_be_answered_shows_one_line(bench):
    assert text(type_in(bench, "  ")) == "query: is empty; name a sound"
    assert "the estimate is silent." in type_in(bench, "silence")


@pytest.mark.parametrize("query", ["$x_$", "<b>loud</b>", "小提琴 🎻", "word " * 200])
def test_any_characters_may_stand_in_a_query(bench, query):
    page = type_in(bench, query)
    assert page.count("<audio") == 2 and "<b>" not in page


def recording(seconds, kind="FLAC"):
    """A stereo file at 44.1 kHz, in bytes."""
    buffer = io.BytesIO()
    waveform = np.random.default_rng(0).normal(0, 0.1, round(seconds * 44_100))
    soundfile.write(buffer, np.stack([waveform, waveform], axis=1), 44_100, format=kind)
    return buffer.getvalue()


def drop(place, name, content):
    sent = json.dumps({"name": name, "data": base64.b64encode(content).decode(), "sent": 1})
    return page_after(lambda: setattr(bridge_of(place), "value", sent))


def choose(place, name, content):
    file = {"name": name, "type": "", "size": len(content), "content": content, "last_modified": datetime.now(UTC)}
    return page_after(lambda: control(place, "choose a file").set_trait("value", (file,)))


@pytest.mark.parametrize("give", [drop, choose])
def test_a_recording_that_is_given_is_separated_by_the_words_in_the_field(separator, give):
    place = your_recording(separator, "a fiddle")
    page = give(place, "<me>.flac", recording(1.5))
    assert "&lt;me&gt;.flac:" in page and "“a fiddle”, the first 2 s" in page and "at -6.0 dB" in page
    assert all(len(played) / 32_000 == pytest.approx(1.5, abs=0.1) for played in sounds(page).values())

    def ask():
        control(place, "query").value = "silence"

    assert "the estimate is silent" in page_after(ask), "the recording was kept"


def test_of_a_long_recording_the_beginning_is_taken(separator):
    page = drop(your_recording(separator), "long.ogg", recording(25, "OGG"))
    assert all(20 <= len(played) / 32_000 < 20.1 for played in sounds(page).values())


def test_a_file_that_is_too_large_to_be_dropped_gives_one_line(separator):
    place, sent = your_recording(separator), json.dumps({"name": "opera.wav", "size": 9e7, "sent": 1})
    page = page_after(lambda: setattr(bridge_of(place), "value", sent))
    assert text(page).startswith("opera.wav: 90 MB are too large") and separator.asked == []


def test_a_file_without_sound_gives_one_line(separator):
    page = drop(your_recording(separator), "letter.txt", b"Dear Sir or Madam")
    assert text(page).startswith("letter.txt: letter.txt: ") and "/tmp" not in page and separator.asked == []
