"""What a run, and the computer that it was made on, say about themselves."""

import re
from pathlib import Path

import psutil
import torch

from lass_lab.experiments.trainer import LAST
from lass_lab.signal.files import InputError


def run_facts(run: Path) -> dict[str, float]:
    """Steps done and hours taken, from the run's last checkpoint; those of all its parts where it was resumed."""
    checkpoint = run / LAST
    if not checkpoint.is_file():
        raise InputError(f"{checkpoint}: no such file; is the run finished?")
    state = torch.load(checkpoint, map_location="cpu", weights_only=False)  # written by our own run
    elapsed = state["callbacks"]["Timer"]["time_elapsed"]
    return {"steps": state["global_step"], "hours": (elapsed["train"] + elapsed["validate"]) / 3600}


def hardware() -> str:
    """The hardware that this process computes on, beside every number that depends on it: "2 CPU cores (AMD EPYC)"."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    return f"{cores()} CPU cores" + (f" ({model[1].strip()})" if model else "")


def cores() -> int:
    """Physical cores: two threads of one core count once."""
    return psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
