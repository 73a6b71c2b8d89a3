"""What beat sends, and how often. Reviewed like code, because it is; no schedule lives in the database."""

from typing import Any

QUEUES = ("default", "telematics", "sessions", "planning")


def every(seconds: float, task: str, *, queue: str = "default", **kwargs: Any) -> dict[str, Any]:
    """An entry that is dropped if it could not start before the next one is due."""
    return {
        "task": task,
        "schedule": seconds,
        "kwargs": kwargs,
        "options": {"queue": queue, "expires": max(seconds, 5.0)},
    }


SCHEDULE: dict[str, dict[str, Any]] = {
    "outbox-sweep": every(15, "mobility.core.sweep_outbox"),
    "answers-forget": every(3600, "mobility.core.forget_answers"),
    **{
        f"heartbeat-{queue}": {
            "task": "mobility.core.heartbeat",
            "schedule": 15,
            "kwargs": {"queue": queue},
            "options": {"queue": queue, "expires": 60},
        }
        for queue in QUEUES
    },
}
