"""What the tests of pictures and playthings share."""

import matplotlib.pyplot as plt
import pytest
from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture(autouse=True)
def no_open_figures():
    """A figure that one test leaves open is no other's fault."""
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture
def shell():
    """An IPython shell to show things in."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()
