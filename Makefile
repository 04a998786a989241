# The two commands of the README are `make run` and `make test`. Everything goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all
TARGET ?= all
# tests side by side; each may start a workflow of its own
WORKERS ?= 2
# a file's tests share its runs, so they stay in one process; in the order of tests/conftest.py
PYTEST := $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: run test test-unit test-all lint format doctor lock python clean bench-data bench-model bench-npu

run: $(VENV)/run.stamp
	SUMMARY=below $(BIN)/snakemake $(TARGET) --cores $(CORES)
	@$(if $(filter all,$(TARGET)),PYTHONPATH=src $(BIN)/python -m tsf.report.run_summary results)

test: lint
	$(PYTEST) -m "not slow"

test-unit: $(VENV)/test.stamp
	$(PYTEST) tests/unit -m "not slow and not sample_run"

# with the full-size model: some ten minutes more on two cores
test-all: lint
	$(PYTEST)

lint: $(VENV)/test.stamp
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakemake --lint

# damaged inputs for FUZZ_SECONDS, others with every FUZZ_SEED; tests/fuzz says what is a fault
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 0
.PHONY: fuzz
fuzz: $(VENV)/test.stamp
	PYTHONPATH=src:tests $(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED)

# N runs killed at moments that KILLS_SEED chooses
N ?= 20
.PHONY: kills
kills: $(VENV)/test.stamp
	KILLS=$(N) $(PYTEST) tests/workflow/test_kills.py

# The licences and versions of what is installed, as CycloneDX, and the known vulnerabilities of
# what is locked, by SERVICE: osv or pypi.
SERVICE ?= osv
.PHONY: sbom audit
sbom: $(VENV)-audit/audit.stamp $(VENV)/run.stamp
	@mkdir -p results
	$(VENV)-audit/bin/cyclonedx-py environment $(BIN)/python --output-reproducible \
	    --output-format JSON --output-file results/sbom.cdx.json
	@echo results/sbom.cdx.json

audit: $(VENV)-audit/audit.stamp
	@$(VENV)-audit/bin/python envs/audit.py --service $(SERVICE)

format: $(VENV)/test.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile rules

# config.yaml's comments and the documents' tables of its keys, from config/schema.json
.PHONY: docs
docs: $(VENV)/run.stamp
	PYTHONPATH=src $(BIN)/python -m tsf.workflow.describe_config .

# what profiles/slurm and profiles/generic need besides
.PHONY: cluster
cluster: $(VENV)/cluster.stamp

doctor: $(VENV)/run.stamp
	$(BIN)/snakemake doctor --cores 1

# A lock is complete, so pip resolves nothing (--no-deps), and checks the hash of every file.
# -qq: errors, without a warning for every folder or index of the user's that lacks a package.
# --no-compile: Python compiles what is imported, a small part, when it is.
# pip takes a package for installed as soon as its metadata is there, so what an installation that
# broke off has left is installed again. The stamp is as old as the beginning: a lock that changes
# meanwhile is newer.
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install --no-compile
venv = $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
begin = redo=$$(test ! -e $@.begun || echo --force-reinstall); echo $$redo > $@.begun
install = $(PIP) --no-deps --require-hashes $$(cat $@.begun) -r $(1)
finish = mv $@.begun $@

# Installs lock $(1), or runs $(2) where pip finds no such build; a wrong hash is an error.
# ResolutionImpossible: not found, where the user's pip has a constraint on the package.
try = fault=$$($(call install,$(1)) 2>&1) || case "$$fault" in \
	*"No matching distribution"*|*ResolutionImpossible*) $(2);; \
	*) echo "$$fault" >&2; exit 1;; esac

# envs/lock.py says why torch and OpenVINO are apart
$(VENV)/run.stamp: $(addprefix envs/,cpu.lock openvino.lock torch-cpu.lock torch-cuda.lock) | python
	@echo "installing the pinned packages into $(VENV), once"
	@$(venv)
	@$(begin)
	@$(call install,envs/cpu.lock)
	@$(call try,envs/openvino.lock,\
	    echo "pip sees no OpenVINO for this machine: going on without the engine openvino")
	@$(call try,envs/torch-cpu.lock,\
	    echo "pip sees no CPU build of torch: installing the one for CUDA (some 5 GB)"; \
	    $(call install,envs/torch-cuda.lock))
	@$(finish)

$(VENV)/cluster.stamp: envs/cluster.lock $(VENV)/run.stamp
	@$(begin)
	@$(call install,envs/cluster.lock)
	@$(finish)

$(VENV)/test.stamp: envs/test.lock $(VENV)/cluster.stamp
	@$(begin)
	@$(call install,envs/test.lock)
	@$(finish)

# apart from the run's packages, which its own would move
$(VENV)-audit/audit.stamp: envs/audit.lock | python
	@$(PYTHON) -m venv --clear $(VENV)-audit
	@$(VENV)-audit/bin/python -m pip --disable-pip-version-check -qq install --no-deps \
	    --require-hashes -r envs/audit.lock
	@touch $@

# refuses a Python that the locks are not made for, and another one than $(VENV) was made with
VERSION := -c 'import sys; print("%d.%d" % sys.version_info[:2])'
python:
	@made=$$(test ! -x $(BIN)/python || $(BIN)/python $(VERSION)); \
	wanted=$(if $(filter file,$(origin PYTHON)),$$made); \
	wanted=$${wanted:-$$($(PYTHON) $(VERSION) 2>/dev/null)}; \
	case "$$wanted" in 3.11|3.12|3.13) ;; *) \
	    echo "error: Python 3.11, 3.12 or 3.13 is needed, and $(PYTHON) is" \
	        "$${wanted:-none}; set PYTHON, as in: make run PYTHON=python3.12" \
	        "(docs/ascend.md says how to get one)" >&2; exit 1;; esac; \
	test "$${made:-$$wanted}" = "$$wanted" || { \
	    echo "error: $(VENV) has Python $$made, and $(PYTHON) is $$wanted; delete $(VENV), or" \
	        "set VENV to another folder" >&2; exit 1; }

# envs/*.in say what is chosen; this writes what is installed
lock: | python
	@$(venv)
	@$(PIP) uv==0.13.9
	$(BIN)/python envs/lock.py

# the data path: the guide's own steps against ours, in CPU time a video
bench-data: $(VENV)/run.stamp
	$(BIN)/snakemake mmaction2 real_clips --cores $(CORES)
	PYTHONPATH=src $(BIN)/python bench/data.py

# how busy the devices are, with sleeps for decoding and inference; half an hour
bench-npu: $(VENV)/run.stamp
	PYTHONPATH=src $(BIN)/python bench/npu_busy.py --picture docs/npu_busy.svg

# what a run costs beside decoding and the model; a quarter of an hour
bench-overhead: $(VENV)/run.stamp
	PYTHONPATH=src $(BIN)/python bench/overhead.py

# the full-size model at random weights: engine against engine, then batch sizes; half an hour
FULL_SIZE := --directory results/bench_model --cores $(CORES) \
	--configfile config/real_clips.yaml config/bench_model.yaml
bench-model: $(VENV)/run.stamp
	$(BIN)/snakemake $(addprefix results/,recipe.json real_clips/manifest.tsv tsf_sim.onnx tsf_opt.onnx \
	    tsf_opt_u8.onnx tsf.pt2 tsf_opt_int8.xml tsf_opt_u8_int8.xml) $(FULL_SIZE)
	PYTHONPATH=src $(BIN)/python bench/model.py
	$(BIN)/snakemake performance.json rewrites.json $(FULL_SIZE)
	PYTHONPATH=src $(BIN)/python -m tsf.report.performance \
	    --performance results/bench_model/results/performance.json \
	    --output results/bench_model/performance.md
	@cat results/bench_model/performance.md

clean:
	rm -rf results .snakemake
