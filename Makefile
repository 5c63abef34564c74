# `make demo` and `make test` each work as the first and only command on a fresh clone.
PYTHON ?= python3
# Another interpreter gets an environment of its own: make test PYTHON=python3.12
VERSION = $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
VENV   ?= $(if $(filter python3,$(PYTHON)),.venv,.venv-$(VERSION))
LOWEST := .venv-lowest
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PIP    := -m pip install --quiet --disable-pip-version-check
# The versions that everybody develops with; the newest instead: make test LOCK=
LOCK   ?= requirements/dev.lock
# All of [project.optional-dependencies]; a test compares.
EXTRAS := aiohttp,cache,cli,httpx2,media,otel,outbox-postgres,pillow,postgres,prometheus,rabbitmq,redis,socketio,testing
# Tests that take long stand side by side: who is done takes over what another still has to do.
TWO    := -n 2 --dist worksteal

.PHONY: demo test lint types sync check-sync unit cover rest docs docs-serve dist lock hooks mutants lowest matrix bench scale choice doubles drill live clean

$(STAMP): pyproject.toml $(LOCK)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP) --upgrade pip
	@$(BIN)/python $(PIP) $(LOCK:%=-c %) -e '.[$(EXTRAS)]' --group dev
	@touch $@

demo: $(STAMP)            ## Run the main job against the fake server (or EVOLUTION_API_URL)
	@$(BIN)/python examples/quickstart.py

test: lint types check-sync cover rest  ## Everything CI runs

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(STAMP)
	$(BIN)/mypy
	$(BIN)/pyright --warnings --pythonpath $(BIN)/python

sync: $(STAMP)            ## Regenerate the outbox's sends, _sync, api/public.txt, and what docs/ has from the code: reference/operations.md, tables of servers.md and events.md
	$(BIN)/python tools/outbox_messages.py
	$(BIN)/python tools/generate_sync.py
	$(BIN)/python tools/public_api.py
	$(BIN)/python tools/operations_page.py
	$(BIN)/python tools/servers_page.py
	$(BIN)/python tools/kinds_page.py

check-sync: $(STAMP)
	$(BIN)/python tools/outbox_messages.py --check
	$(BIN)/python tools/generate_sync.py --check
	$(BIN)/python tools/public_api.py --check
	$(BIN)/python tools/operations_page.py --check
	$(BIN)/python tools/servers_page.py --check
	$(BIN)/python tools/kinds_page.py --check

unit: $(STAMP)            ## The tests, without measuring what they cover
	$(BIN)/pytest $(TWO)

# The measure of coverage.py that costs least for branches is its own choice: sys.monitoring from
# Python 3.14 on, before that its tracer in C.
#
# Measuring doubles the time of what runs under it. So the rooms that decide are measured, by the
# tests of these rooms and of the client; servers, files and drills run without (`make rest`).
ROOMS := base operations reconcile retry resilience identity media models config errors events \
	contract clients

cover: $(STAMP)           ## Tests of what decides, and what they cover; fails below the floor
	$(BIN)/pytest $(TWO) --cov --cov-report=term $(ROOMS:%=tests/%)

rest: $(STAMP)            ## All other tests
	$(BIN)/pytest $(TWO) $(ROOMS:%=--ignore=tests/%)

docs: $(STAMP)            ## Build the site in site/, English and Portuguese; a broken link is an error
	$(BIN)/zensical build --config-file mkdocs.yml --clean --strict
	$(BIN)/zensical build --config-file mkdocs.pt.yml --clean --strict
	$(BIN)/python tools/llms_txt.py

docs-serve: $(STAMP)      ## Show the English site, and rebuild it on changes (mkdocs.pt.yml for the other)
	$(BIN)/zensical serve --config-file mkdocs.yml

dist: $(STAMP)            ## Wheel and sdist, in dist/, tried in an empty environment
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist
	EVOLUTION_SDK_DIST=dist $(BIN)/pytest tests/package/test_package_wheel.py

lock: $(STAMP)            ## The newest versions that fit, for all who develop, in requirements/dev.lock
	@$(BIN)/python $(PIP) --group lock
	$(BIN)/python tools/lock.py

hooks: $(STAMP)           ## Checks before each commit, by git and the tools that are here
	$(BIN)/python $(PIP) --group hooks
	$(BIN)/pre-commit install

mutants: $(STAMP)         ## Small mistakes in the decision code, of which the tests must notice each
	$(BIN)/python tools/mutants.py

$(LOWEST)/.installed: pyproject.toml tools/lowest.py
	@test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	@$(LOWEST)/bin/python $(PIP) --upgrade pip packaging
	@$(LOWEST)/bin/python tools/lowest.py > $(LOWEST)/requirements.txt
	@$(LOWEST)/bin/python $(PIP) -e . -r $(LOWEST)/requirements.txt
	@touch $@

lowest: $(LOWEST)/.installed  ## The tests with the lowest versions that pyproject.toml allows
	$(LOWEST)/bin/python tools/lowest.py --check
	$(LOWEST)/bin/pytest $(TWO) --ignore=tests/docs --ignore=tests/drills \
	  --ignore=tests/package --ignore=tests/typing

matrix: lowest            ## Every Python, and the lowest versions; needs python3.12 and python3.13
	$(MAKE) unit PYTHON=python3.12
	$(MAKE) unit PYTHON=python3.13

bench: $(STAMP)           ## Ratios against the raw HTTP libraries, in one run
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/retry.py
	$(BIN)/python benchmarks/events.py
	$(BIN)/python benchmarks/receiver.py
	$(BIN)/python benchmarks/payloads.py
	$(BIN)/python benchmarks/cold_start.py
	$(BIN)/python benchmarks/anomaly.py
	$(BIN)/python benchmarks/monitor.py
	$(BIN)/python benchmarks/console.py
	$(BIN)/python benchmarks/outbox.py
	$(BIN)/python benchmarks/scale/run.py --quick

scale: $(STAMP)           ## Cost of what could grow with the work, at three sizes each
	$(BIN)/python benchmarks/scale/run.py

choice: $(STAMP)          ## Whether the anomaly detector's constants were chosen or fitted
	$(BIN)/python benchmarks/anomaly_choice.py

doubles: $(STAMP)         ## Messages doubled and lost, beside two peers, in one run
	$(BIN)/python benchmarks/doubles.py

drill: $(STAMP)           ## Every drill: 10,000 sends each, forks, 2,000 each through the hostile server, nasty values, 20,000 mutated events, an outbox of 2,000 under 50 kills
	EVOLUTION_DRILL_SENDS=10000 EVOLUTION_HOSTILE_SENDS=2000 EVOLUTION_DRILL_MUTATIONS=20000 \
		EVOLUTION_DRILL_OUTBOX=2000 \
		$(BIN)/pytest $(TWO) tests/drills tests/forking tests/hostile tests/inputs \
		tests/events/test_events_fuzz.py tests/monitor/test_monitor_drill.py \
		tests/monitor/test_monitor_day.py tests/clients/test_clients_live_on_fake.py \
		tests/outbox/test_outbox_kills.py tests/outbox/test_outbox_transactions.py \
		tests/outbox/test_outbox_cut_off.py tests/outbox/test_outbox_procrastinate_kills.py \
		tests/outbox/test_outbox_examples.py tests/outbox/test_outbox_recipes.py \
		tests/outbox/test_outbox_daily_cap.py tests/archive/test_archive_shared.py \
		tests/cli/test_cli_new.py tests/clients/test_clients_limits_processes.py \
		tests/webhooks/test_webhooks_machines.py
	EVOLUTION_DRILL_SENDS=10000 $(BIN)/pytest $(TWO) -m hypothesis

live: $(STAMP)            ## Needs EVOLUTION_LIVE_URL and EVOLUTION_LIVE_API_KEY
	$(BIN)/pytest tests/live

clean:
	rm -rf .venv .venv-* .cache site .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build site
