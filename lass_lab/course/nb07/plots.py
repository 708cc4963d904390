"""Figures of notebook 07: estimates beside their target, and SDR by frequency band."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lass_lab.course.figures import put_into_words
from lass_lab.course.plots import COLOURS, share_colours, show_spectrogram

HEARD = 0.001  # of a source's energy: bands with less are not drawn


def show_estimates(waveforms: Mapping[str, np.ndarray]) -> Figure:
    """Four spectrograms, two in a row, on one colour scale, large enough to follow a harmonic.

    Args:
        waveforms: title to `(samples,)`, 32 kHz; four of them.
    """
    figure, axes = plt.subplots(2, 2, figsize=(11, 6.2), sharex=True, sharey=True, layout="constrained")
    for ax, (title, waveform) in zip(axes.flat, waveforms.items(), strict=True):
        show_spectrogram(waveform, ax, title=title, max_khz=5, colour_bar=False)
    share_colours(list(axes.flat), db_range=50)
    return figure


def show_bands(bands: Mapping[str, pd.DataFrame]) -> Figure:
    """SDR by third-octave band, a panel a source and a line an estimate, over the share of the source in each band.

    Bands that hold next to nothing of the source have no point: SDR says nothing there.

    Args:
        bands: source -> what `errors.sdr_by_band` gives.
    """
    figure, axes = plt.subplots(1, len(bands), figsize=(11, 3.6), sharey=True, squeeze=False, layout="constrained")
    for ax, (source, table) in zip(axes[0], bands.items(), strict=True):
        share = table["share of the target"]
        bars = ax.twinx()
        bars.bar(range(len(table)), 100 * share, color="0.88", width=0.9)
        bars.set(ylim=(0, 100), ylabel="share of the source (%)")
        bars.label_outer(remove_inner_ticks=True)
        words, drawn = [], table.where(share >= HEARD)
        for name, colour, marker in zip(table.columns[:-1], COLOURS, "osD^v", strict=False):
            ax.plot(range(len(table)), drawn[name], color=colour, marker=marker, markersize=4, label=name)
            words.append(
                f"{name} from {drawn[name].min():.1f} dB at {drawn[name].idxmin()} Hz to {drawn[name].max():.1f} dB"
            )
        ax.set_zorder(bars.get_zorder() + 1)  # lines over bars
        ax.patch.set_visible(False)
        ax.axhline(0, color="0.4", linewidth=0.8)
        ax.set_xticks(range(0, len(table), 2), table.index[::2], rotation=45)
        ax.set(title=source, xlabel="third-octave band (Hz)", ylabel="SDR (dB)")
        put_into_words(ax, f"{source}, SDR by band: {'; '.join(words)}; most of the source at {share.idxmax()} Hz")
        put_into_words(bars, "")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=5, frameon=False)
    return figure
