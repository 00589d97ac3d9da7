"""``python -m speech.hub`` as the server runs it: a job in, lines out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# In a mount namespace of its own, with a disk as large as its first argument.
SMALL_DISK = """
mount -t tmpfs -o size="$1" none "$2" || exit 77
shift 2
exec "$@"
"""


def start(hub_server, models_dir, *, before=(), **popen):
    """A child that fetches; ``before`` is what it is run by."""
    process = subprocess.Popen(
        [*before, sys.executable, "-m", "speech.hub"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **popen,
    )
    job = {"model": "voxcpm2", "hub": "huggingface", "endpoint": hub_server.url, "token": ""}
    process.stdin.write(json.dumps(job | {"models_dir": str(models_dir)}) + "\n")
    process.stdin.flush()
    return process


def end(process):
    """Its last word; waits for it without closing its input, which would end it."""
    last = process.stdout.readlines()[-1]
    process.wait(30)
    process.stdin.close()
    process.stdout.close()
    return json.loads(last)
