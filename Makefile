# Everything a person or CI runs. `make help` lists it.
PYTHON ?= python3.11
BIN := .venv/bin
SPREAD ?= -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo test check check-full oracle lint bench docs screenshots locks clean browser postgresql

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 14

demo: .venv/runtime  ## set up, run the pretend trial in Airflow, compare with the truth, serve
	@$(BIN)/stepwell demo $(ARGS)

test: .venv/dev browser  ## set up and run the tests
	@$(BIN)/python -m pytest $(SPREAD) $(ARGS)

check: lint test  ## lint, types and tests

check-full: .venv/dev browser postgresql  ## the tests, and those too slow for every landing
	@$(BIN)/python -m pytest --slow $(SPREAD) $(ARGS)

oracle: .venv/dev  ## one seed of the oracle under faults: make oracle SEED=17
	@$(BIN)/python -m pytest tests/flow/test_oracle.py -q --seed $(SEED)

lint: .venv/dev  ## style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: .venv/dev browser  ## ratios of this project's work to a bare scan, then its pages in Chromium
	@$(BIN)/python tests/bench/run.py
	@$(BIN)/python tests/bench/pages.py $(ARGS)

docs: .venv/dev  ## write the generated pages of docs/
	@$(BIN)/python docs/generate.py

screenshots: .venv/dev browser  ## photograph every page of a running demo into docs/img
	@$(BIN)/python docs/screenshots.py $(ARGS)

locks: .venv/dev  ## resolve the dependencies anew
	@.ci/lock

clean:  ## remove the environment and the demo's data
	rm -rf .venv .stepwell

browser:
	@command -v chromium >/dev/null || .ci/chromium

postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || .ci/postgresql

.venv/runtime: requirements.lock build.lock pyproject.toml .ci/setup
	@PYTHON=$(PYTHON) .ci/setup requirements.lock $@

.venv/dev: requirements-dev.lock build.lock pyproject.toml .ci/setup
	@PYTHON=$(PYTHON) .ci/setup requirements-dev.lock $@
	@touch .venv/runtime
