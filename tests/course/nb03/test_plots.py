"""Pictures of the network and of its results show the numbers they were given; the line from LASS-Net is whole."""

import numpy as np
import pandas as pd

from lass_lab.course.figures import describe
from lass_lab.course.nb03.lineage import lineage_sounds, lineage_table
from lass_lab.course.nb03.plots import show_floors, show_mask_channels, show_shifts

ALL_LOUD = np.ones((101, 1025))


def test_mask_channels_are_squeezed_as_the_head_does():
    logits = np.zeros((3, 101, 1025))
    logits[0, 50], logits[1], logits[2, :, 64] = 1000.0, np.arctanh(0.25), -1000.0
    figure = show_mask_channels(logits, ALL_LOUD, hop=640)
    share, real, imaginary = (ax.images[0] for ax in figure.axes[:3])
    assert np.all(share.get_array()[:, 50] == 1) and np.all(share.get_array()[:, 49] == 0.5)
    assert np.allclose(real.get_array(), 0.25)
    assert np.all(imaginary.get_array()[64] == -1) and np.all(imaginary.get_array()[65] == 0)
    assert [image.get_clim() for image in (share, real, imaginary)] == [(0, 1), (-1, 1), (-1, 1)]
    assert "Mask channel 1: direction, real (tanh): half of its values are below 0.25" in describe(figure)


def test_where_the_mixture_is_silent_no_mask_is_shown():
    magnitude = np.full((101, 1025), 1e-9)
    magnitude[:, 64] = 1.0
    figure = show_mask_channels(np.zeros((3, 101, 1025)), magnitude, hop=640)
    shown = ~np.ma.getmaskarray(figure.axes[0].images[0].get_array())
    assert shown[64].all() and shown.sum() == 101


def test_shifts_stand_a_row_a_query_on_a_scale_with_zero_in_its_middle():
    shifts = {"violin": np.array([0.0, 1.0, -3.0]), "trumpet": np.array([0.5, 1.0, -2.0])}
    ax = show_shifts(shifts)
    assert np.array_equal(ax.images[0].get_array(), np.stack(list(shifts.values())))
    assert ax.images[0].get_clim() == (-3, 3)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["“violin”", "“trumpet”"]
    assert describe(ax) == (
        "Shifts of 3 feature channels by query, between -3.00 and 1.00; trumpet, 0.50 from violin on average"
    )


def test_the_shipped_lineage_has_a_row_a_system_and_each_is_heard():
    table, sounds = lineage_table(), lineage_sounds()
    assert len(table) == 4 and table.iloc[:, 0].str.fullmatch(r"-?\d+\.\d \[-?\d+\.\d, -?\d+\.\d\]").all()
    assert list(sounds) == ["mixture", *table.index[:3], "the true violin"]
    assert len({len(waveform) for waveform in sounds.values()}) == 1


def test_slices_stand_over_the_mixture_and_a_subtraction_has_the_other_ones_gain():
    values = {("violin", "SDR"): (7.0, 1.0), ("violin", "SDRi"): (6.0, 4.0)}
    values |= {("trumpet", "SDR"): (-2.0, 5.0), ("trumpet", "SDRi"): (-1.0, 2.0)}
    rows = [("tiny", "slice", "duet", 5.0 * n, *key, two[n]) for key, two in values.items() for n in range(2)]
    columns = ["separator", "extent", "piece", "start_s", "source", "metric", "value"]
    figure = show_floors(pd.DataFrame(rows, columns=columns), "tiny")
    asked, subtracted = figure.axes[1].collections
    assert np.array_equal(asked.get_offsets(), [(-1, -2), (3, 5)])
    assert np.array_equal(subtracted.get_offsets(), [(-1, 6), (3, 4)])
    assert describe(figure).endswith(
        "trumpet, 2 slices; above both the mixture and silence: asked for by name in 1, "
        "mixture minus the other estimate in 2"
    )
