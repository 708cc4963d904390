"""What the tests of pictures and playthings share."""

import matplotlib.pyplot as plt
import pytest
from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture
def no_open_figures():
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture
def shell(no_open_figures):
    """An IPython shell to show things in."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()
