# The two commands of the README are `make run` and `make test`. Everything goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all
TARGET ?= all
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test test-all lint format doctor clean bench-data bench-model

run: $(VENV)/run.stamp
	$(BIN)/snakemake $(TARGET) --cores $(CORES)
	@PYTHONPATH=src $(BIN)/python -m tsf.report.run_summary results

test: lint
	$(BIN)/pytest -m "not slow"

# with the full-size model: some ten minutes more on two cores
test-all: lint
	$(BIN)/pytest

lint: $(VENV)/test.stamp
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakemake --lint

format: $(VENV)/test.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile rules

# config.yaml's comments and the documents' tables of its keys, from config/schema.json
.PHONY: docs
docs: $(VENV)/run.stamp
	PYTHONPATH=src $(BIN)/python -m tsf.workflow.describe_config .

doctor: $(VENV)/run.stamp
	$(BIN)/snakemake doctor --cores 1

# the pins are those of the conda environment, so that they are written down once
$(VENV)/run.stamp: envs/cpu.yaml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else \
	"error: Python 3.11 or newer is needed; set PYTHON, as in: make run PYTHON=python3.12")'
	@echo "installing the pinned packages into $(VENV), once"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) pip==25.3
	@sed -n 's/^ *- \(.*==.*\)/\1/p' envs/cpu.yaml > $(VENV)/requirements.txt
	@$(PIP) -r $(VENV)/requirements.txt
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp tests/requirements.txt
	@$(PIP) -r tests/requirements.txt
	@touch $@

# the data path: the guide's own steps against ours, in CPU time a video
# mmaction2.datasets needs scipy, which is among the test requirements
bench-data: $(VENV)/test.stamp
	$(BIN)/snakemake mmaction2 footage_data --cores $(CORES)
	PYTHONPATH=src $(BIN)/python bench/data.py

# the full-size model at random weights: engine against engine, then batch sizes; half an hour
FULL_SIZE := --directory results/bench_model --cores $(CORES) \
	--configfile config/footage.yaml config/bench_model.yaml
bench-model: $(VENV)/run.stamp
	$(BIN)/snakemake $(addprefix results/,footage_data/manifest.tsv tsf_sim.onnx tsf_opt.onnx \
	    tsf_opt_u8.onnx tsf.pt2 tsf_opt_int8.xml tsf_opt_u8_int8.xml) $(FULL_SIZE)
	PYTHONPATH=src $(BIN)/python bench/model.py
	$(BIN)/snakemake performance.json rewrites.json $(FULL_SIZE)
	@cat results/bench_model/results/performance.md

clean:
	rm -rf results .snakemake
