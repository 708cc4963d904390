"""What this process computes on, in words: beside every number that depends on it."""

import re
from pathlib import Path

import psutil


def hardware() -> str:
    """The GPU where there is one; else the CPU: cores, and its name where the system tells it."""
    import torch  # takes seconds, and whoever only names this module may not need it

    return torch.cuda.get_device_name() if torch.cuda.is_available() else cores_and_name()


def cores_and_name() -> str:
    """The CPU: "2 CPU cores (AMD EPYC)"."""
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    return f"{cores()} CPU cores" + (f" ({model[1].strip()})" if model else "")


def cores() -> int:
    """Cores that compute apart: two threads of one core count once."""
    return psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
