# `make demo` shows it, `make test` proves it. Both need Python 3.11 or later and make, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: help demo test test-long check fix bench reference lock clean

help:
	@echo "make demo       make a synthetic cohort, derive its tables, draw its report (in demo/)"
	@echo "make test       run the tests"
	@echo "make test-long  run the tests, the slow ones too, and 100,000 random cases (build/engines.log)"
	@echo "make check      formatting, lint, types, floors: changes nothing"
	@echo "make fix        repair formatting and lint, write the generated pages anew"
	@echo "make bench      measure against the floors of the design"
	@echo "make reference  write anew what lifelines, statsmodels and scipy say of the inputs that the tests compare"
	@echo "make lock       resolve the dependencies anew into requirements*.txt (needs uv)"

demo: $(VENV)/runtime.stamp
	@$(BIN)/timeline demo --out demo
	@echo "(The command timeline is in $(BIN)/; to have it by its name: source $(BIN)/activate)"

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest

test-long: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m "slow or not slow"
	TIMELINE_CASES=$${TIMELINE_CASES:-100000} $(BIN)/python -m pytest --dist load tests/test_reference.py tests/test_laws.py

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-logo

fix: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m tests.pages

bench: $(VENV)/dev.stamp
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.twelve
	$(BIN)/python -m tests.bench.report
	$(BIN)/python -m tests.bench.fhir

$(VENV)/runtime.stamp: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"Python 3.11 or later is needed; this is {v[0]}.{v[1]}. Try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@echo "Installing what the engine needs into $(VENV)/ (once, about half a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp requirements-dev.txt
	@echo "Installing what the tests need into $(VENV)/ (once)"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

RESOLVE := uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
	--generate-hashes --no-header --no-emit-index-url
LOCK := $(RESOLVE) pyproject.toml

# Its packages are many and needed for nothing else, so they never come into $(VENV).
reference: build/reference-venv/stamp
	build/reference-venv/bin/python tests/reference_numbers.py

build/reference-venv/stamp: tests/reference.txt
	@echo "Installing lifelines and statsmodels into build/reference-venv/ (once)"
	@test -x build/reference-venv/bin/python || $(PYTHON) -m venv build/reference-venv
	@build/reference-venv/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes -r tests/reference.txt
	@touch $@

lock:
	$(LOCK) --group build --output-file requirements.txt
	$(LOCK) --group dev --constraints requirements.txt --output-file requirements-dev.txt
	$(RESOLVE) tests/reference.in --output-file tests/reference.txt

clean:
	rm -rf $(VENV) demo build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
