"""The people of the demo city at their phones: thin HTTP clients with their own tokens."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from mobility.simulator.credentials import Credentials, read_credentials
from tests.stories.processes import House

Body = dict[str, Any]
# For what goes through stream, drain, relay and worker, on a machine with much else to do.
PATIENCE_S = 90.0
LOOK_S = 0.5


class Caller:
    """One person (or nobody, without a token) calling the API of a running house."""

    def __init__(self, house: House, token: str = "") -> None:
        headers = {"Accept-Language": "en"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self.http = httpx.Client(
            base_url=f"{house.web_url}/api/v1/",
            headers=headers,
            timeout=20,
            # Nobody closes a caller at the end of a story; so none keeps a connection.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def get(self, path: str, *, status: int = 200, **params: Any) -> Body:
        """Read; any other status fails the test with the whole answer."""
        return _body(self.http.get(path, params=params or None), status)

    def post(
        self, path: str, body: Body | None = None, *, status: int = 200, key: str = ""
    ) -> Body:
        """Write; any other status fails the test with the whole answer."""
        headers = {"Idempotency-Key": key} if key else {}
        return _body(self.http.post(path, json=body or {}, headers=headers), status)

    def wait_for(
        self,
        path: str,
        done: Callable[[Body], bool],
        *,
        what: str,
        patience_s: float = PATIENCE_S,
        **params: Any,
    ) -> Body:
        """Read twice a second until ``done``."""
        deadline = time.monotonic() + patience_s
        while not done(seen := self.get(path, **params)):
            assert time.monotonic() < deadline, f"{what} did not happen; last seen: {seen}"
            time.sleep(LOOK_S)
        return seen


def sign_in(house: House, email: str) -> Caller:
    """Somebody of the demo's cast, through the front door with their password."""
    cast = json.loads((Path(house.env["DATA_DIR"]) / "demo.json").read_text())["users"]
    password = next(person["password"] for person in cast if person["email"] == email)
    answer = Caller(house).post("auth/token", {"email": email, "password": password}, status=201)
    return Caller(house, answer["token"])


def credentials_of(house: House) -> Credentials:
    """What the demo city wrote for its simulator."""
    return read_credentials(path=Path(house.env["SIMULATOR_CREDENTIALS"]))


def resident(house: House, number: int) -> Caller:
    """One of the simulated residents, with a working card."""
    return Caller(house, credentials_of(house).residents[number].token)


def _body(reply: httpx.Response, status: int) -> Body:
    assert reply.status_code == status, f"{reply.request.url}: {reply.status_code} {reply.text}"
    body: Body = reply.json() if reply.content else {}
    return body
