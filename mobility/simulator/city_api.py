"""One person's JSON API: patient with a service that is away, curious about refusals."""

import asyncio
import random
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from mobility.simulator.tally import Tally

LONGEST_BACKOFF_S = 30.0
MOST_TRIES = 12
TRY_AGAIN = frozenset({429, 502, 503, 504})


class ServiceAway(Exception):
    """The service could not be reached for minutes, or failed on every try."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON body of one call."""

    status: int
    body: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Did the service do it?"""
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """The stable code of a refusal."""
        return str(self.body.get("code", self.status))


@dataclass(slots=True)
class CityApi:
    """Calls under one token; ``token`` empty means an anonymous visitor."""

    http: httpx.AsyncClient
    tally: Tally
    rng: random.Random
    token: str = ""
    _headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.token:
            self._headers = {"Authorization": f"Bearer {self.token}"}

    async def get(self, path: str, **params: Any) -> Answer:
        """Read ``path`` (below /api/v1)."""
        return await self._call("GET", path, params=params)

    async def post(
        self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None
    ) -> Answer:
        """Write once: every try carries the same Idempotency-Key.

        Keys are never drawn from the seed: a second run with the same seed is another day,
        not a replay of the answers of the first.
        """
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return await self._call("POST", path, json=body or {}, headers=headers)

    async def send_file(self, path: str, name: str, content: bytes) -> Answer:
        """Send one picture as a form does; no key, for the service keeps it as another photo."""
        files = {name: (f"{name}.png", content, "image/png")}
        return await self._call("POST", path, files=files)

    async def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """The first page of a list; empty when the service refuses."""
        answer = await self.get(path, **params)
        found: list[dict[str, Any]] = answer.body.get("results", []) if answer.ok else []
        return found

    async def _call(self, method: str, path: str, **options: Any) -> Answer:
        headers = self._headers | options.pop("headers", {})
        for attempt in range(MOST_TRIES):
            try:
                reply = await self.http.request(
                    method, f"/api/v1/{path}", headers=headers, **options
                )
            except httpx.TransportError as error:
                self._stumble(attempt, type(error).__name__)
            else:
                if reply.status_code not in TRY_AGAIN:
                    return self._judge(path, reply)
                self._stumble(attempt, str(reply.status_code))
            await asyncio.sleep(self._pause_s(attempt))
        raise ServiceAway(f"{method} {path}")

    def _judge(self, path: str, reply: httpx.Response) -> Answer:
        answer = Answer(reply.status_code, _json(reply))
        if answer.status >= 500:
            self.tally.fault(f"api.{answer.status} {path.partition('/')[0]}")
        elif not answer.ok:
            self.tally.refused(answer.code)
        return answer

    def _stumble(self, attempt: int, why: str) -> None:
        """A connection closed under one's hands happens to everybody; twice in a row is a fault."""
        if attempt == 0:
            self.tally.add("api.tried_again")
        else:
            self.tally.fault(f"api.{why}")

    def _pause_s(self, attempt: int) -> float:
        return min(LONGEST_BACKOFF_S, 0.5 * 2.0**attempt) * self.rng.uniform(0.5, 1.0)


def _json(reply: httpx.Response) -> dict[str, Any]:
    try:
        body = reply.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {"results": body}
