"""The ledger keeps the newest value of every name, whole, whatever happens meanwhile."""

import numpy as np
import pytest

from lass_lab.course import ledger
from lass_lab.signal.files import InputError


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("LASS_LAB_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def test_values_come_back_as_they_were():
    assert len(ledger.read()) == 0
    ledger.record("03_baseline", "SDRi of the violin", np.float32(7.25), "dB")
    ledger.record("00_welcome", "pieces", 3)
    ledger.record("00_welcome", "query", "a fiddle — loud")
    table = ledger.read()
    assert table["notebook"].tolist() == ["00_welcome", "00_welcome", "03_baseline"]
    assert table["value"].tolist() == [3, "a fiddle — loud", 7.25]
    assert table["unit"].tolist() == ["", "", "dB"]
    assert set(table["profile"]) == {"ci"}
    assert ledger.read("03_baseline")["name"].tolist() == ["SDRi of the violin"]


def test_a_second_run_replaces_its_own_rows_and_no_others():
    ledger.record("00_welcome", "seconds", 1.0)
    ledger.record("03_baseline", "seconds", 2.0)
    ledger.record("00_welcome", "seconds", 3.0)
    assert ledger.read().set_index("notebook")["value"].to_dict() == {"00_welcome": 3.0, "03_baseline": 2.0}


@pytest.mark.parametrize("value", [float("nan"), np.inf, [1.0], None])
def test_what_is_no_result_is_refused_by_name(value):
    with pytest.raises(InputError, match="^SDR: "):
        ledger.record("03_baseline", "SDR", value)


@pytest.mark.parametrize("text", ["{", "[]", '{"rows": [{"notebook": "a"}]}', '{"rows": 3}'])
def test_a_file_that_is_no_ledger_is_named_and_kept(runs, text):
    runs.mkdir()
    path = runs / "ledger.json"
    path.write_text(text)
    for use in (ledger.read, lambda: ledger.record("00_welcome", "pieces", 3)):
        with pytest.raises(InputError, match="ledger.json: is not a ledger"):
            use()
    assert path.read_text() == text
