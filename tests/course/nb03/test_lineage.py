"""The table and the sounds of the line from LASS-Net."""

import numpy as np
import pandas as pd
import pytest

from authoring.training.lineage import EXCERPT_S, NUMBERS, SYSTEMS, TRIALS
from lass_lab.course.nb03.lineage import lineage_sounds, lineage_table
from lass_lab.signal import InputError, write_audio


def test_the_table_has_a_row_a_system_in_their_order(tmp_path):
    rows = [
        (system.name, trial, number + 0.04, number - 0.5, number + 0.5, 1 if trial == "duet" else 200)
        for number, system in enumerate(SYSTEMS, 1)
        for trial in (*TRIALS, "duet")
    ]
    columns = ["system", "trial", "mean", "low", "high", "mixtures"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / NUMBERS, index=False)
    table = lineage_table(tmp_path)
    assert list(table.index) == [system.name for system in SYSTEMS] and list(table.columns) == [*TRIALS, "duet"]
    assert list(table["pairs, other words"]) == ["1.0 [0.5, 1.5]", "2.0 [1.5, 2.5]", "3.0 [2.5, 3.5]"]
    assert list(table["duet"]) == ["1.0", "2.0", "3.0"]  # one number has no interval


@pytest.mark.parametrize("content", [None, "", "a,b\n1,2\n", "system,trial,mean,low,high,mixtures\nx,y,one,2,3,4\n"])
def test_what_is_no_table_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / NUMBERS).write_text(content)
    with pytest.raises(InputError, match="numbers.csv: not a table of `python -m authoring lineage`"):
        lineage_table(tmp_path)


def test_each_system_is_heard_between_the_mixture_and_the_truth(tmp_path):
    samples = round(EXCERPT_S[1] * 32_000)
    for number in range(len(SYSTEMS)):
        write_audio(tmp_path / f"system-{number}.ogg", np.full(samples, 0.1 * (number + 1), dtype=np.float32))
    heard = lineage_sounds(tmp_path)
    assert list(heard) == ["mixture", *(system.name for system in SYSTEMS), "the true violin"]
    assert {len(waveform) for waveform in heard.values()} == {samples}
    assert heard[SYSTEMS[1].name].mean() == pytest.approx(0.2, abs=0.02)
