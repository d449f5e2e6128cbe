# 惠民: make help lists what there is. Everything installs itself from hash-pinned locks.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
PYTHON ?= python3.11
PEOPLE ?= 20000
SERVE ?= 1
PORT ?= 8000
DEBIAN_PG := /usr/lib/postgresql/15/bin
export PYTHONPATH := $(CURDIR)/src:$(CURDIR)
BIN := .venv/bin

.PHONY: help install demo serve test soak bench check lock clean fonts browser

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

install: .venv/.synced node_modules/.synced ## make the environment: Python packages and page assets, from the locks

.venv/.synced: requirements/dev.txt scripts/make-venv
	@scripts/make-venv $(PYTHON)
	@touch $@

node_modules/.synced: package.json package-lock.json .npmrc
	@npm ci --silent --ignore-scripts
	@touch $@

fonts:
	@scripts/system-parts fonts

browser:
	@scripts/system-parts fonts browser

demo: install fonts ## a whole quarter of a generated county, then the site (PEOPLE=20000 SERVE=1 PORT=8000)
	@./huimin demo run --people $(PEOPLE)
	@if [ "$(SERVE)" != 0 ]; then ./huimin serve --port $(PORT); else ./huimin db down; fi

serve: install ## the site of the last demo, at http://127.0.0.1:8000
	@./huimin serve --port $(PORT)

test: install browser ## every test, on a PostgreSQL and a Chromium of its own; the journey on Debian's PostgreSQL 15 too
	@$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder
	@if [ -x $(DEBIAN_PG)/initdb ]; then HUIMIN_TEST_PG=$(DEBIAN_PG) $(BIN)/pytest -q tests/journeys -k "ends_with or verifies"; fi

soak: install ## quarters of over 10,000 lines, their worker, site and PostgreSQL killed 200 times; a hundred random walks of money
	@HUIMIN_KILLS=200 HUIMIN_TEST_PEOPLE=32000 $(BIN)/pytest -q -s tests/recovery/test_kill.py
	@HUIMIN_WALKS=100 $(BIN)/pytest -q -s tests/payment/test_walk.py

.venv-bench/.synced: requirements/bench.txt scripts/make-venv
	@scripts/make-venv $(PYTHON) .venv-bench requirements/bench.txt
	@touch $@

bench: install .venv-bench/.synced ## how fast, each beside its yardstick; bench-out/results.json (ONLY=determine runs one)
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY))

check: install ## lint, types, layers, migrations, deployment settings, locks
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@HUIMIN_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))') $(BIN)/python manage.py makemigrations --check --dry-run
	@HUIMIN_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))') $(BIN)/python -W ignore manage.py check --deploy --fail-level WARNING
	@$(BIN)/python scripts/check_locks.py

lock: ## resolve the locks anew (needs uv on the path)
	@for name in run dev bench; do uv pip compile -q --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade requirements/$$name.in -o requirements/$$name.txt; done
	@npm install --silent --ignore-scripts

clean: ## remove the environments and the demo's data (asks the database to stop first)
	@-./huimin db down
	@rm -rf .venv .venv-bench node_modules var demo-out
