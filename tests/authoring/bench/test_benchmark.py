"""The benchmark: it computes what it says, modes agree, and every ratio is against its own plain pass."""

import numpy as np
import pandas as pd
import pytest
import torch

from authoring.bench import benchmark, cases
from authoring.bench import training as benchmark_training
from authoring.bench.cases import BFLOAT16, FLOAT32, LARGE, PLAIN, TINY
from lass_lab.commands import listening
from lass_lab.signal import InputError
from tests.made_separators import small


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(cases, "LEAST_RUNS", 1)
    monkeypatch.setattr(cases, "LEAST_S", 0.0)
    monkeypatch.setattr(cases, "made", lambda model: small())


def test_every_mode_gives_the_plain_estimate():
    plain, float32, bfloat16 = (cases.separation(TINY, 1.0, 2, mode) for mode in (PLAIN, FLOAT32, BFLOAT16))
    assert plain.estimate.shape == (2, 32_000) and min(plain.seconds, plain.peak_mb) > 0
    assert benchmark.agreement_db(plain.estimate, float32.estimate) > 80
    assert benchmark.agreement_db(plain.estimate, bfloat16.estimate) > 15


def test_agreement_is_the_reference_over_the_difference():
    reference = np.ones(100)
    assert benchmark.agreement_db(reference, 0.9 * reference) == pytest.approx(20.0)
    assert benchmark.agreement_db(reference, reference) == np.inf


def test_operations_of_a_convolution_and_of_the_whole():
    """AudioSep at five seconds: 233 GFLOP, counted once by hand; twice the time takes about twice as many."""
    assert cases.gflop(LARGE, 5.0) == pytest.approx(233, abs=1)
    assert cases.gflop(TINY, 10.0) / cases.gflop(TINY, 5.0) == pytest.approx(2.0, rel=0.07)
    assert cases.gflop(LARGE, 5.0) / cases.gflop(TINY, 5.0) > 15


@pytest.mark.parametrize("phase", ["phase1", "phase2"])
def test_a_step_of_training_is_one(phase, monkeypatch):
    """It is the course's own task, and weights move."""
    monkeypatch.setattr(benchmark_training, "ITEMS", 2)
    seen = []

    class Watched(benchmark_training.FinetuningTask):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            seen.append((self, {name: value.detach().clone() for name, value in self.named_parameters()}))

    monkeypatch.setattr(benchmark_training, "FinetuningTask", Watched)
    assert benchmark_training.training_step(phase, PLAIN).seconds > 0
    task, before = seen[0]
    moved = {name.split(".")[1] for name, value in task.named_parameters() if not torch.equal(value, before[name])}
    assert moved == ({"network"} if phase == "phase1" else {"network", "query_network"})


def test_the_table_has_each_row_against_its_plain_one(monkeypatch):
    """With made times: ratios, factors of real time, shares and costs against slices follow from them."""
    times = {PLAIN: 8.0, FLOAT32: 4.0, BFLOAT16: 2.0}
    peaks = {cases.file_to_file: lambda length: 300.0 + length / 3600}

    def alone(function, *arguments):
        if function is cases.matrix_rate:
            return 1000.0
        if function is cases.file_to_file:
            return cases.Measured(arguments[0] / 10, peaks[function](arguments[0]))
        mode, length = arguments[-2], arguments[1] if function is cases.separation else 5.0
        return cases.Measured(times[mode] * (length / 5) ** 1.1, 100.0, np.full(4, times[mode]))

    monkeypatch.setattr(benchmark, "_alone", alone)
    monkeypatch.setattr(benchmark, "_printed", lambda code: 0.25)
    monkeypatch.setattr(cases, "modes", lambda device: tuple(times))
    table = benchmark.bench(50.0, 3600.0, (TINY,), progress=False)
    ratios = table.dropna(subset="ratio").groupby("mode")["ratio"].unique()
    assert {mode: list(values) for mode, values in ratios.items()} == {PLAIN: [1.0], FLOAT32: [2.0], BFLOAT16: [4.0]}
    row = table[(table["what"] == "tiny: 50 s") & (table["mode"] == FLOAT32) & (table["queries"] == 2)].iloc[0]
    assert row["against_slices"] == pytest.approx(10**0.1, abs=0.01)
    assert row["real_time"] == pytest.approx(50 / row["seconds"], abs=0.1)
    assert row["gflops"] == pytest.approx(cases.gflop(TINY, 5.0) * 20 / row["seconds"], abs=1)
    assert row["share"] == pytest.approx(row["gflops"] / 1000, abs=0.01)
    slice_row = table[(table["what"] == "tiny: one slice") & (table["mode"] == BFLOAT16)].iloc[0]
    assert slice_row["agreement_db"] == pytest.approx(20 * np.log10(8 / 6), abs=0.1)
    told = list(table["what"])
    assert told[-4:] == [
        "tiny: 60 s from file to file", "tiny: 3600 s from file to file", "import lass_lab",
        "tiny: first estimate from a cold start",
    ]  # fmt: skip
    rates = table[table["what"] == "product of two matrices"]
    assert list(rates["mode"]) == [FLOAT32, BFLOAT16] and (rates["gflops"] == 1000).all()
    assert (table["threads"] == torch.get_num_threads()).all()
    assert {"tiny: training step, phase1", "tiny: training step, phase2"} <= set(told)
    page = benchmark.page(table, "python -m authoring bench")
    (line,) = [line for line in page.splitlines() if line.startswith(f"| tiny: one slice | {BFLOAT16} | 2 ")]
    assert "| 2.000 | 2.5 | 4.00 |" in line and "nan" not in page and page.count("| product of two matrices |") == 2


def test_from_file_to_file(monkeypatch):
    monkeypatch.setattr(cases, "WARM_S", 1.0)
    found = cases.file_to_file(2.0, FLOAT32)
    assert min(found.seconds, found.peak_mb) > 0 and found.estimate is None


def test_a_case_runs_in_a_process_of_its_own():
    assert benchmark._alone(cases.matrix_rate, FLOAT32) > 1
    assert 0 < benchmark._printed(benchmark.IMPORT) < 60


@pytest.mark.parametrize("name", ["speed.md", "speed.csv"])
def test_a_file_that_is_in_the_way_is_told_before_anything_is_measured(tmp_path, monkeypatch, name):
    measured = pd.DataFrame({"what": ["a slice"], "device": ["cpu"], "seconds": [0.5], "threads": [2]})
    calls = []
    monkeypatch.setattr(benchmark, "bench", lambda *arguments: calls.append(arguments) or measured)
    listening.bench(out=tmp_path / name)
    assert "a slice" in (tmp_path / name).read_text() and len(calls) == 1
    with pytest.raises(InputError, match=name):
        listening.bench(out=tmp_path / name)
    assert len(calls) == 1
