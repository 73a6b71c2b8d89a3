"""A resident's day: stay in, go out, ride, charge, or get in the way."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from mobility.simulator.city_api import ServiceAway
from mobility.simulator.demand import Haunts, itinerary, outings_per_hour
from mobility.simulator.mischief import Mischief
from mobility.simulator.person import Person
from mobility.simulator.plans import Planner
from mobility.simulator.purchases import Customer
from mobility.simulator.rides import Rider

KINDS = {"scooter": 0.45, "bicycle": 0.40, "car": 0.15}
CHARGES = 0.08
MISCHIEF = 0.06
LOOK_AGAIN_S = 1_800.0
USUAL_OUTING_H = 0.35
FIRST_STEPS_S = 90.0
P = TypeVar("P", bound=Person)


@dataclass(slots=True)
class Resident:
    """One person with an account; everything is decided by their own random numbers.

    ``share_of_demand`` is this person's part of the city's outings, ``planned`` the share of them
    that is thought of ahead: a car booked, a pass bought, a ride paid from credit.
    """

    me: Person
    haunts: Haunts
    share_of_demand: float
    planned: float

    async def run(self) -> None:
        """For ever: first end what an earlier run left open, then live.

        The city does not begin at an empty street: whoever would be under way now sets out soon.
        """
        await self._try(self._tie_up_loose_ends)
        if self.me.rng.random() < self._outings_per_hour() * USUAL_OUTING_H:
            await self.me.world.clock.sleep(self.me.rng.uniform(0.0, FIRST_STEPS_S))
            await self._try(self._go_out)
        while True:
            await self._stay_in()
            await self._try(self._go_out)

    async def _try(self, outing: Callable[[], Awaitable[None]]) -> None:
        """A service that is away, or answers nonsense, ends the outing, not the person."""
        try:
            await outing()
        except ServiceAway:
            self.me.tally.fault("outing.service_away")
        except (KeyError, TypeError, ValueError) as error:
            self.me.tally.fault(f"outing.unexpected_answer {type(error).__name__}: {error}")

    async def _stay_in(self) -> None:
        """Wait for the next outing; the rate is looked up again as the hours change."""
        clock, rng = self.me.world.clock, self.me.rng
        while True:
            wait_s = rng.expovariate(self._outings_per_hour()) * 3600
            await clock.sleep(min(wait_s, LOOK_AGAIN_S))
            if wait_s <= LOOK_AGAIN_S:
                return

    def _outings_per_hour(self) -> float:
        """How often this person goes out at this time of the city's day."""
        world = self.me.world
        all_of_them = outings_per_hour(at=world.clock.city_time(), vehicles=len(world.radios))
        return all_of_them * self.share_of_demand

    async def _go_out(self) -> None:
        rng, world = self.me.rng, self.me.world
        kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        start, goal = itinerary(
            at=world.clock.city_time(), haunts=self.haunts, city=world.city, kind=kind, rng=rng
        )
        mood = rng.random()
        if mood < CHARGES:
            await self._as(Customer).buy_charge(place=start)
        elif mood < CHARGES + MISCHIEF:
            await self._as(Mischief).make(place=start)
        elif mood < CHARGES + MISCHIEF + self.planned:
            await self._as(Planner).plan(kind=kind, start=start, goal=goal)
        else:
            await self._as(Rider).travel(kind=kind, start=start, goal=goal)

    async def _tie_up_loose_ends(self) -> None:
        await self._as(Rider).finish_open_trips()
        await self._as(Customer).finish_open_charges()

    def _as(self, role: type[P]) -> P:
        return role(self.me.api, self.me.world, self.me.tally, self.me.rng)
