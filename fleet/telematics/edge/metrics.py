"""Counters of the edge process, in the default Prometheus registry."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

LINES: Final = Gauge("edge_lines", "Open lines to units or to the broker.", ["adapter"])
REPORTS: Final = Counter("edge_reports_total", "Reports that are safe in the log.", ["adapter"])
REFUSED: Final = Counter(
    "edge_refused_total", "What was not taken, by reason.", ["adapter", "reason"]
)
COMMANDS: Final = Counter("edge_commands_total", "Commands sent to vehicles.", ["adapter"])
BATCH_SIZE: Final = Histogram(
    "edge_batch_size",
    "Reports appended at once.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
APPEND_S: Final = Histogram(
    "edge_append_seconds",
    "Seconds until a batch was safe and answered.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
