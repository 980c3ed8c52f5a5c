# make run | test | lint | train | bench | docs | lock | help
.DEFAULT_GOAL := help
PORT ?= $(or $(ADEMRUIMTE_PORT),8080)
STATE := $(or $(ADEMRUIMTE_STATE_DIR),.ademruimte)
APP := $(STATE)/app/bin
ENGINE := $(STATE)/engine/bin

.PHONY: help run test lint train bench nlu-report docs lock

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1: \2/p' Makefile

run: ## set up everything, train when the content changed, start (make run PORT=9000)
	@python3 scripts/setup.py run
	@exec $(APP)/bot run --port $(PORT)

test: ## set up and run all tests, in two processes; the files go in the order of tests/conftest.py
	@python3 scripts/setup.py test
	@CHROMIUM="$$(cat $(STATE)/chromium)" $(APP)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: ## ruff, mypy, the sentences that train, and the widget's type check
	@python3 scripts/setup.py lint
	@$(APP)/ruff check .
	@$(APP)/ruff format --check .
	@$(APP)/mypy
	@$(APP)/python scripts/check_sentences.py
	@cd web && npm run --silent check

train: ## train the model anew
	@python3 scripts/setup.py run
	@$(APP)/bot train

bench: ## compare with stock Rasa; the figures go into docs/performance.md
	@python3 scripts/setup.py test
	@$(APP)/python -m bench.turns --write docs/performance.md

nlu-report: ## what the engine understands of the held-out sentences; the figures go into docs/nlu.md
	@python3 scripts/setup.py run
	@$(APP)/python -m bench.nlu_report --html $(STATE)/nlu-report.html --write docs/nlu.md

docs: ## write the generated pages in docs/ anew
	@python3 scripts/setup.py lint
	@$(APP)/bot settings > docs/settings.md
	@$(APP)/bot docs

lock: ## resolve requirements/*.in into hash-pinned locks (needs uv)
	@cd requirements && for name in app dev engine transformer tools; do \
	  python=3.11; case $$name in engine|transformer) python=3.10;; esac; [ $$name = tools ] && python=3.8; \
	  UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile -q --universal --generate-hashes --no-emit-index-url \
	    --python-version $$python $$name.in -o $$name.txt || exit 1; done
