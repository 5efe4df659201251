# Two commands do everything: `make demo` and `make test`. Python 3.11 and a network are all they need.
PYTHON ?= python3.11
PORT ?= 8000
SCALE ?= ci
SEEDS ?= 1
DEVICE ?= cpu
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# A machine that stalls for seconds may fail one of thousands of tests. It gets a second try and is named at the end, with what
# failed, to be mended; a fault fails twice, and after three second tries there are no more.
SECOND_TRY := --reruns 1 --max-suite-reruns 3 --rerun-show-tracebacks
export PIP_NO_INPUT := 1

.PHONY: demo setup dev test test-vllm check unit postgres browser bench reproduce coverage clean
.DEFAULT_GOAL := demo

demo: setup  ## set up, start the whole lab, print its address; Ctrl-C stops it
	@exec $(BIN)/python manage.py up --port $(PORT)

setup: $(VENV)/.ready  ## the virtual environment and what the lab needs

$(VENV)/.ready: requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not on PATH: install Python 3.11 (Debian: apt-get install python3.11 python3.11-venv), or say make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "$(PYTHON) is not Python 3.11; say make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing (Debian: apt-get install python3.11-venv)"; exit 1; }
	@echo "Installing what requirements.txt pins; the first time this takes a few minutes ..."
	@$(PIP) install -r requirements.txt
	@touch $@

dev: $(VENV)/.dev-ready

$(VENV)/.dev-ready: requirements-dev.txt $(VENV)/.ready
	@$(PIP) install --quiet -r requirements-dev.txt
	@touch $@

test: dev browser check postgres unit  ## every check and every test

check: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint templates
	MCL_VAR=$$(mktemp -d) $(BIN)/python manage.py makemigrations --check --dry-run

unit: dev
	$(BIN)/python -m pytest $(SECOND_TRY)

postgres: dev  ## the database tests again on a private PostgreSQL cluster, where the machine has one
	$(BIN)/python -m tests.postgres $(SECOND_TRY)

browser: dev  ## Chromium for the browser tests: Debian's as root, else Playwright's own download
	@$(BIN)/python -m tests.get_browser

test-vllm: dev  ## the engine contract against a real vLLM on the CPU, in .venv-vllm (3.4 GB)
	$(BIN)/python -m tests.vllm

coverage: dev
	$(BIN)/python -m coverage run -m pytest
	$(BIN)/python -m coverage report --skip-covered

bench: setup  ## every benchmark, one after another; JSON beside the tables
	$(BIN)/python -m benchmarks

reproduce: setup  ## make the micro model from nothing and print the method's table; SCALE=smoke|ci|full SEEDS=3 DEVICE=cuda
	@$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py reproduce --scale $(SCALE) --seeds $(SEEDS) --device $(DEVICE)

clean:
	rm -rf $(VENV) var staticfiles .mypy_cache .ruff_cache .hypothesis .import_linter_cache
