"""manage.py simulate: a living city through the public doors only."""

import asyncio
import logging
import os
import signal
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mobility.simulator.credentials import CredentialsMissing, read_credentials
from mobility.simulator.plans import ROME
from mobility.simulator.tally import Tally
from mobility.simulator.town import Plan, run_town


class Command(BaseCommand):
    """Runs until the hours are over or a signal arrives, then prints what happened."""

    help = (
        "Simulate vehicles, residents and chargers through the public API, the telemetry door and "
        "OCPP. --speed lets the city move faster than the clock; time stamps stay real."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--hours", type=float, help="hours of the city; default: for ever")
        parser.add_argument("--speed", type=float, default=1.0, help="city seconds per second")
        parser.add_argument("--seed", type=int, default=1, help="same seed, same decisions")
        parser.add_argument("--scale", type=float, default=1.0, help="share of the actors, 0 to 1")
        parser.add_argument("--demand", type=float, default=1.0, help="times a usual day")
        parser.add_argument(
            "--planned", type=float, default=0.1, help="share of outings thought of ahead, 0 to 0.8"
        )
        parser.add_argument(
            "--begin",
            type=_city_time,
            help="what the city's clock shows at first, as 2026-05-20T17:00; default: now",
        )
        parser.add_argument(
            "--credentials",
            type=Path,
            default=settings.SIMULATOR_CREDENTIALS,
            help="the file `manage.py demo` writes",
        )
        parser.add_argument("--api-url", default=os.environ.get("PUBLIC_URL", ""))
        parser.add_argument("--ocpp-url", default=os.environ.get("OCPP_URL", ""))
        parser.add_argument("--json", action="store_true", help="print the summary as one line")

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)
        tally = Tally()
        asyncio.run(_run(_plan(options), tally))
        self.stdout.write(tally.as_json() if options["json"] else tally.as_text())


def _city_time(text: str) -> datetime:
    """Parse a wall-clock time of the city."""
    return datetime.fromisoformat(text).replace(tzinfo=ROME)


def _plan(options: dict[str, Any]) -> Plan:
    if min(options["speed"], options["demand"]) <= 0 or not 0 < options["scale"] <= 1:
        raise CommandError("--speed and --demand must be above 0, --scale above 0 and at most 1.")
    if not 0 <= options["planned"] <= 0.8:
        raise CommandError("--planned must be from 0 to 0.8.")
    try:
        credentials = read_credentials(
            path=options["credentials"],
            api_url=options["api_url"],
            ocpp_url=options["ocpp_url"],
        )
    except CredentialsMissing as error:
        raise CommandError(str(error)) from error
    return Plan(
        credentials=credentials,
        credentials_path=options["credentials"],
        hours=options["hours"],
        speed=options["speed"],
        seed=options["seed"],
        scale=options["scale"],
        demand=options["demand"],
        planned=options["planned"],
        city_begins=options["begin"],
    )


async def _run(plan: Plan, tally: Tally) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    await run_town(plan=plan, tally=tally, stop=stop)
