"""The whole simulator against the whole house: half an hour of the city in half a minute."""

import json
import threading
from typing import Any

import pytest

from tests.stories.processes import House

pytestmark = [pytest.mark.story, pytest.mark.long]


def _live(house: House, *, hours: float, seed: int) -> dict[str, Any]:
    """Run the simulator to its end; its summary."""
    wishes = f"--hours {hours} --speed 60 --seed {seed} --demand 20 --json"
    said = house.run_once(f"simulate-{seed}", "manage.py", "simulate", *wishes.split())
    summary: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return summary


def test_half_an_hour_of_the_city_passes_without_a_fault(house: House) -> None:
    """Vehicles report, people ride, pay and misbehave; the service fails nobody."""
    summary = _live(house, hours=0.6, seed=7)
    assert summary["faults"] == {}
    facts = summary["facts"]
    assert facts["telemetry.points"] > 100
    assert facts["trips.running"] > 0
    assert facts["receipts"] > 0


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
