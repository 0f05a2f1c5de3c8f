# Two commands on a fresh machine with Python 3.10 or newer:
#   make demo   read the expressions in a real photo (base install, no training framework)
#   make test   install everything and run the tests

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest
INSTALL := -m pip install --quiet --disable-pip-version-check
PIP := $(BIN)/python $(INSTALL) -c constraints.txt
PYTEST := -m pytest -n auto --maxprocesses 4 --dist loadfile

.PHONY: help demo test lint check-wheel check-oldest clean

help:
	@echo "make demo    set up, then read the expressions in a public domain portrait"
	@echo "make test    set up everything, then run the tests"
	@echo "make lint    style, types and import directions"
	@echo "make check-wheel  size and cost of the base install"
	@echo "make check-oldest  the oldest libraries that photos, videos and requests are read with"
	@echo "make clean   remove the environment and everything made"

$(BIN)/python:
	@echo "== Creating the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# The stamps make a second run start at once.
$(VENV)/.base: pyproject.toml constraints.txt | $(BIN)/python
	@echo "== Installing mien and its base dependencies (no training framework; about a minute)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/.base
	@echo "== Installing PyTorch and the development tools (a few minutes)"
	@$(PIP) -e '.[dev]'
	@touch $@

demo: $(VENV)/.base
	@echo "== Reading a real photo"
	@$(BIN)/mien demo --out demo
	@echo "== Done. To use it: . $(VENV)/bin/activate && mien --help"

test: $(VENV)/.dev
	@echo "== Running the tests (ten minutes on 2 cores; tests of real data need MIEN_DATA)"
	@OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST)
	@echo "== Passed. Screenshots of the page: .pytest_cache/d/screenshots"
	@echo "   To see it work: make demo. To look around: README.md"

lint: $(VENV)/.dev
	@echo "== Style, types, import directions"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check-wheel: $(VENV)/.dev
	@echo "== Building the wheel and using it in an environment of its own"
	@$(BIN)/python benchmarks/wheel.py

# Each library in the lowest version that pyproject.toml takes; without a training framework.
$(OLDEST)/.dev: pyproject.toml
	@echo "== Installing the oldest libraries in $(OLDEST) (a minute or two)"
	@$(PYTHON) -m venv --clear $(OLDEST)
	@sed -n '/^dependencies/,/^train/p' pyproject.toml | grep -oE '[a-z-]+>=[0-9.]+' \
		| sed 's/>=/==/' > $(OLDEST)/lowest.txt
	@$(OLDEST)/bin/python $(INSTALL) -c $(OLDEST)/lowest.txt -e '.[parquet,app]' \
		httpx hypothesis onnx pandas pytest pytest-xdist
	@touch $@

check-oldest: $(OLDEST)/.dev
	@echo "== Testing with the oldest libraries"
	@OMP_NUM_THREADS=1 $(OLDEST)/bin/python $(PYTEST) \
		tests/inference tests/apps/api --ignore tests/apps/api/test_api_schema.py

clean:
	rm -rf $(VENV) $(OLDEST) demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
