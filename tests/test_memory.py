"""Memory that does not grow with a recording's length: `lass-lab separate` from file to file, in its own process."""

import subprocess
import sys

import numpy as np
import soundfile

from tests.made_separators import small

# The peak that a process inherits from the one that started it would hide its own: a small one stands between.
PEAK = """if True:
    import os, subprocess, sys
    separate = subprocess.Popen([sys.executable, "-m", "lass_lab.cli", "separate", *sys.argv[1:]], stdout=sys.stderr)
    _, status, used = os.wait4(separate.pid, 0)
    print(status, used.ru_maxrss)
"""


def peak_mb(*arguments):
    call = [sys.executable, "-c", PEAK, *map(str, arguments)]
    result = subprocess.run(call, capture_output=True, text=True, timeout=120, check=True)
    status, peak = map(int, result.stdout.split())
    assert status == 0, result.stderr
    return peak / (2**20 if sys.platform == "darwin" else 1024)


def test_ten_times_the_length_takes_no_more_memory(tmp_path):
    """150 s of stereo at 44.1 kHz are 53 MB as they are read, 38 MB at 32 kHz, and as much again for the estimate."""
    small(channels=(2, 4), hop=85).save_pretrained(tmp_path / "model")
    tone = 0.3 * np.sin(np.arange(15 * 44_100)[:, None] * [0.05, 0.08])
    peaks = {}
    for seconds in (15, 150):
        path = tmp_path / f"{seconds}.wav"
        soundfile.write(path, np.tile(tone, (seconds // 15, 1)), 44_100)
        options = ("--query", "violin", "--model", tmp_path / "model", "--device", "cpu", "--out", tmp_path)
        peaks[seconds] = peak_mb(path, *options)
        assert soundfile.info(tmp_path / f"{seconds}.violin.wav").frames == seconds * 44_100
    assert peaks[150] - peaks[15] < 20, peaks
