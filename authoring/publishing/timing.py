"""How long the course takes from nothing, and what it needs: the README's table of times."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from lass_lab.course.profile import CHECKOUT
from lass_lab.signal.files import InputError


def time_targets(targets: Sequence[str]) -> str:
    """Run make targets in a fresh clone of the last commit and measure each.

    Packages are downloaded, not taken from pip's cache.

    Returns:
        A Markdown table: minutes, peak memory of all processes together (pages they share counted for each,
        hence at most that), disk used afterwards.

    Raises:
        InputError: a target failed; the line says where its output is kept.
    """
    folder = Path(tempfile.mkdtemp(prefix="lass-lab-"))
    subprocess.run(["git", "clone", "--quiet", "--depth=1", CHECKOUT.as_uri(), folder], check=True)
    unwanted = {"VIRTUAL_ENV", "LASS_LAB_DATA", "LASS_LAB_RUNS", "LASS_LAB_PROFILE"}
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    lines = ["| | minutes | memory | disk afterwards |", "|---|---|---|---|"]
    for target in targets:
        log, began = folder.with_suffix(f".{target}.log"), time.perf_counter()
        print(f"make {target}: output in {log}", file=sys.stderr)
        with log.open("w") as output:
            call = {"cwd": folder, "env": environment | {"PIP_NO_CACHE_DIR": "1"}}
            process = psutil.Popen(["make", target], stdout=output, stderr=subprocess.STDOUT, **call)
            memory = _peak_memory(process)
        minutes = (time.perf_counter() - began) / 60
        if process.returncode:
            raise InputError(f"make {target}: failed in {folder}; all that it printed is in {log}")
        disk = sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() or path.is_symlink())
        lines.append(f"| `make {target}` | {minutes:.1f} | {memory / 1e9:.1f} GB | {disk / 1e9:.1f} GB |")
    shutil.rmtree(folder)
    return "\n".join(lines)


def _peak_memory(process: psutil.Popen) -> int:
    """Wait for a process; return the most bytes that it and its descendants held at once."""
    peak = 0
    while process.poll() is None:
        try:
            members = (process, *process.children(recursive=True))
            peak = max(peak, sum(member.memory_info().rss for member in members))
        except psutil.Error:  # one of them ended meanwhile
            pass
        time.sleep(0.5)
    return peak
