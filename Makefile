# Two commands after a clone: `make demo` and `make test`. Both set up everything they need.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help setup pii check test demo bench lock format

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: .venv/installed ## make .venv and install the locked dependencies

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Aftercare needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Say which: make PYTHON=python3.12 setup")'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python lacks the venv module (on Debian: apt-get install python3-venv)."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

pii: setup ## also the model that finds names in what goes into a dataset (280 MB; docs/redaction.md)
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: --no-deps -r requirements-pii.lock

check: setup ## lint, types, import contracts, policy books, lock
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/aftercare policy check
	@! grep -nE '(https?|file)://' requirements.lock requirements-pii.lock || { echo "a lock names a host"; exit 1; }

# Most tests wait for a server: they wait side by side, those that take longest first.
LONG := tests/matrix tests/demo tests/upgrade

test: setup ## the tests
	$(BIN)/python -m pytest --numprocesses=4 --dist=loadfile --no-loadscope-reorder $(LONG) tests

demo: setup ## a shop, an agent, about twenty cases, told as a story; then left running
	$(BIN)/aftercare demo

bench: setup ## what a case costs, how many a second, what the API takes in, whether chaos loses anything, how soon triggers see (an hour)
	$(BIN)/aftercare bench history
	$(BIN)/aftercare bench cases
	$(BIN)/aftercare bench chaos
	$(BIN)/aftercare bench chaos --by api
	$(BIN)/aftercare bench ingest
	$(BIN)/aftercare bench triggers
	$(BIN)/aftercare bench checks

format: setup ## let ruff arrange the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## pin every dependency anew, with hashes and without hosts (needs uv)
	uv pip compile pyproject.toml --group dev --extra server --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --no-emit-package aftercare -o requirements.lock
	@# On its own, for Presidio wants an older numpy; and without phonenumbers, for phonenumberslite is the same package.
	uv pip compile pyproject.toml --extra pii --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --no-emit-package aftercare --no-emit-package phonenumbers \
	  -o requirements-pii.lock
