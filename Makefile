# Everything runs in .venv, which the first target that needs it makes. `make` alone lists the targets.

SHELL := /usr/bin/env bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EXTRAS := dev,offline,render
TIMES := 50
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c '$(SUPPORTED)' 2>/dev/null && { echo "$$p"; break; }; done)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: setup course test torture browser-test lab lint notebooks site bench colab-check clean distclean help

setup: $(STAMP) ## Make .venv with the pinned packages (the other targets do it by themselves)

# Training gives gigabytes back after every step, and asks for them again: on Linux, let a process keep them.
course test: export GLIBC_TUNABLES := glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=10000000000:glibc.malloc.trim_threshold=100000000000

course: $(STAMP) ## Run every notebook in order (quick profile) into runs/course, show the results and write the report
	@$(BIN)/python -m authoring notebooks run
	@$(BIN)/lass-lab report --force --longest 60

test: $(STAMP) $(VENV)/onnx/.installed ## Run all tests, the notebooks among them
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder
	@PYTHONPATH=$(VENV)/onnx $(BIN)/python -m pytest tests/models/test_export.py

torture: $(STAMP) ## Kill every command 50 times, let no file grow and damage downloads (TIMES=500 for more)
	@LASS_LAB_TORTURE=$(TIMES) $(BIN)/python -m pytest -n auto --maxprocesses 2 --dist worksteal tests/test_torture.py

browser-test: $(STAMP) $(VENV)/.site $(VENV)/.browser ## Drive JupyterLab, the report and the site in a browser, as a student would
	@$(BIN)/python -m pytest --durations 5 tests/browser

lab: $(STAMP) ## Open the course in JupyterLab
	@$(BIN)/jupyter lab notebooks/00_welcome.ipynb

lint: $(STAMP) ## Check style, formatting, floors and spelling
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/codespell

notebooks: $(STAMP) ## Make notebooks/*.ipynb from notebooks/source/*.py
	@$(BIN)/python -m authoring notebooks build

site: $(STAMP) $(VENV)/.site ## Make the course as a site to read, build/site, of its newest run (runs it where there is none)
	@$(BIN)/python -m authoring site

bench: $(STAMP) ## Measure speed and memory on this computer
	@$(BIN)/python -m authoring bench

colab-check: $(STAMP) ## Run the first notebooks in an environment such as Colab's (takes Python 3.13 and a network)
	@$(BIN)/python -m authoring colab

clean: ## Delete runs/course, caches and builds (your other runs and .venv stay)
	@rm -rf runs/course build dist *.egg-info .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find lass_lab authoring tests notebooks -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

distclean: clean ## Delete .venv and .venv-colab as well
	@rm -rf $(VENV) .venv-colab

help: ## Show this list
	@echo "LASS Lab: separate a duet by typing what you want to hear. Start with: make course"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The stamp is made last, so that an install which dies half-way is done again by the next `make`.
$(STAMP): pyproject.toml constraints.txt
	@"$(PYTHON)" -c '$(SUPPORTED)' 2>/dev/null || \
		{ echo "lass-lab needs Python 3.11, 3.12 or 3.13: install one, or name it with make PYTHON=/path/to/python" >&2; exit 1; }
	@rm -f $@
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV)
	@echo "Installing into $(VENV): this happens once and takes some minutes (6 GB on disk with the CUDA libraries on Linux)."
	@set -o pipefail; \
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
		-c constraints.txt -e '.[$(EXTRAS)]' torch torchaudio torchvision 2>&1 \
		| tee $(VENV)/install.log | awk '/^ +(Downloading|Using cached) .*\([0-9][0-9]+\.[0-9]+ MB\)/ { $$1 = "  " $$1; print } \
			/^Installing/ { print "   Installing " NF - 3 " packages ..." } \
			/^(ERROR|error|WARNING: Retrying|  *(ERROR|error):)/ { print } { fflush() }' \
		|| { echo "The installation failed; all that pip said is in $(VENV)/install.log" >&2; exit 1; }
	@touch $@

# In a folder of its own: other libraries load onnxruntime wherever they find it, and its threads survive no fork.
$(VENV)/onnx/.installed: $(STAMP)
	@echo "Installing what the test of lass-lab export takes into $(VENV)/onnx"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt --upgrade --no-deps \
		--target $(VENV)/onnx onnx onnx-ir onnxruntime onnxscript ml_dtypes flatbuffers
	@touch $@

$(VENV)/.site: $(STAMP)
	@echo "Installing what the site takes into $(VENV)"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[site]'
	@touch $@

$(VENV)/.browser: $(STAMP)
	@echo "Installing what the browser's tests take into $(VENV)"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[browser]'
	@touch $@
