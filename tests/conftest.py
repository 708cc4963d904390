import os

import pytest

# Before anything imports a hub client: no test may need a network.
os.environ["HF_HUB_OFFLINE"] = "1"
# Tests that run side by side share the cores, and so do the processes that they start.
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // workers))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Side by side, a file's tests stay together, for the sake of what they share; notebooks run one by one.

    What takes longest comes first, so that no worker waits for another at the end.
    """
    ranks = {}
    for item in items:
        alone = item.name.startswith("test_a_notebook_runs")
        item.add_marker(pytest.mark.xdist_group(item.name if alone else str(item.path)))
        ranks[item] = 0 if item.path.name == "test_finetuning.py" else 1 if alone else 2
    items.sort(key=ranks.get)
