"""The benchmark: it computes what it says, modes agree, and every ratio is against its own plain pass."""

import numpy as np
import pytest
import torch

from authoring.bench import benchmark, cases
from authoring.bench.cases import BFLOAT16, FLOAT32, PLAIN, TINY
from tests.made_separators import small


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(cases, "LEAST_S", 0.0)
    monkeypatch.setattr(cases, "made", lambda model: small())


def agreement_db(reference, estimate):
    return 20 * np.log10(np.linalg.norm(reference) / np.linalg.norm(estimate - reference))


def test_every_mode_gives_the_plain_estimate():
    plain, float32, bfloat16 = (cases.separation(TINY, 1.0, 2, mode) for mode in (PLAIN, FLOAT32, BFLOAT16))
    assert plain.estimate.shape == (2, 32_000) and min(plain.seconds, plain.peak_mb) > 0
    assert agreement_db(plain.estimate, float32.estimate) > 80
    assert agreement_db(plain.estimate, bfloat16.estimate) > 15


@pytest.mark.parametrize("phase", ["phase1", "phase2"])
def test_a_step_of_training_is_one(phase, monkeypatch):
    """It is the course's own task, and weights move."""
    monkeypatch.setattr(cases, "ITEMS", 2)
    seen = []

    class Watched(cases.FinetuningTask):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            seen.append((self, {name: value.detach().clone() for name, value in self.named_parameters()}))

    monkeypatch.setattr(cases, "FinetuningTask", Watched)
    assert cases.training_step(phase, PLAIN).seconds > 0
    task, before = seen[0]
    moved = {name.split(".")[1] for name, value in task.named_parameters() if not torch.equal(value, before[name])}
    assert moved == ({"network"} if phase == "phase1" else {"network", "query_network"})


def test_the_table_has_each_row_against_its_plain_one(monkeypatch):
    """With made times: ratios, factors of real time and GFLOP/s follow from them."""
    times = {PLAIN: 8.0, FLOAT32: 4.0, BFLOAT16: 2.0}

    def alone(function, *arguments):
        if function is cases.file_to_file:
            return cases.Measured(arguments[0] / 10, 300.0)
        if function is cases.channels:
            return cases.Measured(8.0 + 2.0 * (arguments[1] == 2) + 6.0 * arguments[2], 200.0)
        mode, length = arguments[-2], arguments[1] if function is cases.separation else 5.0
        return cases.Measured(times[mode] * length / 5, 100.0, np.full(4, times[mode]))

    monkeypatch.setattr(benchmark, "_alone", alone)
    monkeypatch.setattr(benchmark, "COLD", "print(0.25)")
    monkeypatch.setattr(cases, "modes", lambda device: tuple(times))
    table = benchmark.bench()
    channels = table[table["what"].str.contains("mono|stereo")]
    assert list(channels["ratio"]) == [1.0, 0.8, 0.5] and list(channels["real time"]) == [22.5, 18.0, 11.2]
    table = table.drop(channels.index)
    ratios = table.dropna(subset="ratio").groupby("mode")["ratio"].unique()
    assert {mode: list(values) for mode, values in ratios.items()} == {PLAIN: [1.0], FLOAT32: [2.0], BFLOAT16: [4.0]}
    row = table[(table["what"] == "tiny: 5 s") & (table["mode"] == BFLOAT16) & (table["queries"] == 2)].iloc[0]
    assert (row["time, s"], row["real time"]) == (2.0, 2.5)
    assert row["GFLOP/s"] == pytest.approx(benchmark.operations(cases.CONFIGS[TINY], 5.0) / 1e9, abs=1)  # 2 in 2 s
    assert row["agreement, dB"] == pytest.approx(20 * np.log10(8 / 6), abs=0.1)
    assert list(table["what"])[-5:] == [
        "tiny: training step, phase2", "tiny: training step, phase2", "tiny: 60 s from file to file",
        "tiny: 600 s from file to file", "tiny: first estimate from a cold start",
    ]  # fmt: skip
    page = benchmark.bench_page(table)
    (line,) = [line for line in page.splitlines() if line.startswith(f"| tiny: 5 s | {BFLOAT16} | 2 ")]
    assert "| 2.000 | 2.5 | 4.00 |" in line and "nan" not in page and "device" not in page


def test_a_case_runs_in_a_process_of_its_own():
    found = benchmark._alone(cases.file_to_file, 10.0, FLOAT32)
    assert min(found.seconds, found.peak_mb) > 0
