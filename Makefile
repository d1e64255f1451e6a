# `make run` prepares what is missing and starts the portal. Everything stays in this folder
# (.venv, node_modules, var). A file that ends in .done says that a preparation is up to date.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python
DEMO ?= --demo
ARGS ?=
AGAIN = $(PYTHON) -m pytest --last-failed --last-failed-no-failures none
BENCH ?= pipeline
export PORTAL_HOST PORTAL_PORT
ifdef PORT
PORTAL_PORT := $(PORT)
endif

CATALOGS := $(wildcard portal/*/locale/*/LC_MESSAGES/*.po)
STATIC := $(shell find portal -type f -path '*/static/*')

.PHONY: help setup models run test test-cloud lint format bench train train-cross-encoder screenshots lock clean

help:
	@echo 'make run          prepara lo que falte y pone en marcha el portal con una demostración'
	@echo 'make setup        solo prepara'
	@echo 'make test         todas las pruebas        make lint         todas las comprobaciones'
	@echo 'make test-cloud   los motores externos de los que haya clave, de verdad'
	@echo 'make bench        mediciones (BENCH=live: la grabación; speech: las voces; llm_cost: modelos de lenguaje)'
	@echo 'make train        aprende del corpus lo que usa el análisis local'
	@echo 'make train-cross-encoder   enseña a leer preguntas libres (una hora; pide PyTorch)'
	@echo 'make screenshots  imágenes del README'
	@echo 'make format       da forma al código       make lock         recalcula las dependencias'

# --- Preparation ---------------------------------------------------------------------------

setup: .venv/run.done node_modules/run.done models .venv/messages.done .venv/static.done .venv/pango.done
	@:

.venv/run.done: requirements/run.txt bin/install-python
	@bin/install-python requirements/run.txt
	@touch $@

.venv/dev.done: requirements/dev.txt requirements/run.txt bin/install-python
	@bin/install-python requirements/dev.txt
	@touch $@ .venv/run.done

node_modules/run.done: package-lock.json bin/install-node | .venv/run.done
	@bin/install-node --omit=dev --omit=optional
	@touch $@

node_modules/dev.done: package-lock.json bin/install-node | .venv/run.done
	@bin/install-node
	@touch $@ node_modules/run.done

# Looks for itself what is there: a data folder may be new when this checkout is not.
models: .venv/run.done
	@$(PYTHON) -m portal.speech.prepare --models-dir "$${PORTAL_DATA:-var}/models"

.venv/messages.done: .venv/run.done $(CATALOGS)
	@$(PYTHON) bin/compile_messages.py $(CATALOGS)
	@touch $@

# Asked once: a portal without PDF is a portal all the same.
.venv/pango.done: .venv/run.done bin/need-pango
	@bin/need-pango || true
	@touch $@

.venv/static.done: .venv/run.done node_modules/run.done $(STATIC)
	@$(PYTHON) -m portal.cli collect
	@touch $@

# --- Use -----------------------------------------------------------------------------------

run: setup
	@exec $(PYTHON) -m portal.cli up $(DEMO)

# --- Work on it ----------------------------------------------------------------------------

test: .venv/dev.done node_modules/dev.done setup
	@bin/need-chromium
	@bin/need-pango
ifdef ARGS
	$(PYTHON) -m pytest $(ARGS)
else
	# Apart: what drives a browser leaves an event loop behind in its process. What fails while two
	# share the machine is tried once more alone: a microphone that stutters is no fault of ours.
	$(PYTHON) -m pytest -n 2 --dist loadfile -m "not browser" || $(AGAIN) -m "not browser"
	$(PYTHON) -m pytest -n 2 --dist loadfile -m browser || $(AGAIN) -m browser
endif

# With the keys of the environment, against the real services.
test-cloud: .venv/dev.done setup
	$(PYTHON) -m pytest tests/cloud/real_services.py -rs $(ARGS)

lint: .venv/dev.done node_modules/dev.done
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/djlint --quiet --check --lint portal
	bin/biome ci --colors=off
	bin/check-locks
	$(PYTHON) -m pytest portal/operations/tests/test_migrations.py

format: .venv/dev.done node_modules/dev.done
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	-.venv/bin/djlint --quiet --reformat portal
	bin/biome check --write

bench: .venv/dev.done setup
	$(PYTHON) -m bench.$(BENCH) $(ARGS)

# One thread: the same bytes each time, and no waiting threads on a busy machine.
train: .venv/dev.done
	OPENBLAS_NUM_THREADS=1 $(PYTHON) -m corpus.train $(ARGS)

# Needs PyTorch, which is not among what `make setup` installs: docs/decisions/analysis.md.
train-cross-encoder: .venv/dev.done
	$(PYTHON) -m corpus.cross_encoder $(ARGS)

screenshots: .venv/dev.done setup
	@bin/need-chromium
	$(PYTHON) -m docs.screenshots $(ARGS)

lock: .venv/dev.done
	bin/lock
