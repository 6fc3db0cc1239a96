# make demo    install, then run the main job: three families trained on real text and shown at work
# make test    install what the tests need, then check everything, as CI does
# make check   the same (style, types, tests); `make lint`, `make types` and `make pytest` are its parts
# make format  put the code in order
# make docs    write docs/cli.md and docs/families.md anew: the command line's own help, what the tests' checks say
#
# Everything is installed into .venv, at the versions of constraints.txt. PYTHON=python3.12 picks the interpreter.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check lint types pytest format docs

demo: .venv/core.installed
	$(BIN)/trivium run projects/quickstart.yaml

test: check

check: .venv/dev.installed
	@$(MAKE) --no-print-directory --keep-going lint types pytest

lint: .venv/dev.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/dev.installed
	$(BIN)/mypy

pytest: .venv/dev.installed
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

format: .venv/dev.installed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: .venv/dev.installed
	$(BIN)/python -m trivium.cli.reference > docs/cli.md.new && mv docs/cli.md.new docs/cli.md
	$(BIN)/python -m tests.families.table 2> /dev/null > docs/families.md.new && mv docs/families.md.new docs/families.md

# Each stamp says that a step was done for the files it depends on, so nothing is installed twice.

.venv/created:
	@command -v $(PYTHON) > /dev/null || { echo "There is no $(PYTHON). Name another: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Trivium needs Python 3.11 or newer, this is $$($(PYTHON) --version). Name another: make PYTHON=python3.12"; \
	    exit 1; }
	@$(PYTHON) -m venv .venv || { \
	    echo "Python could not make .venv. On Debian and Ubuntu its module comes apart: apt install python3-venv"; \
	    exit 1; }
	@touch $@

.venv/torch.installed: constraints.txt | .venv/created
	@echo "Installing PyTorch into .venv (the largest part; minutes on a slow line) ..."
	@$(PIP) torch
	@touch $@

.venv/core.installed: pyproject.toml .venv/torch.installed
	@echo "Installing Trivium into .venv ..."
	@$(PIP) --editable .
	@touch $@

.venv/dev.installed: pyproject.toml .venv/core.installed
	@echo "Installing what the tests need into .venv ..."
	@$(PIP) --editable '.[dev]'
	@touch $@
