# `make run` speaks on http://127.0.0.1:8000, `make test` shows that it does; README.md tells more.
# Any setting of docs/settings.md may follow: make run PORT=9000 DATA_DIR=/srv/speech

export HOST ?= 127.0.0.1
export PORT ?= 8000
export DATA_DIR ?= $(CURDIR)/data
export VENV ?= .venv
BIN = $(VENV)/bin
# Tests and checks load the settings, which make secrets on first need: never in the real data.
ASIDE = dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && export DATA_DIR="$$dir"

.PHONY: run preflight model install install-dev test check format messages pictures bench bench-engine soak
.NOTPARALLEL:

run: preflight install
	@sh scripts/start.sh

preflight:
	@sh scripts/python.sh scripts/preflight.py

# VoxCPM's weights: make model MODEL=voxcpm1.5 FROM=modelscope, or MODEL=/a/directory/of/yours
model: install
	@$(BIN)/python manage.py fetchmodel "$(or $(MODEL),voxcpm2)" $(if $(FROM),--from "$(FROM)")

install:
	@sh scripts/python.sh scripts/install.py requirements.txt

install-dev:
	@sh scripts/python.sh scripts/install.py requirements.txt requirements-dev.txt

# The fast tests mostly wait, so four of them can wait at once; slow ones work, on two cores.
# tests/choosing.py says in which order and shares they are handed out, and which run alone.
test: export PYTHONDONTWRITEBYTECODE =
test: install-dev
	@$(ASIDE) && $(BIN)/python -m pytest -n $(if $(SLOW),2,4) --dist loadfile --no-loadscope-reorder $(ARGS)

check: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@$(ASIDE) && set -x && $(BIN)/mypy && $(BIN)/lint-imports \
	  && SITE_URL=https://speech.example.com $(BIN)/python manage.py check --deploy --fail-level WARNING \
	  && $(BIN)/python manage.py makemigrations --check --dry-run \
	  && $(BIN)/python -m pytest -q tests/test_docs.py

format: install-dev
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

# Finds new words of pages, scripts and e-mails, and compiles the catalogues of locale/.
messages: install-dev
	@$(ASIDE) && $(BIN)/python scripts/messages.py

# The pictures of the README, of a platform made for them: wants Chromium.
pictures: install-dev
	@$(ASIDE) && $(BIN)/python scripts/pictures.py

bench: install-dev
	@$(ASIDE) && $(BIN)/python benchmarks/server.py $(ARGS)

# VoxCPM's engine beside the official package: make bench-engine ARGS="--models voxcpm2 --voice"
bench-engine: install-dev
	@$(ASIDE) && $(BIN)/python -m benchmarks.engine $(ARGS)

soak: install-dev
	@$(ASIDE) && SOAK=1 SLOW=1 $(BIN)/python -m pytest --timeout=0 $(ARGS)
