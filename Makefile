# `make demo` and `make test` install what they need into .venv first.
# Another Python has an environment of its own: `make test PYTHON=python3.13` makes .venv-3.13.
PYTHON ?= python3
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'))
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# NEST is packaged for Linux only.
EXTRAS := dev,docs,analysis,tasks,cluster,spikes,digits
ifeq ($(shell uname -s),Linux)
EXTRAS := $(EXTRAS),nest
# So is Triton, in whose interpreter the kernel for a GPU is tried without one.
ifeq ($(shell uname -m),x86_64)
EXTRAS := $(EXTRAS),triton
endif
endif

# PyPI's torch for Linux is built for GPUs and takes gigabytes; TORCH=cpu takes PyTorch's own wheel
# for the CPU.
WHEELS := $(if $(filter cpu,$(TORCH)),--extra-index-url https://download.pytorch.org/whl/cpu)

# uv unpacks on all cores, where pip would take one.
WANTED := $(WHEELS) -c constraints.txt -e '.[$(EXTRAS)]'
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python --index-strategy unsafe-best-match

.PHONY: demo test docs check dist install clean

install: $(INSTALLED)

# Of these little or nothing is imported, or by one process alone, which then compiles it.
UNUSED := .*/tests?|dask/(array|dataframe)|debugpy|fontTools|gymnasium|jedi|mypyc?|nest/doc|networkx
UNUSED := $(UNUSED)|numpy/distutils|parso|pip|prompt_toolkit|pydantic|pygments/lexers|sqlalchemy
UNUSED := $(UNUSED)|stable_baselines3|sympy/(parsing|physics|stats)|wcwidth
UNUSED := $(UNUSED)|torch/(_inductor|_vendor|distributed|onnx|testing)
NOT_COMPILED := /site-packages/($(UNUSED))/

# pip installs where uv cannot be had, cannot be told what pip is told here, or fails. Modules are
# compiled on all cores, too; not all is for this Python.
$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -c constraints.txt uv || true
	$(BIN)/python .ci/uv_as_pip.py $(UV) $(WANTED) || $(PIP) $(WANTED)
	$(BIN)/python -m compileall -q -q -j 0 -x '$(NOT_COMPILED)' $(VENV)/lib || true
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

# The wheel is made of the source distribution, so both are whole. Setuptools would take what an
# earlier build has left for new.
dist: $(INSTALLED)
	rm -rf build/lib build/bdist.* dist
	$(BIN)/python -m build

clean:
	rm -rf .venv .venv-* results build dist
