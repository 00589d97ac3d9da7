"""Scripts beside this file that play further processes on one database; they answer in JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def start(script, command, environment):
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name(script)), command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(script, command, environment):
    process = start(script, command, environment)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors, errors
    return json.loads(output)
