"""The whole simulator against the whole house: an hour of the city in a few real seconds."""

import json

import pytest

from tests.stories.processes import House

pytestmark = [pytest.mark.story, pytest.mark.long]


def test_half_an_hour_of_the_city_passes_without_a_fault(house: House) -> None:
    """Vehicles report, people ride, pay and misbehave; the service fails nobody."""
    wishes = "--hours 0.5 --speed 60 --seed 7 --demand 20 --json"
    said = house.run_once("simulate", "manage.py", "simulate", *wishes.split())
    summary = json.loads(said.strip().splitlines()[-1])
    assert summary["faults"] == {}
    facts = summary["facts"]
    assert facts["telemetry.points"] > 100
    assert facts["searches"] > 0
    assert facts["trips.running"] > 0
    assert facts["receipts"] > 0
