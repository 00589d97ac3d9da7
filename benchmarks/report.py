"""Everything that was measured, as data and as markdown, with a verdict on each reach figure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks import machine
from benchmarks.figures import Verdict
from benchmarks.held import Silent
from benchmarks.latency import Added
from benchmarks.listing import Listing
from benchmarks.streams import Streams


@dataclass
class Report:
    """Filled section by section; what was not measured stays out."""

    description: dict[str, str]
    noise_before: dict[str, float]
    noise_after: dict[str, float] = field(default_factory=dict)
    added: Added | None = None
    after_pcm: dict[str, float] = field(default_factory=dict)
    listings: list[Listing] = field(default_factory=list)
    reading_kb: float | None = None
    silent: Silent | None = None
    streams: list[Streams] = field(default_factory=list)

    @property
    def verdicts(self) -> list[Verdict]:
        """The figures this server is built to reach."""
        found = []
        if self.added:
            found.append(Verdict("added latency p99, one client", self.added.added_p99, 10, "ms"))
        found += [
            Verdict(f"first playable byte of {name} after pcm", ms, 30, "ms")
            for name, ms in self.after_pcm.items()
        ]
        for row in self.streams:
            if row.response_format == "pcm" and row.clients == 200:
                found += [
                    Verdict("p99 gap of 200 pcm streams", row.gap_p99, 160, "ms"),
                    Verdict("short among 200 pcm streams", row.short, 0, "streams"),
                ]
        for answer in self.listings:
            if answer.path == "/v1/models":
                found += [
                    Verdict("GET /v1/models", answer.per_second, 150, "a second", at_least=True),
                    Verdict("CPU of GET /v1/models", answer.cpu_ms, 6, "ms"),
                ]
        if self.reading_kb:
            found.append(Verdict("a held stream that is read", self.reading_kb, 150, "KB"))
        if self.silent:
            ratio = self.silent.beside_gap_p99 / self.silent.quiet_gap_p99
            found += [
                Verdict("a held stream that is not read", self.silent.each_kb, 150, "KB"),
                Verdict("p99 gap of 50 beside them, over the quiet one", ratio, 1.5, "times"),
            ]
        if self.reading_kb and self.silent:
            more = (self.silent.each_kb - self.reading_kb) * self.silent.count / machine.KB
            found.append(Verdict("all that are not read, over all that are", more, 64, "MB"))
        return found

    def as_data(self) -> dict[str, Any]:
        verdicts = [{**asdict(verdict), "passed": verdict.passed} for verdict in self.verdicts]
        return {**asdict(self), "verdicts": verdicts}

    def as_markdown(self) -> str:
        parts = [", ".join(f"{name} {value}" for name, value in self.description.items())]
        parts.append(f"Load before {self.noise_before}, after {self.noise_after}.")
        if self.added:
            parts.append(table([asdict(self.added)]))
        if self.after_pcm:
            parts.append(table([self.after_pcm]))
        if self.listings:
            parts.append(table([asdict(row) for row in self.listings]))
        if self.reading_kb:
            parts.append(f"A held stream that is read costs {self.reading_kb:.0f} KB.")
        if self.silent:
            parts.append(table([asdict(self.silent)]))
        if self.streams:
            parts.append(table([asdict(row) for row in self.streams]))
        parts.append("\n".join(f"- {verdict}" for verdict in self.verdicts))
        return "\n\n".join(parts) + "\n"


def table(rows: list[dict[str, Any]]) -> str:
    """Rows of the same keys, as markdown."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([_cell(v) for v in r.values()] for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
