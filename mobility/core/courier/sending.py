"""The way out: one signed POST, to a public address that was looked up here, with a time limit on all of it.

Receivers are strangers. The name is looked up once and the connection goes to the very address that was
judged; redirects are not followed; of the answer only the status counts, and little of it is read.
"""

import asyncio
import dataclasses
import datetime
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import Self

import httpx

from mobility.core.courier import targets
from mobility.core.courier.states import Failure

# For everything together: looking up, connecting, sending, waiting for the status.
TIMEOUT_S = 10.0
# For one address of several, so that a dead one leaves time for the next.
CONNECT_S = 3.0
# A receiver that answers with more than this, or more slowly, is hung up on: its status is known by then.
READ_BYTES = 16 * 1024
READ_S = 2.0
LOOKUPS_AT_ONCE = 32
MOST_ADDRESSES = 4


@dataclasses.dataclass(frozen=True)
class Parcel:
    """One message, ready to go: which delivery it is, and to whom."""

    delivery_id: int
    endpoint_id: int
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of an attempt; `failure` is empty when the receiver took it."""

    ms: int
    status: int | None = None
    failure: str = ""
    # What `Retry-After` asked for.
    wish_s: int | None = None


class Courier:
    """Sends many parcels at once, from a thread with an event loop of its own.

    The caller keeps its thread, and with it the database connection.
    """

    def __init__(self, *, allow_private: bool, timeout_s: float = TIMEOUT_S) -> None:
        self._allow_private = allow_private
        self._timeout_s = timeout_s

    def __enter__(self) -> Self:
        """Start the loop."""
        self._loop = asyncio.new_event_loop()
        # Looking up blocks a thread each; a name server that hangs must not stop the others.
        self._loop.set_default_executor(ThreadPoolExecutor(LOOKUPS_AT_ONCE))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it; what is still under way is dropped and comes again when its time is up."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def send(self, parcel: Parcel) -> Future[Outcome]:
        """Begin to send; the future always gets an outcome and never raises."""
        return asyncio.run_coroutine_threadsafe(self._send(parcel), self._loop)

    async def _send(self, parcel: Parcel) -> Outcome:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_s):
                outcome = await self._attempt(parcel)
        except TimeoutError:
            outcome = Outcome(ms=0, failure=Failure.TIMED_OUT)
        except Exception as problem:  # noqa: BLE001 - a stranger's answer may be wrong in any way
            outcome = Outcome(ms=0, failure=_failure(problem))
        return dataclasses.replace(outcome, ms=round((time.monotonic() - begun) * 1000))

    async def _attempt(self, parcel: Parcel) -> Outcome:
        target = targets.target_of(parcel.url, allow_private=self._allow_private)
        addresses = await self._look_up(target)
        for address in addresses[:-1]:
            try:
                return await _post(target, address, parcel)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await _post(target, addresses[-1], parcel)

    async def _look_up(self, target: targets.Target) -> list[str]:
        found = await asyncio.get_running_loop().getaddrinfo(
            target.host, target.port, type=socket.SOCK_STREAM
        )
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        # One that is not public spoils the name: whoever runs it is trying something.
        if not self._allow_private and not all(targets.is_public(one) for one in addresses):
            raise targets.BadTarget("not_public")
        return addresses[:MOST_ADDRESSES]


async def _post(target: targets.Target, address: str, parcel: Parcel) -> Outcome:
    """POST to this address under the target's own name, in the certificate as in the request."""
    host = f"[{address}]" if ":" in address else address
    timeout = httpx.Timeout(TIMEOUT_S, connect=CONNECT_S)
    async with httpx.AsyncClient(
        verify=_certificates(), trust_env=False, follow_redirects=False, timeout=timeout
    ) as client:
        request = client.build_request(
            "POST",
            f"{target.scheme}://{host}:{target.port}{target.path}",
            content=parcel.body,
            headers={**parcel.headers, "host": target.host_header, "connection": "close"},
            extensions={"sni_hostname": target.host},
        )
        response = await client.send(request, stream=True)
        try:
            await _skim(response)
            return _outcome(response)
        finally:
            await response.aclose()


async def _skim(response: httpx.Response) -> None:
    """Read a little of the answer, as a courtesy to receivers that mind being hung up on."""
    length = 0
    try:
        async with asyncio.timeout(READ_S):
            async for part in response.aiter_raw():
                length += len(part)
                if length > READ_BYTES:
                    return
    except (TimeoutError, httpx.HTTPError):
        return


def _outcome(response: httpx.Response) -> Outcome:
    status = response.status_code
    if 200 <= status < 300:
        return Outcome(ms=0, status=status)
    failure = Failure.REDIRECTED if 300 <= status < 400 else Failure.REFUSED
    wish = response.headers.get("retry-after", "")
    return Outcome(ms=0, status=status, failure=failure, wish_s=_seconds(wish, response))


def _seconds(wish: str, response: httpx.Response) -> int | None:
    """`Retry-After` in seconds, given so or as a date beside the receiver's own `Date`."""
    if wish.isascii() and wish.isdecimal():
        return int(wish[:9])
    try:
        pause = parsedate_to_datetime(wish) - parsedate_to_datetime(response.headers["date"])
    except (ValueError, TypeError, KeyError):
        return None
    return max(0, int(pause / datetime.timedelta(seconds=1)))


def _failure(problem: Exception) -> str:
    if isinstance(problem, targets.BadTarget):
        return Failure.ADDRESS_FORBIDDEN
    if isinstance(problem, socket.gaierror | UnicodeError):
        return Failure.UNKNOWN_HOST
    return Failure.TIMED_OUT if isinstance(problem, httpx.TimeoutException) else Failure.UNREACHABLE


@cache
def _certificates() -> ssl.SSLContext:
    """Reading the authorities takes longer than a delivery, so once a process."""
    return ssl.create_default_context()
