"""What the tests of pictures and playthings share."""

import matplotlib.pyplot as plt
import pytest
from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture
def shell():
    """An IPython shell to show things in, and no figure left open."""
    plt.switch_backend("agg")
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()
    plt.close("all")
