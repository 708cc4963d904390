"""JupyterLab with copies of the notebooks, and one notebook in it, driven as a student does it."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from authoring.publishing.notebooks import NOTEBOOKS

LONGEST_MS = 180_000  # for a notebook to run to its end
STARTS_S = 60
SETTINGS = {
    "notification": {"fetchNews": "false", "checkForUpdates": False},  # there is no network to ask
    "themes": {"adaptive-theme": True},  # dark where the browser is
}

# The prompts of cells that are far from view have text but no size, so that only a script sees them.
PROMPTS = """[...document.querySelectorAll(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell .jp-InputPrompt")]
    .map(each => each.textContent)"""
BEGUN = f"() => {PROMPTS}.includes('[*]:')"
ENDED = f"() => !{PROMPTS}.includes('[*]:')"


@contextmanager
def running_lab(folder: Path) -> Iterator[str]:
    """JupyterLab at a free port, in the ci profile, with its files below `folder`; gives its address with {name}."""
    work, settings, token, port = folder / "notebooks", folder / "settings", secrets.token_hex(16), free_port()
    work.mkdir(parents=True)
    for path in NOTEBOOKS.glob("[0-9]*.ipynb"):
        shutil.copy(path, work)
    for name, chosen in SETTINGS.items():
        path = settings / "@jupyterlab" / "apputils-extension" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(chosen))
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "LASS_LAB_PROFILE": "ci",
        "LASS_LAB_RUNS": str(folder / "runs"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    options = ["--no-browser", "--allow-root", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    options += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={work}"]
    log = folder / "lab.log"
    with log.open("w") as told:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter", "lab", *options], env=environment, stdout=told, stderr=subprocess.STDOUT
        )
    try:
        wait_for(port, server, log)
        yield f"http://127.0.0.1:{port}/lab/tree/{{name}}.ipynb?token={token}"
    finally:
        server.terminate()  # the kernels end with it
        server.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for(port: int, server: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + STARTS_S
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


class Notebook:
    """A notebook open in JupyterLab, among others or alone."""

    def __init__(self, page: Page, address: str, name: str) -> None:
        self.page = page
        page.goto(address.format(name=name))
        self._panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        # What a cell is asked before the kernel is connected is forgotten.
        expect(page.locator("#jp-main-statusbar").get_by_text("| Idle")).to_be_visible()
        cells = sum(
            cell["cell_type"] == "code" for cell in json.loads((NOTEBOOKS / f"{name}.ipynb").read_text())["cells"]
        )
        expect(self._panel.locator(".jp-CodeCell")).to_have_count(cells)

    def run_all(self) -> None:
        """Run all cells by the menu, and wait for the last; fails where a cell raised."""
        self._choose("Run", "Run All Cells")
        self._wait()

    def restart_and_run_all(self) -> None:
        """Begin with a new kernel, by the menu."""
        self._choose("Kernel", "Restart Kernel and Run All Cells…")
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        self._wait()

    def output(self, source: str) -> Locator:
        """What the code cell shows that holds this source."""
        cell = self._panel.locator(".jp-CodeCell").filter(has_text=source)
        cell.scroll_into_view_if_needed()
        return cell.locator(".jp-Cell-outputArea")

    def _choose(self, menu: str, entry: str) -> None:
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.get_by_role("menuitem", name=entry, exact=True).click()

    def _wait(self) -> None:
        self.page.wait_for_function(BEGUN)
        self.page.wait_for_function(ENDED, timeout=LONGEST_MS)
        errors = self._panel.locator("[data-mime-type='application/vnd.jupyter.error']")
        assert not errors.count(), errors.all_text_contents()
