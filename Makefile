# `make` alone lists the targets. Settings are environment variables: `.venv/bin/python -m include settings`.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The Python of the environment that is there; else the newest that runs (a name on the path may be a version manager's
# empty promise) and can make one; else any that runs, which is told what is missing.
ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell for code in "import ensurepip, venv" ""; do \
	for p in .venv/bin/python python3.13 python3.12 python3.11 python3; do \
	$$p -c "$$code" 2>/dev/null && { echo $$p; exit; }; done; done)
else ifneq ($(wildcard .venv/bin/python),)
# A Python that is named, of another version than the environment's, replaces the environment.
VERSION = $(shell $(1) -c "import sys; print('%d.%d' % sys.version_info[:2])" 2>&1)
REPLACED := $(if $(filter-out x$(call VERSION,.venv/bin/python),x$(call VERSION,$(PYTHON))),replace-environment)
endif
REPLAY ?=
DATA ?=
# Hand-read labels of champagne rows among the real records.
LABEL_LIST ?= tests/data/champagne_labels.csv
ARGS ?=
RUN := .venv/bin/python -m include
# A file's tests stay together, since they share what is costly; the order is that of tests/fixtures/order.py.
ALL_TESTS := -n auto --dist loadfile --no-loadscope-reorder --durations 20

# Many containers set it: each of the processes that work side by side would compile all modules for itself.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  REPLAY=FOLDER with demo, DATA=FOLDER with evaluate: real records instead of drawn ones.  ARGS='-k photo' with test."

.PHONY: demo
demo: preflight .venv/.installed ## the whole product: train, three days through Airflow, results
	@$(RUN) demo $(if $(REPLAY),--replay "$(REPLAY)")

.PHONY: up
up: preflight .venv/.installed ## start PostgreSQL and Airflow on this machine
	@$(RUN) up

.PHONY: down
down: ## stop everything that up or demo has started
	@if [ -x .venv/bin/python ]; then $(RUN) down; else echo "not installed, so nothing runs"; fi

.PHONY: status
status: .venv/.installed ## what runs, where it listens, where its logs are
	@$(RUN) status

.PHONY: test
test: .venv/.installed-dev ## run all tests, and tell which took longest
	@.venv/bin/python -m pytest $(ALL_TESTS) $(ARGS)

.PHONY: check
check: .venv/.installed-dev ## lint, and the tests that need no server, Airflow, Keras or training
	@$(MAKE) -j 2 lint quick

.PHONY: quick
quick: .venv/.installed-dev
	@.venv/bin/python -m pytest -n auto --dist worksteal --quick -q --durations 5 $(ARGS)

.PHONY: coverage
coverage: .venv/.installed-dev ## run all tests, and print which share of the lines they run
	@.venv/bin/python -m pytest $(ALL_TESTS) --cov $(ARGS)

.PHONY: audit
audit: .venv/.installed-dev ## ask whether a locked package has a known vulnerability
	@.venv/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.txt

.PHONY: deps
deps: .venv/.installed-dev ## packages that are imported and not required, or required and not imported
	@.venv/bin/deptry .

.PHONY: lint
lint: .venv/.installed-dev ## style, types and the import rules between packages
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

.PHONY: lock
lock: .venv/.installed ## resolve requirements*.in for all Pythons and systems; keeps every version that can stay
	@for name in requirements requirements-dev requirements-uv; do \
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --annotation-style line \
	--no-header $(ARGS) $$name.in -o $$name.txt || exit 1; done

.PHONY: format
format: .venv/.installed-dev ## format the code, and fix what the linter can
	@.venv/bin/ruff check --fix --quiet . || true
	@.venv/bin/ruff format .

.PHONY: evaluate
evaluate: .venv/.installed ## measure the classifiers by cross-validation, against their targets
	@$(RUN) evaluate $(if $(DATA),--data "$(DATA)" $(if $(wildcard $(LABEL_LIST)),--label-list "$(LABEL_LIST)")) $(ARGS)

.PHONY: bench
bench: .venv/.installed-dev ## measure speed and memory, side by side with the alternatives
	@.venv/bin/python -m tests.benchmarks $(ARGS)

.PHONY: screenshots
screenshots: .venv/.installed-dev ## make the pictures of README and docs, from a demo of their own
	@.venv/bin/python -m tests.screenshots $(ARGS)

.PHONY: faults
faults: .venv/.installed-dev ## inject all faults: hostile servers, records, texts and photos; time and memory of each
	@.venv/bin/python -m tests.faults $(ARGS)

.PHONY: setup
setup: .venv/.installed-dev ## install everything, for development

.PHONY: clean
clean: down ## stop everything and remove the state folder (.cuvee)
	@$(PYTHON) include/local/clean.py

.PHONY: preflight
preflight: python
	@$(PYTHON) include/local/preflight.py start

.PHONY: replace-environment
replace-environment:

.PHONY: python
python:
	@test -n "$(PYTHON)" || { echo "error: no Python found: apt install python3-venv" >&2; exit 1; }

.venv/.installed: requirements.txt requirements-uv.txt $(REPLACED) | python
	@$(PYTHON) include/local/interpreter.py
	@$(PYTHON) include/local/preflight.py install
	@$(PYTHON) include/local/install.py requirements.txt
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	@$(PYTHON) include/local/install.py requirements-dev.txt
	@touch $@
