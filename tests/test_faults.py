"""Strangers' recordings end in the right sound, or in a line that says what is wrong: docs/faults.md, row by row.

The page is what `python -m tests.test_faults > docs/faults.md` found; after a change, read how it differs.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
import soundfile
import soxr
from scipy.signal import correlate

from lass_lab import cli, models
from lass_lab.datasets.slicing import slice_folder
from lass_lab.signal import SAMPLE_RATE, InputError, write_audio
from tests.hostile import INPUTS, SECONDS, TWINS
from tests.made_separators import small

PAGE = Path(__file__).parents[1] / "docs" / "faults.md"
AS_IT_IS = ("silence.wav", "denormals at the end.wav")  # silent, and a second longer
HEAD = f"""# What is said of recordings from elsewhere

Each is made from a duet of {SECONDS} s by `tests/hostile.py`, separated by a small untrained network, and compared with
the estimate from the clean recording, in the band that both have. *Right*: the same sound at the same time, as loud and
as long. *Late*, *early*: by an encoder's delay of which the file says nothing. *Refused*: exit status 2, and nothing
written. `slice` was tried, with the file as a stem, wherever `separate` says a line. `make test` compares this page
with what `python -m tests.test_faults` finds.
"""


def said(*arguments: object) -> tuple[int, list[str]]:
    """Exit status of `lass-lab ARGUMENTS`, and the lines on standard error, those of C libraries among them."""
    kept, before = os.dup(2), sys.argv
    with tempfile.TemporaryFile("w+", errors="replace") as file, open(os.devnull, "w") as nothing:
        os.dup2(file.fileno(), 2)
        sys.argv = ["lass-lab", *map(str, arguments)]
        try:
            with redirect_stderr(file), redirect_stdout(nothing):
                cli.main()
        except SystemExit as end:
            status = end.code or 0
        finally:
            sys.argv = before
            os.dup2(kept, 2)
            os.close(kept)
        file.seek(0)
        return status, file.read().splitlines()


def separate(recording: Path, out: Path) -> tuple[int, list[str]]:
    return said("separate", recording, "--query", "violin", "--out", out, "--model", "model", "--device", "cpu")


def verdict(estimate: Path, clean: Path, last: bool = False, gain: float = 1.0, least: float = 0.98) -> str:
    """How an estimate is like that of the clean recording."""
    (found, rate), (wanted, other) = (soundfile.read(path.open("rb"), always_2d=True) for path in (estimate, clean))
    low = min(rate, other)
    found, wanted = soxr.resample(found, rate, low), soxr.resample(wanted, other, low)
    share = len(found) / len(wanted)
    if not found.any():
        return "silent"
    loudest = np.sort(np.argsort(-np.square(found).sum(0))[: wanted.shape[1]])
    found = found[:, loudest] / gain
    wanted = wanted.mean(1, keepdims=True) if found.shape[1] < wanted.shape[1] else wanted
    size = min(len(found), len(wanted))
    found, wanted = (each[-size:] if last else each[:size] for each in (found, wanted))
    across = sum(correlate(*pair, method="fft") for pair in zip(found.T, wanted.T, strict=True))
    late, powers = int(np.argmax(across)) - size + 1, (np.vdot(found, found), np.vdot(wanted, wanted))
    like, level = across.max() / np.sqrt(powers[0] * powers[1]), np.sqrt(powers[0] / powers[1])
    told = "right" if like > least and 0.89 < level < 1.12 else "another sound"
    told += f", {abs(late) / low * 1000:.0f} ms {'late' if late > 0 else 'early'}" if late else ""
    return told + (f", {share:.0%} as long" if abs(share - 1) > 0.02 and not last else "")


def slices(recording: Path, folder: Path) -> str:
    """What `slice` does with a recording as one of two stems."""
    (folder / "piece").mkdir(parents=True)
    os.rename(recording, folder / "piece" / f"violin{recording.suffix}")
    tone = 0.3 * np.sin(np.arange(SECONDS * SAMPLE_RATE) / 9).astype(np.float32)
    write_audio(folder / "piece" / "trumpet.wav", tone)
    try:
        report = slice_folder(folder, folder.with_suffix(".out"), seconds=0.5)
    except InputError:
        return "left out"
    return "taken, and says so" if any("violin" in note for note in report.notes) else "taken"


def rows(folder: Path) -> Iterator[tuple[str, str, str, list[str], str]]:
    """Kind, file, what becomes of it in `separate`, the lines, and what `slice` does where there are any."""
    small(channels=(2, 4), compression=0.3).save_pretrained(folder / "model")
    with chdir(folder), patch.object(models, "load_separator", cache(models.load_separator)):  # loaded once
        for twin, make in TWINS.items():
            make(Path(twin))
            assert separate(Path(twin), Path("clean")) == (0, [])
        for kind, makers in INPUTS.items():
            for number, (name, make) in enumerate(makers.items()):
                path, out = Path(f"{kind} {number}", name), Path(f"{kind} {number}", "out")
                path.parent.mkdir()
                told = dict(make(path) or {})
                status, lines = separate(path, out)
                estimates = list(out.iterdir()) if out.exists() else []
                assert len(estimates) == (not status) and status in (0, 2)
                clean = Path("clean", f"{told.pop('like', 'duet')}.violin.wav")
                became = "refused" if status else verdict(estimates[0], clean, **told)
                lines = [line.removeprefix("lass-lab: ").replace(f"{path}: ", "") for line in lines]
                taken = slices(path, path.parent / "pieces") if lines and os.path.isfile(path) else ""
                yield kind, name, became, lines, taken


def page(found: Iterator[tuple[str, str, str, list[str], str]]) -> str:
    text, before = HEAD, None
    for kind, name, became, lines, taken in found:
        if kind != before:
            text += f"\n## {kind}\n\n| file | `separate` | the line | `slice` |\n|---|---|---|---|\n"
        before, shown = kind, os.fsencode(name[:60]).decode(errors="backslashreplace").replace("\n", "\\n")
        text += f"| {shown} | {became} | {'; '.join(lines)} | {taken} |\n"
    return text


def test_each_is_separated_rightly_or_says_what_is_wrong(tmp_path):
    found = list(rows(tmp_path))
    for _, name, became, lines, _ in found:
        right = became.startswith("right") and "as long" not in became
        assert right or lines or name in AS_IT_IS, f"{name}: {became}, and nothing is said"
    assert page(found) == PAGE.read_text(encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(page(rows(Path(folder))), end="")
