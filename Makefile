# What CI runs, verb by verb: `.ci/run` calls these and nothing else.
PYTHON ?= python

.PHONY: help install lint format type test slow slow-part nojit docs bench check oldest golden wheel changelog core-oldest core-newest

help:  ## Print this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 12

install:  ## Install the package with everything a developer needs
	$(PYTHON) -m pip install -e ".[dev]"

lint:  ## Ruff: rules and format
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format:  ## Fix and format with ruff
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

type:  ## Mypy
	$(PYTHON) -m mypy

test:  ## Tests, docstrings, README and guide
	$(PYTHON) -m pytest

slow:  ## All theory tests and tests on large data
	$(PYTHON) -m pytest -m slow --run-slow -n auto

slow-part:  ## The third of them that CI runs, always the same
	$(PYTHON) -m pytest -m slow --run-slow --slow-part 3 -n auto

nojit:  ## The kernel tests without compilation, with full coverage
	NUMBA_DISABLE_JIT=1 $(PYTHON) -m pytest tests/kernels -n auto --cov=skanomaly/_kernels --cov-fail-under=100

docs:  ## The documentation; a warning is an error
	$(PYTHON) -m sphinx -q -b html -n -W --keep-going docs docs/_build/html

bench:  ## A quick run of every benchmark in the current environment
	cd asv_bench && $(PYTHON) -m asv run --quick --show-stderr --python=same

golden:  ## Recompute the golden values
	for script in tests/golden/make_*.py; do $(PYTHON) $$script || exit 1; done

wheel:  ## Build the wheel, install it and run the command line
	rm -rf dist build/wheel && $(PYTHON) -m build
	$(PYTHON) -m twine check dist/*
	$(PYTHON) -m venv build/wheel && build/wheel/bin/pip install -q "$$(echo dist/*.whl)[cli]"
	cd build && wheel/bin/skanomaly scan --top 3

changelog:  ## The fragments of the changelog; with BASE=REF, also that there is one since that commit
	$(PYTHON) -m towncrier build --draft --version check --date never > /dev/null
	$(if $(BASE),$(PYTHON) -m towncrier check --compare-with $(BASE))

core-oldest:  ## The core tests with the oldest versions, in an environment of their own
	.ci/core oldest

core-newest:  ## The core tests on the wheel, with the newest Python at hand and the newest packages
	.ci/core newest

oldest:  ## The tests with the oldest versions that pyproject.toml allows
	rm -rf build/oldest && $(PYTHON) -m venv build/oldest
	build/oldest/bin/pip install -q -r requirements/oldest.txt && build/oldest/bin/pip install -q --no-deps .
	build/oldest/bin/python -m pytest -n auto

check: lint type changelog test nojit slow-part docs wheel core-oldest core-newest  ## All that CI runs
