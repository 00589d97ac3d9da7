#!/bin/sh
# What an installed copy does to serve: one process prepares the data directory and becomes the
# server, so that signals reach it. VENV names the environment.
set -eu
exec "${VENV:-.venv}/bin/python" manage.py bootstrap --serve
