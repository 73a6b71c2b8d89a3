"""People who think ahead: a car booked, a pass bought, a ride paid from credit."""

import asyncio
import datetime
from typing import Any
from zoneinfo import ZoneInfo

from mobility.simulator.geometry import Place
from mobility.simulator.person import Person
from mobility.simulator.rides import Rider

ROME = ZoneInfo("Europe/Rome")
MONEY_PATIENCE_S = 45
TOP_UP_CENTS = 2_500
LETS_GO = 0.4
STAY = datetime.timedelta(hours=2)
# Ahead of now, but within the minutes in which the car may be taken early already.
SOON = datetime.timedelta(minutes=5)


class Planner(Person):
    """Someone who decides before it is time to go."""

    async def plan(self, *, kind: str, start: Place, goal: Place) -> None:
        """One of the three, chosen at random."""
        deeds = [self._buy_pass, self._ride_from_credit, self._book_car]
        await self.rng.choice(deeds)(kind, start, goal)

    async def _buy_pass(self, kind: str, start: Place, goal: Place) -> None:
        """Buy a pass that is good for the ride, and take the ride."""
        product = await self._product(kind)
        if product is None:
            return
        bought = await self.tap("passes", {"product": product["id"]})
        if not bought.ok:
            return
        self.tally.add("passes.bought")
        one = await self.await_state(
            f"passes/{bought.body['id']}",
            bought.body,
            beyond=frozenset({"pending"}),
            patience_s=MONEY_PATIENCE_S,
        )
        self.tally.add(f"passes.{one['state']}")
        await self._rider().travel(kind=kind, start=start, goal=goal)

    async def _ride_from_credit(self, kind: str, start: Place, goal: Place) -> None:
        """Top up, ride at the cost of the credit, and go back to the card."""
        product = await self._product(kind)
        cards = [row for row in await self.api.rows("payment-methods") if not row["credit"]]
        if product is None or not cards:
            return
        seller = product["organisation_id"]
        asked = await self.tap(f"wallets/{seller}/top-ups", {"cents": TOP_UP_CENTS})
        if not asked.ok:
            return
        self.tally.add("credit.topped_up")
        await self.await_state(
            f"payments/{asked.body['id']}",
            asked.body,
            beyond=frozenset({"opening", "authorised", "capturing"}),
            patience_s=MONEY_PATIENCE_S,
        )
        for method in await self.api.rows("payment-methods"):
            if method["credit"]:
                await self.api.post(f"payment-methods/{method['id']}/default")
                await self._rider().travel(kind=kind, start=start, goal=goal)
                self.tally.add("credit.rides")
        await self.api.post(f"payment-methods/{cards[0]['id']}/default")

    async def _book_car(self, _kind: str, start: Place, goal: Place) -> None:
        """Book a car for soon; some let it go again, the others ride on the booking."""
        rider = self._rider()
        car = await rider.choose("car", start)
        if car is None:
            return
        at = datetime.datetime.now(tz=ROME).replace(second=0, microsecond=0) + SOON
        wish = {
            "vehicle": car["code"],
            "start": at.isoformat(),
            "end": (at + STAY).isoformat(),
        }
        booked = await self.tap("bookings", wish)
        if not booked.ok:
            return
        self.tally.add("bookings.made")
        await asyncio.sleep(1.0)
        if self.rng.random() < LETS_GO:
            answer = await self.api.post(f"bookings/{booked.body['id']}/cancel")
            self.tally.add(f"bookings.{answer.body.get('state', answer.code)}")
            return
        await rider.ride_on({"booking": booked.body["id"]}, car, "car", goal)

    async def _product(self, kind: str) -> dict[str, Any] | None:
        found = await self.api.rows("pass-products", kind=kind)
        return self.rng.choice(found) if found else None

    def _rider(self) -> Rider:
        return Rider(self.api, self.world, self.tally, self.rng)
