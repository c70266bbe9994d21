# `make` lists the targets. Each one sets up .venv first, if it is not there or out of date.
# PYTHON=/path/to/python names the Python to build it with; ARGS='...' is passed on to the tool.
.DEFAULT_GOAL := help

ready := .venv/.ready
run := .venv/bin/python -m

# where a checkout was moved or copied, its .venv still runs the code of the old place: renew it
ifneq ($(shell cat $(ready) 2>/dev/null),$(CURDIR))
.PHONY: $(ready)
endif

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(ready) ## Run the main job on data that it brings along
	@.venv/bin/bayes-distill demo $(ARGS)

.PHONY: venv
venv: $(ready) ## Set up .venv with the pinned versions
	@echo '.venv is ready'

$(ready): pyproject.toml constraints.txt
	@sh scripts/setup.sh

.PHONY: test
test: $(ready) ## Run all tests, in two processes; ARGS='-k law' for some, -n 0 for one process
	@$(run) pytest -n 2 --dist loadfile $(ARGS)

.PHONY: test-fast
test-fast: $(ready) ## Run the tests of the package that take no real sampling
	@$(run) pytest -m 'not slow and not house' $(ARGS)

.PHONY: test-house
test-house: $(ready) ## Run the tests of set-up, wheel, documentation, scripts and speed
	@$(run) pytest tests/house $(ARGS)

.PHONY: test-browser
test-browser: $(ready) ## Run the tests in Chromium, installing Debian's if root
	@sh scripts/chromium.sh
	@$(run) pytest -m browser $(ARGS)

.PHONY: notebooks
notebooks: $(ready) ## Run the notebooks and write their outputs; ARGS=3 for one
	@.venv/bin/python scripts/notebooks.py $(ARGS)

.PHONY: lint
lint: $(ready) ## Check style and layout with ruff, and which way imports go
	@$(run) ruff check
	@$(run) ruff format --check
	@.venv/bin/lint-imports --no-cache --no-logo

.PHONY: format
format: $(ready) ## Rewrite the layout and what ruff can mend
	@$(run) ruff check --fix
	@$(run) ruff format

.PHONY: types
types: $(ready) ## Check the types with mypy
	@$(run) mypy

.PHONY: docs
docs: $(ready) ## Build the documentation into docs/_build, and check that they load nothing
	@$(run) sphinx --quiet --fail-on-warning --keep-going --fresh-env docs docs/_build
	@.venv/bin/python scripts/check_offline.py docs/_build

.PHONY: figures
figures: $(ready) ## Draw the figures of the documentation again
	@.venv/bin/python scripts/docs_figures.py

.PHONY: bench
bench: ## Compare with PyMC, nutpie, BlackJAX, SLSQP and a bootstrap (an hour)
	@sh scripts/bench.sh

.PHONY: check
check: lint types test ## All of it: lint, types, test

.PHONY: wheel
wheel: $(ready) ## Build the wheel into dist/
	@$(run) pip --disable-pip-version-check wheel --quiet --no-deps --wheel-dir dist .
	@ls dist/*.whl

.PHONY: wheel-test
wheel-test: $(ready) ## Install the wheel into an empty venv elsewhere and ask it (needs a network)
	@sh scripts/wheel-test.sh

.PHONY: models
models: $(ready) ## Fit the cards that ship with a posterior again; ARGS=NAME for one
	@.venv/bin/python scripts/build_models.py $(ARGS)

.PHONY: constraints
constraints: ## Refresh constraints.txt, best with PYTHON=python3.12
	@sh scripts/constraints.sh

.PHONY: clean
clean: ## Remove .venv, caches and what was built
	rm -rf .venv .venv-bench dist build docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
