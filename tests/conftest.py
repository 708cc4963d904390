import ctypes
import gc
import os
import sys

import psutil
import pytest

# Before anything imports a hub client: no test may need a network.
os.environ["HF_HUB_OFFLINE"] = "1"
# The quick profile would first measure how fast this computer trains.
os.environ["LASS_LAB_PROFILE"] = "ci"
# Tests that run side by side share the cores, and so do the processes that they start.
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // workers))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Side by side, a file's tests stay together, for the sake of what they share; notebooks run one by one.

    Notebooks come first, while the workers are small: 05, which takes longest, at once, and 06 last, so that no two of
    those that train, whose kernels take 3 GB, run at one time. Then what takes longest, so that no worker waits for
    another at the end.
    """
    ranks = {}
    for item in items:
        alone = item.name.startswith("test_a_notebook_runs")
        first = {"05": 0, "06": 2}.get(item.name.partition("[")[2][:2], 1)
        ranks[item] = first if alone else 3 if item.path.name == "test_finetuning.py" else 4
        item.add_marker(pytest.mark.xdist_group(item.name if alone else str(item.path)))
    items.sort(key=ranks.get)


def pytest_collection_finish():
    gc.freeze()  # what is imported stays: collecting what a test leaves need not look at it


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown():
    """Give memory back after a test that took much: trainers are cycles, and under `make test` malloc keeps it all."""
    if psutil.Process().memory_info().rss > 1.4e9:
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)
