"""The map's points are where they are drawn, and each plays its own sound."""

import json
import re

import numpy as np
import pytest
import torch

from lass_lab.course.nb02.word_map import map_words_and_sounds
from tests.course.controls import sounds

NAMES = ("left", "right", "above", "middle")
PLACES = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "above": (0.0, 0.9), "middle": (0.0, -0.3)}


def network(items):
    """Words lie at their places, sounds, told by their levels, at twice that; both clouds are elsewhere."""
    names = [each if isinstance(each, str) else NAMES[round(float(each[0] * 10))] for each in items]
    vectors = torch.zeros(len(items), 8)
    vectors[:, :2] = torch.tensor([PLACES[name] for name in names]) * (1 if isinstance(items[0], str) else 2)
    vectors[:, 7] = 3 if isinstance(items[0], str) else -5
    return vectors


def test_a_sound_is_played_from_where_its_dot_lies():
    clips = {name: np.full(64_000, number / 10) for number, name in enumerate(NAMES)}
    page = map_words_and_sounds(network, clips).data
    assert list(sounds(page)) == ["left (silent)", *NAMES[1:]]
    points = np.array(json.loads(re.search('data-points="([^"]+)"', page)[1]))
    assert ((points > 0) & (points < 1)).all()
    (left, right, above, middle), across = points, np.ptp(points[:, 0])
    assert abs(left[0] - right[0]) == pytest.approx(across)
    assert middle[0] == pytest.approx((left[0] + right[0]) / 2, abs=0.01) and abs(above[1] - middle[1]) > 0.5
    assert "Map of 4 words and their sounds" in page and "hold 100% of how the sounds differ" in page
