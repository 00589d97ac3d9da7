"""What would stop the server in the end, said in one sentence before anything is fetched.

Runs on a bare Python. It knows the data directory and the address, nothing of the platform.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import tempfile
from pathlib import Path


def check_data_dir(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        sys.exit(
            f"The data directory {path} is not writable ({error.strerror}): "
            "name another, as in make run DATA_DIR=/srv/speech"
        )


def check_address(host: str, port: str) -> None:
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        sys.exit(f"PORT must be a number from 1 to 65535, not {port!r}.")
    try:
        socket.create_server(
            (host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        ).close()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "it is taken" if taken else str(error).partition(" (while")[0]
        sys.exit(
            f"The server cannot listen on {host} port {port} ({reason}): "
            "stop what listens there, or choose another, as in make run PORT=9000"
        )


if __name__ == "__main__":
    check_data_dir(Path(os.environ["DATA_DIR"]))
    check_address(os.environ["HOST"], os.environ["PORT"])
