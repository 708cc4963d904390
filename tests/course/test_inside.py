"""Pictures of the inside of the network show the numbers they were given, and in words."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from lass_lab.course.figures import describe
from lass_lab.course.inside import show_mask, show_mask_channels, show_shifts
from lass_lab.signal import InputError


@pytest.fixture(autouse=True)
def draw_on_nothing():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def test_mask_channels_are_squeezed_as_the_head_does_and_lie_at_their_times_and_frequencies():
    logits = np.zeros((3, 101, 1025))
    logits[0, 50], logits[1], logits[2, :, 64] = 1000.0, np.arctanh(0.25), -1000.0
    figure = show_mask_channels(logits, hop=640, max_khz=16)
    share, real, imaginary = (ax.images[0] for ax in figure.axes[:3])
    assert np.all(share.get_array()[:, 50] == 1) and np.all(share.get_array()[:, 49] == 0.5)
    assert np.allclose(real.get_array(), 0.25)
    assert np.all(imaginary.get_array()[64] == -1) and np.all(imaginary.get_array()[65] == 0)
    # Frame 50 is at 1 s, bin 64 at 1 kHz: in the middle of their cells.
    left, right, bottom, top = share.get_extent()
    assert left + 50.5 * (right - left) / 101 == pytest.approx(1.0)
    assert bottom + 64.5 * (top - bottom) / 1025 == pytest.approx(1.0)
    assert [image.get_clim() for image in (share, real, imaginary)] == [(0, 1), (-1, 1), (-1, 1)]
    assert "Mask channel 1: direction, real (tanh): half of its values are below 0.25" in describe(figure)


def test_where_the_mixture_is_silent_no_mask_is_shown():
    magnitude = np.full((101, 1025), 1e-9)
    magnitude[:, 64] = 1.0
    figure = show_mask_channels(np.zeros((3, 101, 1025)), magnitude, hop=640)
    shown = ~np.ma.getmaskarray(figure.axes[0].images[0].get_array())
    assert shown[64].all() and shown.sum() == 101
    with pytest.raises(InputError, match="magnitude: needs shape"):
        show_mask_channels(np.zeros((3, 101, 1025)), magnitude[1:], hop=640)


@pytest.mark.parametrize("shape", [(2, 5, 9), (3, 5), (3, 0, 9)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match="logits: need shape"):
        show_mask_channels(np.zeros(shape), hop=640)


def test_shifts_stand_a_row_a_query_on_a_scale_with_zero_in_its_middle():
    shifts = {"violin": np.array([0.0, 1.0, -3.0]), "trumpet": np.array([0.5, 1.0, -2.0])}
    ax = show_shifts(shifts)
    assert np.array_equal(ax.images[0].get_array(), np.stack(list(shifts.values())))
    assert ax.images[0].get_clim() == (-3, 3)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["“violin”", "“trumpet”"]
    assert describe(ax) == (
        "Shifts of 3 feature channels by query, between -3.00 and 1.00; trumpet, 0.50 from violin on average"
    )


@pytest.mark.parametrize("shifts", [{}, {"a": np.zeros(3), "b": np.zeros(4)}, {"a": np.zeros((2, 2))}])
def test_shifts_that_do_not_match_are_refused(shifts):
    with pytest.raises(InputError, match="shifts: need one row"):
        show_shifts(shifts)


def test_a_mask_lies_at_its_times_and_frequencies():
    mask = np.zeros((101, 1025))
    mask[50:, 64] = 1
    ax = show_mask(mask, hop=640, title="mask", max_khz=16)
    assert np.array_equal(ax.images[0].get_array(), mask.T) and ax.images[0].get_clim() == (0, 1)
    left, right, bottom, top = ax.images[0].get_extent()
    assert left + 50.5 * (right - left) / 101 == pytest.approx(1.0)
    assert bottom + 64.5 * (top - bottom) / 1025 == pytest.approx(1.0)
    assert describe(ax.figure).startswith("mask: above 0.9 in 0% of the bins shown, below 0.1 in 100%")
    with pytest.raises(InputError, match="^mask: needs shape"):
        show_mask(mask[0], hop=640)
