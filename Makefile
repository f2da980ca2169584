# Ductrunner: everything a person or CI does with the checkout.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Tests that run side by side, each file on one of so many processes with servers of its own; they wait more than work.
JOBS   ?= 3
# Those in which something dies at a certain moment have the machine to themselves.
ALONE  := tests/faults tests/integration/health
STAMP  := $(VENV)/.installed
ROOMS  := agent bootstrap compat core ductrunner pipelines sandbox steps_impl stores

.PHONY: chaos demo test test-newest lint format bench docs lock clean install parts engines

install: $(STAMP)

$(STAMP): requirements/uv.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Ductrunner needs Python 3.11 or newer; say which: make PYTHON=python3.13"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	echo "$(CURDIR)/compat" > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/dataduct.pth"
	$(BIN)/python -m compileall -q $(ROOMS)
	touch $@

# A real MySQL server, where the machine lets us install one (Debian, root); said clearly where it does not.
parts:
	@packaging/install-parts.sh

# Hadoop, Pig, Hive and Cassandra on one machine, where Maven can fetch their jars (210 MB, once for all checkouts).
engines: install parts
	@$(BIN)/ductrunner sandbox engines --or-go-on

demo: install parts
	@$(BIN)/python examples/rds_to_redshift/demo.py

test: install parts engines
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(or $(TESTS),$(ALONE:%=--ignore=%))
	$(if $(TESTS),,$(BIN)/python -m pytest $(ALONE))

# The long form of the fault tests, about half an hour: CHAOS="--only kills --kill-seconds 60 --seed 7" for a part.
chaos: install parts engines
	$(BIN)/python -m tests.faults.chaos $(CHAOS)

# The same on the newest Python that the machine has.
test-newest:
	$(MAKE) PYTHON="$$(.ci/newest-python)" VENV=.venv-newest test

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd examples/rds_to_redshift && $(abspath $(BIN))/mypy --config-file $(CURDIR)/pyproject.toml demo.py check.py
	$(BIN)/python -m docs.generate --check

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The peers live in a virtual environment of their own.
.venv-bench/.installed: requirements/bench.txt | install
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	$(BIN)/uv pip sync --quiet --python .venv-bench/bin/python --require-hashes requirements/bench.txt
	touch $@

bench: install parts .venv-bench/.installed
	@$(BIN)/python -m benchmarks

docs: install
	@$(BIN)/python -m docs.generate

lock: install
	for name in bench core dev uv; do $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
	  --custom-compile-command 'make lock' requirements/$$name.in -o requirements/$$name.txt; done

clean:
	rm -rf $(VENV) .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
