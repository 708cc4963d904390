import ctypes
import gc
import os
import sys

import psutil
import pytest
from xdist.scheduler import LoadScopeScheduling

LONGEST = ("test_torture", "test_finetuning", "test_pretraining", "test_study", "test_tiny", "test_faults")  # files
kept = 1.1e9  # bytes that a worker held after the last time that it gave back

# Before anything imports a hub client: no test may need a network.
os.environ["HF_HUB_OFFLINE"] = "1"
# The quick profile would first measure how fast this computer trains.
os.environ["LASS_LAB_PROFILE"] = "ci"
# Tests that run side by side share the cores, and so do the processes that they start.
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // workers))


class ByFile(LoadScopeScheduling):
    """Side by side, a file's tests stay together, for the sake of what they share; notebooks run one by one."""

    def _split_scope(self, nodeid):
        return nodeid if "::test_a_notebook_runs[" in nodeid else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log) if config.getvalue("dist") == "loadscope" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Notebooks come first, while the workers are small: 05, which takes longest, at once, and 06 last, so that no two
    of those that train, whose kernels take 3 GB, run at one time. Then what takes longest, so that no worker waits for
    another at the end.
    """

    def rank(item):
        if item.name.startswith("test_a_notebook_runs["):
            return {"05": 0, "06": 2}.get(item.name.partition("[")[2][:2], 1)
        return 3 + LONGEST.index(item.path.stem) if item.path.stem in LONGEST else 9

    items.sort(key=rank)


def pytest_collection_finish():
    gc.freeze()  # what is imported stays: collecting what a test leaves need not look at it


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown():
    """Give memory back after a test that took much: trainers are cycles, and under `make test` malloc keeps it all."""
    global kept
    if psutil.Process().memory_info().rss > kept + 3e8:
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)
        kept = max(kept, psutil.Process().memory_info().rss)
