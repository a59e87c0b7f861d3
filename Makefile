# `make` lists the targets. Everything is installed into a local environment first.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test test-all check bench docs format clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.installed  ## the main job on the bundled real data
	$(BIN)/quantrail demo $(ARGS)

test: $(VENV)/.installed-dev  ## all tests, on SQLite and a real PostgreSQL
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile $(ARGS)

test-all: $(VENV)/.installed-dev  ## the slow searches and kill loops as well
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.installed-dev  ## style, types, direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev  ## every benchmark; rewrites the table in bench/RESULTS.md
	$(BIN)/python bench/run_all.py $(ARGS)

docs: $(VENV)/.installed-dev  ## rebuild the pages that are generated from the code
	$(BIN)/python docs/generate.py $(ARGS)

format: $(VENV)/.installed-dev  ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the local environment and caches
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "quantrail needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing quantrail into $(VENV) (once) ..."
	$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing quantrail with its test tools into $(VENV) (once) ..."
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.installed
