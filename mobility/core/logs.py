"""Structured logs: one JSON object a line in production, readable lines on a terminal."""

import logging
import logging.config
from typing import Any

import structlog


class NotReadyIsNoError(logging.Filter):
    """Keeps answers of `/readyz` out of the log: a house that is still starting is no error."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is worth a line."""
        return "/readyz" not in record.getMessage()


def configure(options: dict[str, Any]) -> None:
    """Set up structlog and the standard library's loggers behind it; `options` has `level` and `format`."""
    before_rendering: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.UnicodeDecoder(),
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if options["format"] == "console"
        else structlog.processors.JSONRenderer()
    )
    exceptions: list[Any] = (
        [] if options["format"] == "console" else [structlog.processors.format_exc_info]
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": before_rendering,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        *exceptions,
                        renderer,
                    ],
                }
            },
            "filters": {"not_ready": {"()": NotReadyIsNoError}},
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "formatter": "structured",
                    "filters": ["not_ready"],
                }
            },
            "root": {"handlers": ["stderr"], "level": options["level"]},
            "loggers": {
                # One line a request is enough; it is ours to write when something is slow or wrong.
                "django_structlog.middlewares": {"level": _at_least("WARNING", options["level"])},
                # Dropped sweeps are how the schedule is meant to work (see mobility/schedule.py).
                "django_structlog.celery": {"level": "ERROR"},
                "celery.worker": {"level": "WARNING"},
                "celery.apps": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
                "celery.beat": {"level": "WARNING"},
                "django.request": {"level": "ERROR"},
                "websockets": {"level": "WARNING"},
                "httpx": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[
            # First: a line that nobody is to read is not put together.
            structlog.stdlib.filter_by_level,
            *before_rendering,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _at_least(level: str, wanted: str) -> str:
    """The stricter of two levels, by name."""
    names = logging.getLevelNamesMapping()
    return level if names[level] >= names[wanted] else wanted
