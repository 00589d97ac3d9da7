"""What Prometheus may know: counts and times of syntheses, and the engine's state when asked.

Labels come from closed sets only (faces, formats, outcomes): nothing a client types becomes one.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from speech.engine.types import EngineState, EngineStats
from speech.runtime import runtime
from speech.usage import Outcome

REGISTRY = CollectorRegistry()
# First audio is promised under 0.1 s; the buckets resolve that region.
TTFA_BUCKETS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10, 20)
# Below 1 is faster than real time.
RTF_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 5)

REQUESTS = Counter(
    "voxplatform_speech_requests",
    "Syntheses that ended, by how they ended.",
    ["face", "format", "outcome"],
    registry=REGISTRY,
)
CHARACTERS = Counter(
    "voxplatform_speech_characters", "Characters charged.", ["face"], registry=REGISTRY
)
AUDIO = Counter(
    "voxplatform_speech_audio_seconds", "Seconds of audio handed on.", ["face"], registry=REGISTRY
)
TTFA = Histogram(
    "voxplatform_speech_ttfa_seconds",
    "From the request to its first audio.",
    ["format"],
    buckets=TTFA_BUCKETS,
    registry=REGISTRY,
)
RTF = Histogram(
    "voxplatform_speech_rtf",
    "Wall seconds per second of audio, of completed syntheses.",
    ["format"],
    buckets=RTF_BUCKETS,
    registry=REGISTRY,
)
RUNNING = Gauge("voxplatform_speech_running", "Syntheses that run now.", registry=REGISTRY)


def observe(face: str, container: str, outcome: Outcome) -> None:
    """Count a synthesis that has just ended."""
    REQUESTS.labels(face, container, outcome.outcome).inc()
    CHARACTERS.labels(face).inc(outcome.characters_charged)
    AUDIO.labels(face).inc(outcome.audio_ms / 1000)
    if outcome.ttfa_ms is not None:
        TTFA.labels(container).observe(outcome.ttfa_ms / 1000)
    if outcome.outcome == "completed" and outcome.audio_ms and outcome.wall_ms is not None:
        RTF.labels(container).observe(outcome.wall_ms / outcome.audio_ms)


class EngineCollector(Collector):
    """The engine's gauges, read at the moment of the scrape."""

    def collect(self) -> Iterator[Metric]:
        stats = runtime.stats()
        yield from (_gauge(name, text, value) for name, text, value in _engine_gauges(stats))
        state = GaugeMetricFamily(
            "voxplatform_engine_state", "1 for the state the engine is in.", labels=["state"]
        )
        for name in EngineState:
            state.add_metric([name.value], float(name is stats.state))
        yield state


def _engine_gauges(stats: EngineStats) -> list[tuple[str, str, float]]:
    return [
        ("voxplatform_engine_waiting", "Utterances in the engine's queue.", stats.waiting),
        ("voxplatform_engine_running", "Utterances in the engine's slots.", stats.running),
        ("voxplatform_engine_slots", "Slots the engine has.", stats.slots),
        ("voxplatform_engine_restarts", "Restarts since the server started.", stats.restarts),
    ]


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


REGISTRY.register(EngineCollector())
