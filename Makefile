# `make demo` and `make test` install what they need into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test docs check install clean

install: $(INSTALLED)

$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,docs,analysis,tasks,cluster,nest,spikes]'
	touch $@

demo: $(INSTALLED)
	$(BIN)/spikebridge demo --out results

# A file's tests run one after the other in one process, those that measure time or memory too.
test: $(INSTALLED)
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder --durations=40

# The notebooks are not run for it: their pictures are stored, and the tests run them.
docs: $(INSTALLED)
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d build/doctrees notebooks build/docs
	@echo "The documentation is in build/docs/index.html"

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) results build
