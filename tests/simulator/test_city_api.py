"""A phone tries again with the same key, and never replays another run."""

import asyncio
import random

import httpx

from mobility.simulator.city_api import Answer, CityApi
from mobility.simulator.tally import Tally


def call(replies: list[httpx.Response]) -> tuple[Answer, list[str], Tally]:
    """One POST against a door that gives ``replies`` in turn: answer, keys seen, tally."""
    keys: list[str] = []
    tally = Tally()

    def door(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        return replies.pop(0)

    async def run() -> Answer:
        transport = httpx.MockTransport(door)
        async with httpx.AsyncClient(transport=transport, base_url="http://city") as http:
            return await CityApi(http, tally, random.Random(1), "token").post("trips", {})

    return asyncio.run(run()), keys, tally


def test_a_retry_carries_the_same_key() -> None:
    answer, keys, _ = call([httpx.Response(503), httpx.Response(201, json={"id": "t"})])
    assert answer.ok
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_the_same_seed_does_not_replay_the_keys_of_an_earlier_run() -> None:
    _, first, _ = call([httpx.Response(201, json={})])
    _, second, _ = call([httpx.Response(201, json={})])
    assert first != second


def test_refusals_are_counted_by_code_and_failures_apart() -> None:
    refused, _, tally = call([httpx.Response(409, json={"code": "vehicle_taken"})])
    assert (refused.ok, refused.code) == (False, "vehicle_taken")
    assert tally.refusals == {"vehicle_taken": 1}
    _, _, tally = call([httpx.Response(500, text="<h1>oops</h1>")])
    assert tally.faults == {"api.500 trips": 1}
