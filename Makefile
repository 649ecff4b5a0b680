# Every target installs what it needs (into a cache outside the tree) and says what it is doing.
# SECURESCAN_CACHE moves the cache; KUBECONFIG, when set, names a cluster to use instead of one made here.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
NAME ?= dev
TAR ?=
PYTEST_ARGS ?=
CORE ?=
SCENARIO ?=
PATHS ?=
BASE ?= main
PROCESSES ?= 2
PROFILE ?= container-baseline
SUBJECT ?=
ID ?=
FROM ?=

CLUSTER := $(PYTHON) tests/cluster/cluster.py
RUN := PYTHON=$(PYTHON) tests/in_collection.sh

.PHONY: help demo check changed fmt coverage test unit unit-shells lint sanity ansible-units molecule pythons bench docs docs-site page real new-control new-report changelog clean cluster-up cluster-down cluster-status cluster-image

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: ## a real cluster, sample workloads, one scan; leaves build/demo/latest/
	@$(RUN) python tests/demo/demo.py "$(CURDIR)/build/demo"

check: ## format, lint, types and unit tests: about a minute
	@$(RUN) bash tests/run_lint.sh --quick
	@$(MAKE) --no-print-directory unit PYTEST_ARGS=-q

changed: ## BASE=main: the unit tests of what differs from there, and of what is built on it; names the integration tests
	@$(RUN) python tests/environment/changed_tests.py "$(CURDIR)" "$(BASE)" $(PYTEST_ARGS)

fmt: ## formats the Python code
	@$(RUN) env --chdir "$(CURDIR)" ruff format --no-cache .

test: ## all tests, in PROCESSES=2, each with a real cluster of its own; or those that PYTEST_ARGS names
	@$(RUN) python -m pytest -p no:cacheprovider $(or $(PYTEST_ARGS),-n $(PROCESSES))

unit: ## the unit tests, without those of unit-shells
	@$(RUN) python -m pytest -p no:cacheprovider -n 4 -m "not in_container" tests/unit $(PYTEST_ARGS)

unit-shells: ## the unit tests that run shells in containers of their own
	@$(RUN) python -m pytest -p no:cacheprovider -n 2 -m in_container tests/unit $(PYTEST_ARGS)

coverage: ## the unit tests' coverage of each room
	@$(RUN) python tests/environment/room_coverage.py $(PYTEST_ARGS)

lint: ## every linter, with ansible-test sanity on one ansible-core
	@$(RUN) bash tests/run_lint.sh

sanity: ## CORE=x: ansible-test sanity on that ansible-core; on all that are supported without it
	@$(RUN) python tests/quality/sanity.py $(CORE)

ansible-units: ## PATHS=x: ansible-test units on these paths; on all unit tests of plugins without it
	@$(RUN) python tests/quality/units.py $(PATHS)

molecule: ## SCENARIO=x: that scenario on a real cluster; all of them without it
	@$(RUN) python -m pytest -p no:cacheprovider tests/integration/test_molecule.py $(if $(SCENARIO),-k "$(SCENARIO)")

pythons: ## all unit tests of the engine on each Python that is supported: about 15 minutes
	@SECURESCAN_ALL_ON_EACH_PYTHON=1 $(RUN) python -m pytest -p no:cacheprovider -n 2 tests/integration/test_python_versions.py

real: ## the tests with large real parts, and the table of all real parts in docs/evidence/: half an hour
	@$(RUN) env SECURESCAN_REAL=1 SECURESCAN_REAL_TABLE="$(CURDIR)/docs/evidence/tested-with.md" \
	  python -m pytest -p no:cacheprovider -n0 $(or $(PYTEST_ARGS),tests/real $$(grep -rl --include='test_*.py' 'real_systems import' tests/integration))

bench: ## benchmarks; writes build/bench.json
	@$(RUN) python tests/benchmarks/benchmarks.py "$(CURDIR)/build/bench.json"

docs: ## writes the generated parts of docs/
	@$(RUN) python tests/environment/generated_docs.py "$(CURDIR)/docs"
	@$(RUN) python tests/environment/formats_page.py "$(CURDIR)/docs"

page: ## builds report.html of its source in page/
	@$(RUN) python tests/environment/page_build.py "$(CURDIR)"

new-control: ## ID=x FROM=facts/x.json: a control's skeleton with cases from kept facts; also PROFILE=x, SUBJECT=x (its file)
	@$(RUN) python tests/scaffolds/new_control.py "$(CURDIR)" "$(PROFILE)" "$(or $(SUBJECT),$(ID))" "$(ID)" "$(abspath $(FROM))"

new-report: ## NAME=x: a report's skeleton with its test and its entry in the registry
	@$(RUN) python tests/scaffolds/new_report.py "$(CURDIR)" "$(if $(filter command,$(origin NAME)),$(NAME))"

docs-site: ## the documentation of modules, roles and plugins as web pages: build/docs-site/index.html
	@$(RUN) bash tests/quality/build_docs_site.sh "$(CURDIR)/build/docs-site"

changelog: ## CHANGELOG.md, from changelogs/fragments/
	@$(RUN) bash tests/quality/update_changelog.sh "$(CURDIR)"

clean: ## removes build/ (not the cache)
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache && echo "==> removed build/"

cluster-up: ## NAME=x: a real Kubernetes; its kubeconfig's path is the last line
	@$(CLUSTER) up "$(NAME)"

cluster-down: ## NAME=x: removes it without a trace
	@$(CLUSTER) down "$(NAME)"

cluster-status: ## the clusters that run here
	@$(CLUSTER) status

cluster-image: ## NAME=x TAR=f: loads one image tar
	@$(CLUSTER) image "$(NAME)" "$(TAR)"
