#!/bin/sh
# Prints fresh secrets in the form of an .env file. Keep it as you keep the database: without
# KEY_PEPPER no API key opens any more.
set -eu
for name in SECRET_KEY KEY_PEPPER POSTGRES_PASSWORD; do
    echo "$name=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')"
done
