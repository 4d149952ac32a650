# Two commands: `make reproduce` (environment, then the paper from the embedded data) and `make test`.
PYTHON ?= python3
CORES ?= all
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv || echo $(BIN)/uv)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export UV_COMPILE_BYTECODE := 1

.PHONY: reproduce test test-pacs lint env lock benchmark picture clean
.DEFAULT_GOAL := reproduce

reproduce: env ## the environment, then every table, figure and the printed paper
	snakemake --cores $(CORES) all

test: env lint ## every check and every test
	python -m pytest

test-pacs: env ## fetch from a real Orthanc server on this machine (apt-get install orthanc orthanc-dicomweb)
	python -m pytest -m pacs tests/pacs

lint: env
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	snakefmt --check Snakefile workflow

env: $(VENV)/.ready ## the environment, as requirements.lock pins it

$(VENV)/.ready: requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, not $$($(PYTHON) -V). Next: make PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@command -v $(UV) >/dev/null || $(BIN)/pip install --quiet --require-hashes -r requirements-uv.lock
	$(UV) pip sync --quiet --require-hashes requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lock: env ## resolve pyproject.toml anew into requirements.lock: hashes, no addresses
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra dev pyproject.toml -o requirements.lock
	awk '/^uv==/ {take=1; print; next} take && /^    --hash/ {print; next} {take=0}' requirements.lock > requirements-uv.lock

benchmark: env ## ratios side by side; nothing is a timed test
	for script in benchmarks/*.py; do echo "== $$script"; python $$script || exit 1; done

picture: env ## the README's picture, from the pages of results/report/paper.pdf
	python -c 'import typst; typst.compile("docs/overview.typ", output="docs/overview.png", format="png", root=".", ppi=110.0, ignore_system_fonts=True)'

clean: ## forget the environment and every cache, keep data and results
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .grimp_cache .hypothesis
