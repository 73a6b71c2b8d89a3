"""A resident buys a charge: find a free connector, start, stay a while, stop, read the receipt."""

from typing import Any

from mobility.simulator.geometry import Place
from mobility.simulator.person import Person

SEARCH_RADIUS_M = 3_000
START_PATIENCE_S = 60
RECEIPT_PATIENCE_S = 90
STAY_S = (600.0, 3_600.0)
STARTING = frozenset({"starting"})
UNPAID = frozenset({"starting", "charging", "stopping", "priced"})


class Customer(Person):
    """Someone with an electric car of their own."""

    async def buy_charge(self, *, place: Place) -> None:
        """Charge near ``place`` for ten minutes to an hour of the city."""
        connector = await self._free_connector(place)
        if connector is None:
            self.tally.add("charges.no_free_connector")
            return
        answer = await self.tap("recharges", {"connector": connector["id"]})
        if not answer.ok:
            return
        self.tally.add("charges.requested")
        path = f"recharges/{answer.body['id']}"
        recharge = await self.await_state(
            path, answer.body, beyond=STARTING, patience_s=START_PATIENCE_S
        )
        self.tally.add(f"charges.{recharge['state']}")
        if recharge["state"] == "charging":
            await self.world.clock.sleep(self.rng.uniform(*STAY_S))
            await self._leave(path, recharge)

    async def finish_open_charges(self) -> None:
        """Stop what an earlier run left charging."""
        for recharge in await self.api.rows("recharges", state="active"):
            self.tally.add("charges.found_open")
            await self._leave(f"recharges/{recharge['id']}", recharge)

    async def _free_connector(self, place: Place) -> dict[str, Any] | None:
        sites = await self.api.rows(
            "stations", lat=place.lat, lon=place.lon, radius_m=SEARCH_RADIUS_M
        )
        stations = [station for site in sites for station in site["stations"]]
        plugs = [plug for station in stations for plug in station["connectors"]]
        free = [plug for plug in plugs if plug["status"] == "Available"]
        return self.rng.choice(free) if free else None

    async def _leave(self, path: str, recharge: dict[str, Any]) -> None:
        await self.api.post(f"{path}/stop")
        recharge = await self.await_state(
            path, recharge, beyond=UNPAID, patience_s=RECEIPT_PATIENCE_S
        )
        self.tally.add(f"charges.{recharge['state']}")
        receipt = await self.api.get(f"{path}/receipt")
        if receipt.ok:
            self.tally.add("charges.receipts")
            self.tally.add("charges.cents", int(receipt.body["total_cents"]))
