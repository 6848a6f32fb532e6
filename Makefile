# Two commands: `make run` answers, `make test` proves. `make help` lists all.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: help run data load build analyze report docs land setup-spark spark \
	spark-server postgres test check lint prove coverage bench lock clean

PYTHON ?= python3
BIN := .venv/bin

# Another engine than DuckDB, as named in profiles.yml (docs/spark.md).
ELSEWHERE := $(filter-out duckdb,$(STREAMING_TARGET))

# The demo, or with LOG=<name> the log that `make load` put into logs/<name>.
LOG ?=
ROOT := target$(if $(LOG),/$(LOG))
export STREAMING_SEEDS := $(if $(LOG),logs/$(LOG),seeds)
export STREAMING_WAREHOUSE := $(ROOT)/streaming_engagement.duckdb
export STREAMING_LANDED ?= $(CURDIR)/$(ROOT)/landed
export DBT_TARGET_PATH := $(ROOT)
VARS = $(if $(wildcard $(STREAMING_SEEDS)/vars.yml), \
	--vars "$$(cat $(STREAMING_SEEDS)/vars.yml)")

help:  ## List what can be made.
	@awk -F ':.*## ' \
		'/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' \
		$(firstword $(MAKEFILE_LIST))

run: .venv/ready $(if $(LOG),,data)  ## Data, build, statistics, report: all of it.
	@$(if $(ELSEWHERE),$(MAKE) --no-print-directory land)
	@$(BIN)/python scripts/run.py
	@printf '\nReport      %s\n' "$(ROOT)/report/index.html"
	@printf 'Warehouse   %s\n' "$(or $(ELSEWHERE:%=target % of profiles.yml), \
		$(STREAMING_WAREHOUSE) (any DuckDB client, read-only))"
	@printf 'Lineage     make docs%s\n' "$(if $(LOG), LOG=$(LOG))"

data: .venv/ready  ## Write the simulated service (USERS=3000 SEED= DAILY=1 ...).
	@$(BIN)/python scripts/generate_seeds.py $(if $(USERS),--users $(USERS)) \
		$(if $(DAYS),--days $(DAYS)) $(if $(SEED),--seed $(SEED)) \
		$(if $(SCALE),--scale $(SCALE)) \
		$(if $(or $(DAILY),$(FORMAT)),--format $(if $(DAILY),daily,$(FORMAT)))

load: .venv/ready  ## Read your own logs: MAPPING=file.yml INPUT=folder (APPEND=1).
	@$(BIN)/python scripts/load_logs.py \
		"$(or $(MAPPING),$(error say which: make load MAPPING=file.yml))" \
		$(if $(INPUT),--input "$(INPUT)") $(if $(APPEND),--append) \
		$(if $(REPLACE),--replace) $(if $(ANEW),--anew) $(if $(FORCE),--force)

build: .venv/ready  ## Build every model and test its data.
	@$(BIN)/python scripts/run.py --steps build

analyze: .venv/ready  ## Estimate, with intervals, from the marts.
	@$(BIN)/python scripts/run.py --steps analyze

report: .venv/ready  ## Write the report.
	@$(BIN)/python scripts/build_report.py --out $(ROOT)/report

docs: .venv/ready  ## Write the lineage site as one page.
	@$(BIN)/python scripts/check_workplace.py
	@$(BIN)/dbt --quiet docs generate --static $(VARS)
	@echo "Open $(ROOT)/static_index.html"

land: .venv/ready  ## Write the raw files as Parquet, for Spark.
	@STREAMING_TARGET=duckdb $(BIN)/python scripts/check_workplace.py \
		--warehouse $(ROOT)/landing.duckdb
	@STREAMING_TARGET=duckdb STREAMING_WAREHOUSE=$(ROOT)/landing.duckdb \
		$(BIN)/python scripts/check_workplace.py
	@STREAMING_TARGET=duckdb STREAMING_WAREHOUSE=$(ROOT)/landing.duckdb \
		$(BIN)/dbt --quiet seed $(VARS)
	@$(BIN)/python scripts/land.py --warehouse $(ROOT)/landing.duckdb
	@rm -f $(ROOT)/landing.duckdb

setup-spark: .venv/ready-spark  ## Install what Spark needs here, but Java.

spark-server: .venv/ready-spark  ## Start a Spark here (STOP=1: stop it).
	@$(BIN)/python scripts/spark_server.py $(if $(STOP),stop,start)

spark: .venv/ready-spark  ## Build on DuckDB and on Spark, and compare it all.
	@$(BIN)/python scripts/compare_engines.py $(if $(LOG),--log $(LOG)) \
		$(if $(ONLY),--only $(ONLY))

postgres: .venv/ready-postgres  ## Let PostgreSQL judge the models' SQL.
	@$(BIN)/python scripts/check_dialect.py

test: .venv/ready-dev  ## Build the demo and run everything that proves it.
	@$(MAKE) --no-print-directory run LOG=
	@$(BIN)/dbt --quiet test --select test_type:unit
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" -n 2 \
		--dist loadfile --no-loadscope-reorder

check: lint  ## Lint code, SQL, YAML and the project that dbt built.
	@$(BIN)/python scripts/check_workplace.py
	@$(BIN)/dbt --quiet docs generate
	@$(BIN)/dbt-bouncer run

lint: .venv/ready-dev  ## Lint what needs no warehouse.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/yamllint --strict .
	@$(BIN)/sqlfluff lint --processes 2 models tests analyses \
		seeds/estimates
	@$(BIN)/python tests/portability/portable_sql.py

prove: .venv/ready-dev  ## Slow proofs by simulation, and on three processes.
	@$(BIN)/python -m pytest -m slow
	@$(MAKE) --no-print-directory .venv/ready-spark
	@$(BIN)/python scripts/compare_engines.py --unit-tests \
		--master 'local-cluster[2,1,1024]'

coverage: .venv/ready  ## Count how often tests and intervals keep their word.
	@$(BIN)/python scripts/count_coverage.py \
		$(if $(REPLICATES),--replicates $(REPLICATES))
	@$(MAKE) --no-print-directory report LOG=$(LOG)

bench: .venv/ready-dev  ## Ratios against named baselines (SCALE=100: size).
	@$(BIN)/python scripts/benchmark.py $(if $(SCALE),--scale $(SCALE))

clean:  ## Remove what was built; data, logs and .venv stay.
	@rm -rf target .pytest_cache .mypy_cache .ruff_cache

# A stamp is written last, so an interrupted installation starts again.
.venv/ready: requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) found: install" \
		"Python 3.11 or newer, or name one: make run PYTHON=/path" >&2; exit 1; }
	@$(PYTHON) scripts/check_python.py
	@echo "Installing into .venv (about a minute, once) ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps \
		-r requirements.txt
	@$(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null || true
	@touch $@

.venv/ready-dev: .venv/ready requirements-dev.txt
	@echo "Installing linters and test oracles into .venv ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps \
		-r requirements-dev.txt
	@$(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null || true
	@touch $@

.venv/ready-spark: .venv/ready requirements-spark.txt
	@echo "Installing dbt-spark and Spark into .venv (about two minutes, once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps \
		-r requirements-spark.txt
	@$(BIN)/python scripts/spark_server.py check
	@touch $@

.venv/ready-postgres: .venv/ready requirements-postgres.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps \
		-r requirements-postgres.txt
	@touch $@

# dbt-core asks for a parser that cannot be installed without GitHub and is used
# only under --use-v2-parser (dbt-labs/dbt-core#15670); it is left out.
LEFT_OUT := dbt-core-experimental-parser
PINS := target/pins
COMPILE := uv pip compile --quiet --universal --fork-strategy fewest \
	--python-version 3.11 --no-annotate --no-header --override $(PINS)/override \
	--no-emit-package $(LEFT_OUT) pyproject.toml

lock:  ## Renew the pins from pyproject.toml (needs uv).
	@mkdir -p $(PINS)
	@echo "$(LEFT_OUT); sys_platform == 'never'" > $(PINS)/override
	@grep '^#' requirements.txt > $(PINS)/run
	@$(COMPILE) >> $(PINS)/run
	@for group in dev spark postgres; do \
		grep '^#' requirements-$$group.txt > $(PINS)/$$group; \
		$(COMPILE) --group $$group --constraint $(PINS)/run \
			| grep -vxFf $(PINS)/run >> $(PINS)/$$group; \
		cp $(PINS)/$$group requirements-$$group.txt; \
	done
	@cp $(PINS)/run requirements.txt
