"""A runner with faults in front of it: functions that are called before, or on, a runner's call."""

from __future__ import annotations

import threading


class FaultyRunner:
    """Everything goes on to the real runner; ``before[name](slots)`` may raise or wait, and
    ``after[name](result)`` may change what comes back."""

    def __init__(self, runner):
        self._runner = runner
        self.before = {}
        self.after = {}
        self.calls = []

    def __getattr__(self, name):
        return getattr(self._runner, name)

    def _call(self, name, *arguments):
        self.calls.append(name)
        if name in self.before:
            self.before[name](*arguments)
        result = getattr(self._runner, name)(*arguments)
        return self.after[name](result) if name in self.after else result

    def begin(self, *arguments):
        return self._call("begin", *arguments)

    def prefill(self, *arguments):
        return self._call("prefill", *arguments)

    def emit(self, *arguments):
        return self._call("emit", *arguments)

    def advance(self, *arguments):
        return self._call("advance", *arguments)


def once(error):
    """A fault that strikes the first time."""
    left = [error]

    def strike(*_):
        if left:
            raise left.pop()

    return strike


class Gate:
    """Holds the first call until it is opened."""

    def __init__(self):
        self.entered, self._open = threading.Event(), threading.Event()

    def __call__(self, *_):
        self.entered.set()
        assert self._open.wait(20)

    def open(self):
        self._open.set()
