"""One journey from the search to the receipt, with the second thoughts people have."""

import asyncio
import base64
from typing import Any

from mobility.simulator.city_api import Answer
from mobility.simulator.geometry import Place, distance_m, near
from mobility.simulator.person import Person

WALK_MPS = 1.35
SEARCH_RADII_M = (400, 900, 1_800)
OPEN_STATES = frozenset({"starting", "running", "paused", "ending"})
PAID_STATES = frozenset({"settled", "payment_due"})
UNLOCK_PATIENCE_S = 45
RECEIPT_PATIENCE_S = 60
STANDING_S = 4.0
MOST_END_TRIES = 6
WITHOUT_RESERVATION = 0.30
FORGETS = 0.02
CANCELS = 0.05
PAUSES = 0.10
TRIES_FORBIDDEN = 0.06
PAUSE_S = (60.0, 420.0)
OBJECTS = 0.05
OBJECTIONS = ("too_expensive", "could_not_end", "wrong_distance", "other")
# The smallest picture there is: a vehicle, parked, from very far away.
PARKED = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Rider(Person):
    """Someone who wants to get somewhere."""

    async def travel(self, *, kind: str, start: Place, goal: Place) -> None:
        """Search near ``start``, take the best vehicle, ride it to ``goal``, pay."""
        vehicle = await self.choose(kind, start)
        if vehicle is None:
            self.tally.add("searches.unmet")
            return
        body = await self._secure(vehicle, start)
        if body is None:
            return
        await self.ride_on(body, vehicle, kind, goal)

    async def ride_on(
        self, body: dict[str, Any], vehicle: dict[str, Any], kind: str, goal: Place
    ) -> None:
        """Start with ``body`` (a reservation, a booking, a vehicle), ride to ``goal``, pay."""
        trip = await self._start(vehicle["code"], body)
        if trip is not None:
            await self._ride(trip, vehicle["code"], kind, goal)

    async def finish_open_trips(self) -> None:
        """End every trip that is still open for this account."""
        for trip in await self.api.rows("trips", state="active"):
            code = trip["vehicle"]["code"]
            if code in self.world.radios:
                self.tally.add("trips.found_open")
                self.world.board(code)
                await self._end(trip, code, self.world.device(code).vehicle.kind)

    async def choose(self, kind: str, place: Place) -> dict[str, Any] | None:
        """Look around, further each time; mostly the nearest, charged enough."""
        for radius_m in SEARCH_RADII_M:
            self.tally.add("searches")
            found = await self.api.rows(
                "vehicles", lat=place.lat, lon=place.lon, radius_m=radius_m, kind=kind, limit=20
            )
            fit = [row for row in found if row["code"] in self.world.radios]
            if fit:
                return min(self.rng.sample(fit, min(4, len(fit))), key=_reluctance)
        return None

    async def _secure(self, vehicle: dict[str, Any], place: Place) -> dict[str, Any] | None:
        """Reserve and walk there; None when the person let it go. Some walk up and start."""
        walk_s = min(distance_m(place, _place(vehicle)) / WALK_MPS, 480.0)
        if self.rng.random() < WITHOUT_RESERVATION:
            await self.world.clock.sleep(walk_s)
            return {"vehicle": vehicle["id"]}
        answer = await self.tap("reservations", {"vehicle": vehicle["id"]})
        if not answer.ok:
            return None
        self.tally.add("reservations.made")
        second_thought = self.rng.random()
        if second_thought < FORGETS:
            self.tally.add("reservations.forgotten")
            return None
        await self.world.clock.sleep(walk_s)
        if second_thought < FORGETS + CANCELS:
            await self.api.post(f"reservations/{answer.body['id']}/cancel")
            self.tally.add("reservations.cancelled")
            return None
        return {"reservation": answer.body["id"]}

    async def _start(self, code: str, body: dict[str, Any]) -> dict[str, Any] | None:
        self.world.board(code)
        answer = await self.tap("trips", body)
        if answer.ok:
            self.tally.add("trips.requested")
            self.world.touch(code)
            trip = await self.await_state(
                f"trips/{answer.body['id']}",
                answer.body,
                beyond=frozenset({"starting"}),
                patience_s=UNLOCK_PATIENCE_S,
            )
            if trip["state"] == "running":
                self.tally.add("trips.running")
                return trip
            self.tally.add(f"trips.{trip['state']}")
        self.world.leave(code)
        return None

    async def _ride(self, trip: dict[str, Any], code: str, kind: str, goal: Place) -> None:
        if self.rng.random() < TRIES_FORBIDDEN:
            await self.world.drive(code, self.world.city.forbidden(kind, self.rng))
            await asyncio.sleep(STANDING_S)
            await self.api.post(f"trips/{trip['id']}/end")
            self.tally.add("trips.tried_forbidden_end")
        if self.rng.random() < PAUSES:
            await self._pause(trip, code)
        await self.world.drive(code, goal)
        await self._end(trip, code, kind)

    async def _pause(self, trip: dict[str, Any], code: str) -> None:
        """Ride to a shop, lock, come back."""
        vehicle = self.world.device(code).vehicle
        await self.world.drive(code, near(vehicle.place, within_m=400.0, rng=self.rng))
        await asyncio.sleep(STANDING_S)
        paused = await self.api.post(f"trips/{trip['id']}/pause")
        self.world.touch(code)
        if not paused.ok:
            return
        self.tally.add("trips.paused")
        await self.world.clock.sleep(self.rng.uniform(*PAUSE_S))
        await self._until_locked(code, locked=True)
        await self.api.post(f"trips/{trip['id']}/resume")
        self.world.touch(code)
        await self._until_locked(code, locked=False)

    async def _until_locked(self, code: str, *, locked: bool) -> None:
        vehicle = self.world.device(code).vehicle
        for _ in range(20):
            if vehicle.locked == locked:
                return
            await asyncio.sleep(1.0)

    async def _end(self, trip: dict[str, Any], code: str, kind: str) -> None:
        """Ask to end; do what the refusal says; after six tries leave it standing there."""
        for _ in range(MOST_END_TRIES):
            await asyncio.sleep(STANDING_S)
            answer = await self.api.post(f"trips/{trip['id']}/end", self._phone_position(code))
            self.world.touch(code)
            if answer.ok:
                await self._pay(trip, code)
                return
            if answer.code != "end_blocked":
                break
            await self._obey(answer, code, kind)
        self.tally.add("trips.walked_away")
        self.world.leave(code)

    async def _obey(self, refusal: Answer, code: str, kind: str) -> None:
        """Go where the service says it is allowed; wait when only standing still is asked."""
        for condition in refusal.body.get("conditions", []):
            self.tally.add(f"end_blocked.{condition['code']}")
        hints = [c["nearest"] for c in refusal.body.get("conditions", []) if c.get("nearest")]
        if hints:
            self.tally.add("trips.followed_hint")
            await self.world.drive(code, Place(float(hints[0]["lon"]), float(hints[0]["lat"])))
        elif not self.world.city.may_park(kind, self.world.device(code).vehicle.place):
            await self.world.drive(code, self.world.city.somewhere(kind, self.rng))

    async def _pay(self, trip: dict[str, Any], code: str) -> None:
        self.tally.add("trips.ended")
        self.world.leave(code)
        trip = await self.await_state(
            f"trips/{trip['id']}",
            trip,
            beyond=OPEN_STATES | {"ended", "priced"},
            patience_s=RECEIPT_PATIENCE_S,
        )
        self.tally.add(f"trips.{trip['state']}")
        if trip["state"] not in PAID_STATES:
            return
        receipt = await self.api.get(f"trips/{trip['id']}/receipt")
        if receipt.ok:
            self.tally.add("receipts")
            self.tally.add("receipts.cents", int(receipt.body["total_cents"]))
        await self._look_back(trip)

    async def _look_back(self, trip: dict[str, Any]) -> None:
        """Send the photo that was asked for; some object to the price, as people do."""
        if "photo_asked" in trip.get("flags", []):
            sent = await self.api.send_file(f"trips/{trip['id']}/photo", "photo", PARKED)
            self.tally.add("photos.sent" if sent.ok else f"photos.{sent.code}")
        if self.rng.random() < OBJECTS:
            words = {"reason": self.rng.choice(OBJECTIONS), "text": "Così non va."}
            case = await self.tap(f"trips/{trip['id']}/disputes", words)
            self.tally.add("disputes.opened" if case.ok else f"disputes.{case.code}")

    def _phone_position(self, code: str) -> dict[str, Any]:
        place = near(self.world.device(code).vehicle.place, within_m=4.0, rng=self.rng)
        return {"lat": round(place.lat, 6), "lon": round(place.lon, 6), "accuracy_m": 12}


def _place(row: dict[str, Any]) -> Place:
    return Place(float(row["lon"]), float(row["lat"]))


def _reluctance(row: dict[str, Any]) -> float:
    """Metres a person would rather walk than take this one."""
    low_battery = max(0, 35 - int(row.get("battery_pct") or 100)) * 20.0
    return float(row.get("distance_m") or 0.0) + low_battery
