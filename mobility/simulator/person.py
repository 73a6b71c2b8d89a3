"""What every simulated person has: a phone with the API, a body in the world, a will."""

import asyncio
import random
import secrets
from dataclasses import dataclass
from typing import Any

from mobility.simulator.city_api import Answer, CityApi
from mobility.simulator.tally import Tally
from mobility.simulator.world import World

DOUBLE_TAPS = 0.05


@dataclass(slots=True)
class Person:
    """Base of riders, customers of chargers and those who only make mischief."""

    api: CityApi
    world: World
    tally: Tally
    rng: random.Random

    async def tap(self, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Send; a nervous thumb sends the same twice at once and must get one answer."""
        if self.rng.random() >= DOUBLE_TAPS:
            return await self.api.post(path, body)
        self.tally.add("double_taps")
        key = secrets.token_hex(16)
        first, second = await asyncio.gather(
            self.api.post(path, body, key=key), self.api.post(path, body, key=key)
        )
        if first.ok and second.ok and first.body != second.body:
            self.tally.fault(f"double_tap.two_answers {path}")
        return first if first.ok else second

    async def await_state(
        self, path: str, seen: dict[str, Any], *, beyond: frozenset[str], patience_s: int
    ) -> dict[str, Any]:
        """Poll once a real second until the state is none of ``beyond``; the last answer seen."""
        for _ in range(patience_s):
            if seen["state"] not in beyond:
                break
            await asyncio.sleep(1.0)
            answer = await self.api.get(path)
            seen = answer.body if answer.ok else seen
        return seen
