"""How long the course takes from nothing, and what it needs: the README's table of times.

    python -m authoring.publishing.timing [TARGET ...]

Slow: without targets it installs every package anew and runs all notebooks and tests.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from authoring.publishing import readme
from lass_lab.course.profile import CHECKOUT
from lass_lab.signal.files import InputError

TARGETS = ("setup", "course", "test")


def time_targets(targets: Sequence[str] = TARGETS) -> str:
    """Run `make setup`, `make course` and `make test`, or other targets, in a fresh copy, and measure each.

    The copy holds what git tracks or would track; packages are downloaded, not taken from pip's cache.

    Returns:
        A Markdown table: minutes, peak memory of all processes together (pages they share counted for each,
        hence at most that), disk used afterwards.

    Raises:
        InputError: a target failed; the line says where its output is kept.
    """
    folder = Path(tempfile.mkdtemp(prefix="lass-lab-"))
    _copy_checkout(folder)
    unwanted = {"VIRTUAL_ENV", "LASS_LAB_DATA", "LASS_LAB_RUNS", "LASS_LAB_PROFILE"}
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    lines = ["| | minutes | memory | disk afterwards |", "|---|---|---|---|"]
    for target in targets:
        log, began = folder.with_suffix(f".{target}.log"), time.perf_counter()
        print(f"make {target}: output in {log}", file=sys.stderr)
        with log.open("w") as output:
            process = subprocess.Popen(
                ["make", target],
                cwd=folder,
                env={**environment, "PIP_NO_CACHE_DIR": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            memory = _peak_memory(process)
        minutes = (time.perf_counter() - began) / 60
        if process.returncode:
            raise InputError(f"make {target}: failed in {folder}; all that it printed is in {log}")
        lines.append(f"| `make {target}` | {minutes:.1f} | {memory / 1e9:.1f} GB | {_disk(folder) / 1e9:.1f} GB |")
    shutil.rmtree(folder)
    return "\n".join(lines)


def _copy_checkout(folder: Path) -> None:
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (CHECKOUT / name).is_file():  # git also lists what was deleted and not yet committed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, folder / name)
    # Its tests refuse a block that is not measured, and this one is being measured.
    copy = folder / readme.README.name
    text = readme.filled(copy.read_text(encoding="utf-8"), {"times": "being measured"})
    copy.write_text(text, encoding="utf-8")


def _peak_memory(process: subprocess.Popen) -> int:
    """Wait for a process; return the most bytes that it and its descendants held at once."""
    import psutil

    peak = 0
    while process.poll() is None:
        held = 0
        try:
            root = psutil.Process(process.pid)
            for member in (root, *root.children(recursive=True)):
                held += member.memory_info().rss
        except psutil.Error:  # one of them ended meanwhile
            pass
        peak = max(peak, held)
        time.sleep(0.5)
    return peak


def _disk(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() or path.is_symlink())


def main() -> int:
    """Print the table; return the exit status, 2 where a target failed."""
    try:
        print(time_targets(sys.argv[1:] or TARGETS))
    except InputError as error:
        print(f"lass-lab: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
