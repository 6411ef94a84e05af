# The targets that people and the build use. `make` alone lists them.
# PYTHON=/path/to/python3.12 chooses the interpreter of the environment; PYTEST_WORKERS=0 runs the tests in one process.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# A PYTHONPATH of the caller would put another copy of a module before the environment's own.
unexport PYTHONPATH

PYTHON ?=
PYTEST_WORKERS ?= auto
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.gatling-beam
CODE := gatling_beam transforms pipelines tests tools benchmarks setup.py

.PHONY: help env demo test test-all engines lint types bench format clean

help:
	@echo "make demo      run the main job on the embedded sample; the result is in demo-output/"
	@echo "make test      format, lint, types and the fast tests"
	@echo "make test-all  the slow tests too, and with GATLING_BEAM_DATA=<mirror> those on real data"
	@echo "make engines   the main job on Prism and Flink, compared with the default runner's; needs go, java and mvn"
	@echo "make bench     measure (benchmarks/)"
	@echo "make format    format the code and sort imports"
	@echo "make clean     remove what the other targets made"

env: $(STAMP)

$(STAMP): pyproject.toml setup.py tools/find_python.sh
	@[ -x $(BIN)/pip ] || { python=$$(tools/find_python.sh "$(PYTHON)"); \
	  echo "making $(VENV) with $$python; this takes a few minutes the first time"; \
	  "$$python" -m venv $(VENV) || { echo "no venv; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip "setuptools>=77"
	@$(BIN)/python -m pip install --disable-pip-version-check --editable '.[dev,report]' >$(VENV)/install.log 2>&1 \
	  || { cat $(VENV)/install.log >&2; exit 1; }
	@touch $@

demo: $(STAMP)
	@$(BIN)/gatling-beam tier1 --sources all --root embedded --target 2000 --top_up gold --output demo-output --overwrite
	@echo
	@echo "A row of a data set, and a gold trace:"
	@echo
	@$(BIN)/gatling-beam inspect demo-output --source toolace --n 1
	@echo
	@$(BIN)/gatling-beam inspect demo-output --source gold --n 1
	@echo
	@$(BIN)/gatling-beam tier2 --input demo-output --output demo-families --per_term 20 --k 2 --overwrite --quiet
	@echo
	@echo "A crossing of a family: who is allowed what, and why:"
	@echo
	@$(BIN)/gatling-beam inspect demo-families --crossings --strategy exfiltration_pivot --n 1
	@echo
	@echo "demo-output/ holds:"
	@echo "  data/              the rows, as Parquet: datasets.load_dataset('demo-output')"
	@echo "  dead_letters/      the rows that could not be used, each with its reason; some of the sample are broken on purpose"
	@echo "  ledger.json        where every row of every source went; the run fails when it does not add up"
	@echo "  manifest.json      recipe, versions, and name, rows and sha256 of every file"
	@echo "demo-families/ holds 80 attacks in data/ and their benign twins in benign/"
	@echo "Look at more rows:   $(BIN)/gatling-beam inspect demo-output --source xlam; at attacks: ... inspect demo-families --crossings"
	@echo "Check the folder:    $(BIN)/gatling-beam validate demo-output"

test: lint types
	$(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) -m "not slow and not external"

test-all: lint types
	$(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) -m "slow or not slow"

engines: $(STAMP)
	@tools/engines/build.sh $(VENV)/engines
	@$(BIN)/python tools/engines/run.py $(VENV)/engines

lint: $(STAMP)
	$(BIN)/ruff format --check $(wildcard $(CODE))
	$(BIN)/ruff check $(wildcard $(CODE))

# In the tree, transforms/ and pipelines/ are not yet below gatling_beam: mypy checks the package as it is installed.
types: $(STAMP)
	rm -rf build
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --target build/typecheck .
	cd build/typecheck && ../../$(BIN)/python -m mypy --config-file ../../pyproject.toml --cache-dir ../../.mypy_cache -p gatling_beam

bench: $(STAMP)
	@for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

format: $(STAMP)
	$(BIN)/ruff check --fix-only $(wildcard $(CODE))
	$(BIN)/ruff format $(wildcard $(CODE))

clean:
	rm -rf build dist demo-output demo-families .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info $(VENV)
