#!/bin/sh
# Runs a Python file with the first interpreter that can build the environment: 3.11 to 3.13,
# with its venv module. PYTHON names one to take instead of those on the path.
set -eu

# Debian's venv module is there without the package, but not the ensurepip that it needs.
ask='import sys; print("%d.%d" % sys.version_info[:2]); sys.stdout.flush(); import ensurepip, venv'
found=""
bare=""
for python in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    has_venv=yes
    version=$("$python" -c "$ask" 2>/dev/null) || has_venv=no
    case $version in
        "") continue ;;
        3.11 | 3.12 | 3.13) ;;
        *) found=", not $version" && continue ;;
    esac
    if [ $has_venv = yes ]; then
        exec "$python" "$@"
    fi
    bare=$version
done

if [ -n "$bare" ]; then
    echo "Python $bare lacks its venv module: install the package python$bare-venv and run this again." >&2
else
    echo "Python 3.11, 3.12 or 3.13 is needed$found: install the packages python3.11 and python3.11-venv (or a newer pair) and run this again." >&2
fi
exit 1
