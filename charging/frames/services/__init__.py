"""Writes about frames: what went over the wire, its days, and the leniency that was needed."""

from charging.frames.services.leniency import note_quirks
from charging.frames.services.partitions import drop_old_days, ensure_partitions
from charging.frames.services.recording import record_frames

__all__ = ["drop_old_days", "ensure_partitions", "note_quirks", "record_frames"]
