"""A charger and its day: cars come, taps and remote starts, meter values, full batteries, gone."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from typing import Any

import httpx
from ocpp import messages

from mobility.simulator.chargers.bay import Bay, Order, Reading, Visit, random_car
from mobility.simulator.chargers.device import Device, Reservation
from mobility.simulator.chargers.line import Line
from mobility.simulator.chargers.talk import Refused, Talk
from mobility.simulator.clock import SimClock
from mobility.simulator.credentials import ChargerSpec

log = logging.getLogger("simulator.chargers")

MEAN_IDLE_S = 2_700.0
METER_EVERY_S = 60.0
METER_AT_MOST_EVERY_S = 5.0
PLUG_IN_S = (3.0, 20.0)
BLOCKED_CABLE_S = 20.0
MEAN_DROP_S = 7_200.0
STRANGER_SHARE = 0.05
"""Taps of a card nobody knows."""
ARRIVAL_SPREAD_S = 10.0
GOODBYE_S = 6.0
RESTART_AFTER_S = 2.0
UPLOAD_S = 20.0


class Charger:
    """One station; implements what the central system may ask of its hardware."""

    def __init__(
        self,
        spec: ChargerSpec,
        *,
        rng: random.Random,
        clock: SimClock,
        tokens: list[str],
    ) -> None:
        self._rng = rng
        self._clock = clock
        self._tokens = tokens
        self._line = Line(spec, hardware=self, rng=rng)
        power_w = 50_000.0 if spec.protocol == "ocpp2.0.1" else 22_000.0
        self.bays = [
            Bay(number, max_power_w=power_w, register_wh=rng.uniform(0, 3_000_000))
            for number in range(1, spec.connectors + 1)
        ]
        self._identity = spec.identity
        firmware = "1.6.2" if spec.protocol == "ocpp1.6" else "2.0.1"
        self.device = Device(bays=spec.connectors, firmware=firmware)
        self._errands: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Live until cancelled; then end what runs, as a charger does that loses power."""
        await asyncio.sleep(self._rng.uniform(0, ARRIVAL_SPREAD_S))
        jobs = [asyncio.create_task(self._line.keep(self._report_bays))]
        jobs += [asyncio.create_task(self._serve(bay)) for bay in self.bays]
        jobs.append(asyncio.create_task(self._lose_the_link_sometimes()))
        try:
            # Not gather: a cancellation must not reach the line before we said good-bye on it.
            await asyncio.wait(jobs, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._end_all(jobs[1 : 1 + len(self.bays)])
            for job in (*jobs, *self._errands):
                job.cancel()
            await asyncio.gather(*jobs, *self._errands, return_exceptions=True)

    def remote_start(self, *, number: int | None, token: str, remote_start_id: int | None) -> bool:
        for bay in self.bays:
            if bay.free and number in (None, bay.number) and self._admits(bay, token):
                self._end_reservation(bay)
                bay.orders.put_nowait(Order(token, remote_start_id))
                return True
        return False

    def remote_stop(self, *, reference: str) -> bool:
        for bay in self.bays:
            if bay.visit is not None and bay.visit.reference == reference:
                bay.visit.stop("Remote")
                return True
        return False

    def reset(self, *, hard: bool) -> None:
        for bay in self.bays:
            if bay.visit is not None:
                bay.visit.stop("HardReset" if hard else "SoftReset")
        self._run_errand(self._restart())

    def unlock(self, *, number: int) -> bool:
        for bay in self.bays:
            if bay.number == number:
                if bay.visit is not None:
                    bay.visit.stop("UnlockCommand")
                return True
        return False

    def set_operative(self, *, number: int, operative: bool) -> bool:
        bays = [bay for bay in self.bays if number in (0, bay.number)]
        for bay in bays:
            bay.operative = operative
            if bay.visit is None:
                self._run_errand(self._say_status(bay, _resting_word(bay)))
        return operative or all(bay.visit is None for bay in bays)

    def trigger(self, *, message: str, number: int) -> bool:
        if message == "status":
            self._run_errand(self._report_bays())
        elif message == "heartbeat":
            self._run_errand(self._line.mention(lambda talk: talk.heartbeat()))
        else:
            return False
        return True

    def now(self) -> datetime:
        return self._clock.now()

    def runs(self, *, reference: str) -> bool:
        return any(bay.visit is not None and bay.visit.reference == reference for bay in self.bays)

    def power_left_w(self, number: int) -> float:
        bays = [bay for bay in self.bays if number in (0, bay.number)]
        return sum(self._most_w(bay) for bay in bays)

    def reserve(self, *, number: int, reservation: int, token: str, until: datetime) -> str:
        wanted = [bay for bay in self.bays if number in (0, bay.number)]
        free = [bay for bay in wanted if bay.free and bay.number not in self.device.reservations]
        if not free:
            return "Unavailable" if wanted and not wanted[0].operative else "Occupied"
        bay = free[0]
        self.device.reservations[bay.number] = Reservation(reservation, token, until)
        self._run_errand(self._say_status(bay, "Reserved"))
        self._run_errand(self._expire(bay, reservation))
        return "Accepted"

    def cancel_reservation(self, *, reservation: int) -> bool:
        for bay in self.bays:
            kept = self.device.reservations.get(bay.number)
            if kept is not None and kept.number == reservation:
                self._end_reservation(bay)
                self._run_errand(self._say_status(bay, _resting_word(bay)))
                return True
        return False

    def install(self, *, version: str, after_s: float) -> None:
        self._run_errand(self._install(version, after_s))

    def upload(self, *, location: str) -> str:
        name = f"{self._identity}-{self._clock.now():%Y%m%d%H%M%S}.log".replace("/", "_")
        self._run_errand(self._upload(f"{location.rstrip('/')}/{name}"))
        return name

    def soon(self, after_s: float, say: Callable[[Talk], Awaitable[Any]]) -> None:
        async def later() -> None:
            await asyncio.sleep(after_s)
            await self._line.mention(say)

        self._run_errand(later())

    def _most_w(self, bay: Bay) -> float:
        limit_w = self.device.limit_w(bay.number)
        return bay.max_power_w if limit_w is None else min(limit_w, bay.max_power_w)

    def _admits(self, bay: Bay, token: str) -> bool:
        """Whether the bay is kept for nobody else."""
        kept = self.device.reservations.get(bay.number)
        return kept is None or kept.token == token

    def _end_reservation(self, bay: Bay) -> None:
        self.device.reservations.pop(bay.number, None)

    async def _expire(self, bay: Bay, reservation: int) -> None:
        kept = self.device.reservations[bay.number]
        await asyncio.sleep(max((kept.until - self._clock.now()).total_seconds(), 0))
        if self.device.reservations.get(bay.number) is kept and kept.number == reservation:
            self._end_reservation(bay)
            await self._say_status(bay, _resting_word(bay))

    async def _install(self, version: str, after_s: float) -> None:
        self.device.firmware_status = "Installing"
        await asyncio.sleep(after_s)
        self.device.firmware, self.device.firmware_status = version, "Installed"
        self.reset(hard=False)

    async def _upload(self, address: str) -> None:
        """Bring the log; where nobody takes it, it stays here."""
        self.device.log_status = "Uploading"
        text = self.device.log_text(self._identity, self._clock.now())
        try:
            async with httpx.AsyncClient(timeout=UPLOAD_S) as client:
                answer = await client.put(address, content=text.encode())
            self.device.log_status = "Uploaded" if answer.is_success else "UploadFailure"
        except httpx.HTTPError as error:
            log.info("%s: no log at %s: %s", self._identity, address, error)
            self.device.log_status = "UploadFailure"

    async def _serve(self, bay: Bay) -> None:
        """One bay: wait for a car, serve it, for ever."""
        first = True
        while True:
            order = await self._next_order(bay, first=first)
            first = False
            if not bay.operative or not self._admits(bay, order.token):
                continue
            self._end_reservation(bay)
            visit = Visit(random_car(self._rng), order.token, order.remote_start_id)
            bay.visit = visit
            try:
                await self._say_status(bay, "Preparing")
                await self._clock.sleep(self._rng.uniform(*PLUG_IN_S))
                await self._charge(bay, visit)
            except Refused as error:
                log.warning("a transaction at bay %s is given up: %s", bay.number, error)
            finally:
                bay.visit = None
            await self._say_status(bay, _resting_word(bay))

    async def _next_order(self, bay: Bay, *, first: bool) -> Order:
        """A remote start, or the next driver with a card."""
        idle_s = self._rng.expovariate(1 / MEAN_IDLE_S)
        remote = asyncio.ensure_future(bay.orders.get())
        walk_in = asyncio.ensure_future(self._clock.sleep(idle_s / 3 if first else idle_s))
        try:
            await asyncio.wait({remote, walk_in}, return_when=asyncio.FIRST_COMPLETED)
            if remote.done():
                return remote.result()
        finally:
            remote.cancel()
            walk_in.cancel()
        return Order(self._card())

    def _card(self) -> str:
        if not self._tokens or self._rng.random() < STRANGER_SHARE:
            return f"{self._rng.getrandbits(56):014X}"
        return self._rng.choice(self._tokens)

    async def _charge(self, bay: Bay, visit: Visit) -> None:
        """Tap, start, meter until the driver leaves or somebody stops it, end, unplug."""
        tapped = visit.remote_start_id is None
        if tapped and not await self._line.ask(lambda talk: talk.authorize(visit.token)):
            return
        reading = bay.read(self._clock.now(), flowing=False)
        sequence = visit.next_sequence()
        welcome = await self._line.ask(lambda talk: talk.begin(bay, visit, reading, sequence))
        if not welcome:
            visit.stop("DeAuthorized")
        await self._say_status(bay, "Charging")
        await self._meter_until_end(bay, visit)
        last = bay.read(self._clock.now(), flowing=welcome)
        number = visit.next_sequence()
        await self._line.ask(lambda talk: talk.finish(bay, visit, last, number))
        await self._say_status(bay, "Finishing")
        await self._clock.sleep(BLOCKED_CABLE_S)

    async def _meter_until_end(self, bay: Bay, visit: Visit) -> None:
        leaves_at_s = self._clock.elapsed_s() + visit.car.stays_s
        was_full = False
        while not visit.end.is_set():
            left_s = leaves_at_s - self._clock.elapsed_s()
            if left_s <= 0:
                visit.stop("Local")
                return
            # However fast the city is, a real plug reports every few seconds at most.
            period_s = max(METER_EVERY_S, METER_AT_MOST_EVERY_S * self._clock.speed)
            await self._pause(visit, min(left_s, period_s))
            if visit.end.is_set():
                return
            reading = bay.read(self._clock.now(), flowing=True)
            # A limit counts from the next reading on, as power is taken to be even in between.
            bay.limit_w = self.device.limit_w(bay.number)
            number = visit.next_sequence()
            await self._report_meter(bay, visit, reading, number)
            if visit.car.full and not was_full:
                was_full = True
                await self._say_status(bay, "SuspendedEV")

    async def _report_meter(self, bay: Bay, visit: Visit, reading: Reading, number: int) -> None:
        await self._line.ask(lambda talk: talk.meter(bay, visit, reading, number))

    async def _pause(self, visit: Visit, simulated_s: float) -> None:
        """Wait so long in the city's time, or until the visit is asked to end."""
        ending = asyncio.ensure_future(visit.end.wait())
        waiting = asyncio.ensure_future(self._clock.sleep(simulated_s))
        try:
            await asyncio.wait({ending, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
            waiting.cancel()

    async def _lose_the_link_sometimes(self) -> None:
        while True:
            await self._clock.sleep(self._rng.expovariate(1 / MEAN_DROP_S))
            await self._line.drop()

    async def _report_bays(self) -> None:
        for bay in self.bays:
            await self._say_status(bay, "Charging" if bay.visit else _resting_word(bay))

    async def _say_status(self, bay: Bay, word: str) -> None:
        at: datetime = self._clock.now()
        await self._line.mention(lambda talk: talk.status(bay, word, at))

    async def _restart(self) -> None:
        """Give running transactions a moment to end, then boot again."""
        await asyncio.sleep(RESTART_AFTER_S)
        await self._line.restart("RemoteReset")

    async def _end_all(self, services: list[asyncio.Task[None]]) -> None:
        for bay in self.bays:
            if bay.visit is not None:
                bay.visit.stop("PowerLoss")
        while any(bay.visit is not None and bay.visit.reference for bay in self.bays):
            if all(service.done() for service in services):
                return
            await asyncio.sleep(0.05)

    def _run_errand(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


def _resting_word(bay: Bay) -> str:
    return "Available" if bay.operative else "Unavailable"


async def run_chargers(
    chargers: list[ChargerSpec],
    *,
    rng: random.Random,
    clock: SimClock,
    tokens: list[str],
    stop: asyncio.Event,
) -> None:
    """Run all chargers until ``stop``. ``tokens`` are the RFID cards of the city's drivers."""
    # The engine's own checks run in a thread per message; its peer checks everything anyway.
    messages.ASYNC_VALIDATION = False
    logging.getLogger("ocpp").setLevel(logging.WARNING)
    fleet = [
        Charger(spec, rng=random.Random(rng.getrandbits(64)), clock=clock, tokens=tokens)
        for spec in chargers
    ]
    tasks = [asyncio.create_task(charger.run()) for charger in fleet]
    try:
        await stop.wait()
    finally:
        await _send_home(tasks)


async def _send_home(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel the chargers and let them say good-bye, even while we are being cancelled too."""
    for task in tasks:
        task.cancel()
    leaving = asyncio.gather(*tasks, return_exceptions=True)
    while not leaving.done():
        # Each charger's good-bye has its own time limit, so this ends.
        with suppress(asyncio.CancelledError):
            await asyncio.shield(leaving)
