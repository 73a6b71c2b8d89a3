"""Counters of the gateway process, in the default Prometheus registry."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

CONNECTED: Final = Gauge("ocpp_connected_stations", "Stations connected to this gateway.")
CALLS: Final = Counter("ocpp_calls_total", "Calls of stations answered.", ["version", "outcome"])
HANDSHAKES_REFUSED: Final = Counter(
    "ocpp_handshakes_refused_total",
    "Handshakes refused, by reason.",
    ["reason"],
)
COMMANDS: Final = Counter("ocpp_commands_total", "Commands sent to stations.", ["outcome"])
SILENT_DROPPED: Final = Counter(
    "ocpp_silent_dropped_total", "Connections dropped that said nothing and were too many."
)
BATCH_SIZE: Final = Histogram(
    "ocpp_batch_size",
    "Deeds committed in one transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
COMMIT_S: Final = Histogram(
    "ocpp_commit_seconds",
    "Seconds a batch took, commit included.",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 25),
)
POISONED: Final = Counter("ocpp_poisoned_total", "Deeds that could not be stored.", ["verb"])
QUIRKS: Final = Counter("ocpp_quirks_total", "Breaches of the standard forgiven.", ["quirk"])
FRAMES_FORGOTTEN: Final = Counter("ocpp_frames_forgotten_total", "Frames the log had no room for.")
