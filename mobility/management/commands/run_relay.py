"""`manage.py run_relay`: the process that hands outbox events to Celery."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from mobility.core import relay


class Command(BaseCommand):
    """Run the outbox relay until SIGTERM or SIGINT."""

    help = "Hand outbox events to the workers, until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal asks to stop."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stop.set())
        relay.run(stop=stop)
