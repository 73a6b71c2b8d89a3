"""The whole simulator against the whole house: half an hour of the city in half a minute."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.stories.processes import ROOT, House

# What people do who think ahead, and afterwards.
PLANNED = ("passes.bought", "credit.rides", "bookings.made", "photos.sent", "disputes.opened")

pytestmark = [pytest.mark.story, pytest.mark.long]


def _live(house: House, *, hours: float, seed: int, planned: float = 0.1) -> dict[str, Any]:
    """Run the simulator to its end; its summary."""
    wishes = f"--hours {hours} --speed 60 --seed {seed} --demand 20 --planned {planned} --json"
    # People go out as they do on a Wednesday after work, whatever time it is here.
    wishes += " --begin 2026-05-20T17:00"
    said = house.run_once(f"simulate-{seed}", "manage.py", "simulate", *wishes.split())
    summary: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return summary


# A ride of ten minutes takes ten seconds here, and would be given back as a false start.
_NO_GRACE = """
from bookings.pricing.models import TariffVersion
from bookings.pricing.services import draft_successor, publish_version
from mobility.core import clock
from mobility.core.principals import SYSTEM
at = clock.now()
for pk in list(TariffVersion.objects.filter(state="published").values_list("pk", flat=True)):
    draft = draft_successor(version_id=pk, valid_from=at)
    TariffVersion.objects.filter(pk=draft.pk).update(grace_s=0)
    publish_version(version_id=draft.pk, at=at, by=SYSTEM)
"""
# Of rides and charges: how many wait for their price or their money, in which state.
_UNSETTLED = """
from bookings.payments.models import Payment
from bookings.recharges.models import Recharge
from bookings.trips.models import Trip
print(Trip.objects.filter(state__in=["ended", "priced"]).count(),
      Recharge.objects.filter(state="priced").count(),
      Payment.objects.filter(state="capturing").count())
"""


def _everything_is_settled(house: House) -> None:
    """What was ridden is paid, owed, waived or given back once the collector has been round."""

    def nothing_waits() -> bool:
        said = house.run_once("unsettled", "manage.py", "shell", "-v", "0", "-c", _UNSETTLED)
        return said.split()[-3:] == ["0", "0", "0"]

    house.wait_until(nothing_waits, what="money for everything that ended", patience_s=90)


def _books_are_sound(house: House) -> None:
    """Sum zero, every price paid, owed or given back, nothing twice, no number missing."""
    said = json.loads(house.run_once("check-ledger", "manage.py", "check_ledger", "--json"))
    assert said == {"sound": True, "faults": []}


def test_half_an_hour_of_the_city_passes_without_a_fault(house: House) -> None:
    """Vehicles report, people ride, pay and misbehave; the service fails nobody."""
    summary = _live(house, hours=0.6, seed=7)
    assert summary["faults"] == {}
    facts = summary["facts"]
    assert facts["telemetry.points"] > 100
    assert facts["trips.running"] > 0
    assert facts["receipts"] > 0
    _books_are_sound(house)


def test_after_an_hour_of_the_city_every_ride_is_paid_owed_or_given_back(house: House) -> None:
    """Passes, credit, bookings ahead, photos and objections among them; nothing is booked twice."""
    house.run_once("no-grace", "manage.py", "shell", "-v", "0", "-c", _NO_GRACE)
    summary = _live(house, hours=1.0, seed=11, planned=0.35)
    facts = summary["facts"]
    assert summary["faults"] == {}
    assert facts["receipts.cents"] > 0, facts
    done = [name for name in PLANNED if facts.get(name)]
    assert len(done) >= 2, facts
    _everything_is_settled(house)
    _books_are_sound(house)


def test_the_city_outlives_the_death_of_web_and_workers(house: House) -> None:
    """Doors shut for seconds, then people go on: buffered points arrive, trips are settled."""
    summaries: list[dict[str, Any]] = []
    city = threading.Thread(target=lambda: summaries.append(_live(house, hours=1.0, seed=8)))
    city.start()
    for name in ("web", "telematics", "worker", "relay"):
        city.join(6.0)
        house.kill_and_restart(name, away_s=2.0)
    city.join()
    [summary] = summaries
    facts = summary["facts"]
    assert facts["receipts"] > 0
    assert not [fault for fault in summary["faults"] if "500" in fault or "actor" in fault]
    _books_are_sound(house)


def test_a_signal_ends_the_city_with_its_summary(house: House) -> None:
    """SIGTERM: chargers say good-bye, positions are kept, the summary is printed, status 0."""
    city = subprocess.Popen(
        [sys.executable, "manage.py", "simulate", "--json", "--seed", "9"],
        cwd=ROOT,
        env=house.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    memory = Path(house.env["SIMULATOR_CREDENTIALS"]).with_name("simulator-world.json")
    memory.unlink(missing_ok=True)
    house.wait_until(memory.exists, what="the first save", patience_s=90)
    city.terminate()
    said, _ = city.communicate(timeout=30)
    assert city.returncode == 0
    assert json.loads(said.splitlines()[-1])["facts"]["telemetry.reports"] > 0
