"""Requests no well-behaved client sends. The service must refuse each, and never fail."""

import secrets
from typing import Any

from mobility.simulator.geometry import Place
from mobility.simulator.person import Person

NOBODY = "00000000-0000-7000-8000-000000000000"


class Mischief(Person):
    """Someone who tries what should not work."""

    async def make(self, *, place: Place) -> None:
        """One of the tricks, chosen at random."""
        trick = self.rng.choice(
            [
                self._unknown_vehicle,
                self._nonsense_body,
                self._stranger_trip,
                self._bad_position,
                self._reused_key,
                self._end_what_never_began,
            ]
        )
        self.tally.add("mischief")
        await trick(place)

    async def _unknown_vehicle(self, _place: Place) -> None:
        await self._must_fail("reservations", {"vehicle": NOBODY})

    async def _nonsense_body(self, place: Place) -> None:
        await self._must_fail("reservations", {"vehicle": {"$gt": ""}, "lat": place.lat})

    async def _stranger_trip(self, _place: Place) -> None:
        await self._must_fail(f"trips/{NOBODY}/pause", {})

    async def _end_what_never_began(self, place: Place) -> None:
        body = {"lat": place.lat, "lon": place.lon, "accuracy_m": 5}
        await self._must_fail(f"trips/{NOBODY}/end", body)

    async def _bad_position(self, place: Place) -> None:
        answer = await self.api.get("vehicles", lat="north", lon=place.lon, radius_m=-5)
        if answer.ok:
            self.tally.fault("mischief.bad_position_accepted")

    async def _reused_key(self, _place: Place) -> None:
        """One key, two different bodies: neither may do anything, the second is refused."""
        key = secrets.token_hex(16)
        await self.api.post("reservations", {"vehicle": NOBODY}, key=key)
        answer = await self.api.post("reservations", {"vehicle": "none"}, key=key)
        if answer.ok:
            self.tally.fault("mischief.reused_key_accepted")

    async def _must_fail(self, path: str, body: dict[str, Any]) -> None:
        answer = await self.api.post(path, body)
        if answer.ok:
            self.tally.fault(f"mischief.accepted {path.partition('/')[0]}")
