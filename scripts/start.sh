#!/bin/sh
# What an installed copy does to serve: prepare the data directory, then become the server, so
# that signals reach it. VENV names the environment.
set -eu
python=${VENV:-.venv}/bin/python
"$python" manage.py bootstrap
exec "$python" manage.py serve
