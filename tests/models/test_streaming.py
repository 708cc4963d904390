"""Windows whose weights sum to one: an identity network must give its input back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from lass_lab.models.streaming import Windows, stream
from lass_lab.signal.files import InputError


def run(mixture, windows, separate=lambda cut: cut[None], size=50_000):
    blocks = (mixture[start : start + size] for start in range(0, len(mixture), size))
    return np.concatenate(list(stream(blocks, windows, separate)), axis=1)


@given(
    length=some.integers(1, 700), size=some.integers(2, 90), overlap=some.integers(0, 45),
    margin=some.integers(0, 22), block=some.integers(1, 200), seed=some.integers(0, 9),
)  # fmt: skip
def test_identity_gives_its_input_back(length, size, overlap, margin, block, seed):
    overlap = min(overlap, size // 2)
    windows = Windows(size, overlap, min(margin, overlap // 2))
    mixture = np.random.default_rng(seed).uniform(-1, 1, length).astype(np.float32)
    np.testing.assert_allclose(run(mixture, windows, size=block)[0], mixture, atol=1e-6, rtol=0)


@given(length=some.integers(1, 700), block=some.integers(1, 300))
def test_how_a_mixture_is_divided_changes_nothing(length, block):
    """The very same windows, to the last bit."""
    mixture = np.random.default_rng(length).uniform(-1, 1, length).astype(np.float32)
    heard = {}
    for size in (length, block):
        seen = heard[size] = []
        run(mixture, Windows(100, 30, 5), lambda cut, seen=seen: (seen.append(cut), cut[None])[1], size)
    assert len(heard[length]) == len(heard[block])
    assert all(np.array_equal(one, other) for one, other in zip(heard[length], heard[block], strict=True))


def test_a_fault_within_the_margins_is_never_heard():
    def faulty(cut):
        cut = cut.copy()
        cut[:20] = cut[-20:] = 9.0
        return cut[None]

    mixture = np.random.default_rng(0).uniform(-1, 1, 1000).astype(np.float32)
    separated = run(mixture, Windows(200, 60, 20), separate=faulty)[0]
    np.testing.assert_allclose(separated[20:-20], mixture[20:-20], atol=1e-6)


@given(length=some.integers(1, 2000))
def test_every_window_is_computed_once_and_none_in_vain(length):
    windows, seen = Windows(100, 30), []
    run(np.ones(length, np.float32), windows, lambda cut: (seen.append(cut), cut[None])[1])
    assert len(seen) == 1 or (len(seen) - 1) * windows.step + 30 < length  # the last one adds something


@pytest.mark.parametrize("blocks", [[], [np.zeros(0, np.float32)]])
def test_a_mixture_without_samples_is_refused(blocks):
    with pytest.raises(InputError, match="mixture: needs at least one sample"):
        list(stream(blocks, Windows(10, 2), lambda cut: cut[None]))
