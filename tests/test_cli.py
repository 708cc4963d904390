"""The command line as a user meets it: exit statuses, one-line errors, the doctor."""

import os
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest
import soundfile

from lass_lab import cli
from lass_lab.signal.files import InputError
from tests.test_commands import run


@pytest.fixture
def call(monkeypatch):
    """Run main() in this process with one more command, `fail`, that raises what it is given."""

    def run(error):
        def fail():
            raise error

        monkeypatch.setattr(cli.app, "registered_commands", [*cli.app.registered_commands])
        cli.app.command("fail")(fail)
        monkeypatch.setattr(sys, "argv", ["lass-lab", "fail"])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return caught.value.code

    return run


def test_bad_input_ends_in_one_line_and_status_2(call, capsys):
    assert call(InputError("song.wav: cannot be read\n  (Format not recognised)")) == 2
    out, err = capsys.readouterr()
    assert err == "lass-lab: song.wav: cannot be read (Format not recognised)\n"
    assert out == ""


def test_an_interrupt_ends_in_130_without_traceback(call, capsys):
    assert call(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err.strip() == ""


def test_a_fault_of_our_own_is_not_dressed_up_as_bad_input(call):
    with pytest.raises(ZeroDivisionError):
        call(ZeroDivisionError("ours"))


@pytest.mark.parametrize("arguments", [["no-such-command"], ["doctor", "--no-such-option"], ["separate", "-take1.wav"]])
def test_a_wrong_call_is_one_line_and_status_2(arguments, monkeypatch, capsys):
    assert run(monkeypatch, *arguments) == 2
    told = capsys.readouterr().err
    assert told.startswith("lass-lab: No such ") and told.count("\n") == 1 and arguments[-1][:2] in told


def test_names_that_a_terminal_cannot_show_and_a_folder_that_is_gone(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff\xe9 \xf0\x9f\x8e\xbb.wav"
    soundfile.write(tmp_path / "song.wav", np.zeros(3_200), 32_000)
    os.rename(tmp_path / "song.wav", name)
    gone = tmp_path / "gone"
    gone.mkdir()
    command = [sys.executable, "-m", "lass_lab.cli", "separate", name, "--query", "violin", "--out"]
    plain = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*command, tmp_path / "out"], capture_output=True, env=plain, timeout=120, check=False)
    assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr
    assert len(list((tmp_path / "out").iterdir())) == 1
    leave = "import os; os.rmdir(os.getcwd()); from lass_lab.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", leave], cwd=gone, capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (2, b"lass-lab: the working directory is gone; go to another\n")


def test_help_loads_nothing_heavy():
    code = (
        "import sys; sys.argv = ['lass-lab', '--help']\n"
        "import lass_lab.cli\n"
        "try: lass_lab.cli.main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'torch', 'librosa', 'lightning', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert "doctor" in result.stdout


def test_importing_the_package_loads_only_the_package():
    code = "import sys; before = set(sys.modules); import lass_lab; print(sorted(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "['lass_lab']"


def test_version(monkeypatch, capsys):
    assert not run(monkeypatch, "--version")
    assert capsys.readouterr().out.count(".") == 2


def test_doctor_prints_every_finding(monkeypatch, capsys):
    assert not run(monkeypatch, "doctor")
    told = capsys.readouterr().out
    for item in ("Python", "torch", "memory", "sentence encoder", "profile"):
        assert any(line[4:].startswith(item) for line in told.splitlines()), item
    assert metadata.version("torch").split("+")[0] in told
