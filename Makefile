# Two commands matter: `make app` runs it, `make test` tests it. Each sets up what it needs.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: app test lint format bench screenshots

app: .venv/installed
	$(BIN)/python -m pages._ui.serve

test: .venv/installed-dev
	$(BIN)/python -m pytest -m "not timed"
	$(BIN)/python -m pytest -m timed -n 0

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/installed-dev
	$(BIN)/python -m tests.benchmarks

screenshots: .venv/installed-dev
	$(BIN)/python -m tests.e2e.screenshots

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/pip install --quiet --requirement requirements-dev.txt
	touch $@
