"""The exported network, run without PyTorch by the example that goes with it."""

import runpy
import sys

import numpy as np
import pytest
import soundfile

from lass_lab.models.export import export
from lass_lab.signal import InputError
from tests.made_separators import small

pytest.importorskip(
    "onnxruntime", reason="make test runs it by itself: onnxruntime starts threads at import, which survive no fork"
)


@pytest.mark.parametrize("sizes", [{}, {"compression": 0.3, "frequency_bins": 64, "head": "magnitude"}])
def test_the_example_separates_as_the_separator_does(tmp_path, monkeypatch, sizes):
    separator, path = small(**sizes), tmp_path / "stereo.wav"
    script = export(separator, ["violin", "a trumpet"], tmp_path / "out")[-1]
    assert "torch" not in script.read_text().replace("PyTorch", "")
    stereo = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 50_000)).astype(np.float32)
    soundfile.write(path, stereo.T, 32_000, subtype="FLOAT")
    for query in ("violin", "a trumpet"):
        monkeypatch.setattr(sys, "argv", [str(script), str(path), query, str(tmp_path / "out.wav")])
        runpy.run_path(str(script), run_name="__main__")
        found, _ = soundfile.read(tmp_path / "out.wav")
        np.testing.assert_allclose(found.T, separator.separate(stereo, query), atol=1e-4)
    soundfile.write(path, stereo.T, 44_100)
    with pytest.raises(SystemExit, match="is at 44100 Hz"):
        runpy.run_path(str(script), run_name="__main__")


def test_nothing_is_overwritten_and_the_separator_stays_as_it_was(tmp_path):
    separator = small()
    before = separator.fingerprint()
    (tmp_path / "network.onnx").write_text("precious")
    with pytest.raises(InputError, match="network.onnx: exists already"):
        export(separator, ["violin"], tmp_path)
    assert (tmp_path / "network.onnx").read_text() == "precious" and separator.fingerprint() == before
