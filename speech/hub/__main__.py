"""``python -m speech.hub``: fetches one model for a server that must not wait for it.

The first line of standard input is the job, a JSON object. Standard output is JSON lines: where it
stands, once a second, and at last ``installed`` or ``error``. It ends when its input does, so it
never outlives the server; what it fetched is resumed by the next.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from speech.hub.errors import FetchError
from speech.hub.fetch import Plan, have_model
from speech.hub.hubs import HUBS

TICK = 1.0


class Teller:
    """Says every second where it stands, also while nothing comes: that it lives is news too."""

    def __init__(self) -> None:
        self._state = {"size": 0, "done": 0}
        self._over = threading.Event()
        self._clock = threading.Thread(target=self._tick, daemon=True)
        self._clock.start()

    def planned(self, plan: Plan) -> None:
        self._state = {"size": plan.size, "done": plan.present}

    def progress(self, done: int) -> None:
        self._state = self._state | {"done": done}

    def end(self, **word: str) -> None:
        """The last line."""
        self._over.set()
        self._clock.join()
        say(self._state | word)

    def _tick(self) -> None:
        while not self._over.wait(TICK):
            say(self._state)


def say(word: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(word) + "\n")
    sys.stdout.flush()


def end_with_the_server() -> None:
    """Returns when standard input ends; what is on the disk can be resumed at any point."""
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    # Ctrl-C reaches the server, and the server's end reaches us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=end_with_the_server, daemon=True).start()
    teller = Teller()
    try:
        hub = HUBS[job["hub"]](job["endpoint"], job["token"])
        path = have_model(job["model"], hub, Path(job["models_dir"]), teller)
    except FetchError as error:
        teller.end(error=str(error))
        sys.exit(1)
    teller.end(installed=str(path))


if __name__ == "__main__":
    main()
