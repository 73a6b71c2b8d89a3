"""How often somebody may knock: counted per person and per address in Redis, by the tables of the settings.

A window begins with the clock's full minute, hour or day and everybody starts it with nothing used. If
Redis is away, doors stay open: a limit protects the house, and a house that is shut protects nobody.
"""

import dataclasses
import ipaddress
from functools import cache, lru_cache
from typing import Any

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from mobility.core import clock, ids
from mobility.core.errors import DomainError

log = structlog.get_logger(__name__)

PERIODS = {"s": 1, "min": 60, "hour": 3600, "day": 86_400}
OFF = "off"


class TooManyCalls(DomainError):
    """So many calls in so short a time."""

    code = "throttled"
    status = 429
    message = _("Too many attempts. Please wait a minute and try again.")


@dataclasses.dataclass(frozen=True)
class Rate:
    """So many calls in so many seconds."""

    calls: int
    period_s: int


@cache
def rate_of(words: str) -> Rate | None:
    """`10/min` as a rate, `off` as None; raises `ValueError` for anything else."""
    if words == OFF:
        return None
    calls, _slash, period = words.partition("/")
    if period not in PERIODS or not calls.isdecimal():
        raise ValueError(f"a rate is written like 10/min, 20/hour or off, not {words!r}")
    return Rate(calls=int(calls), period_s=PERIODS[period])


def client_address(request: HttpRequest | Request) -> str | None:
    """Whose address counts, None if it is this very machine's.

    Behind a proxy it is the one that the proxy in front added last; what a client writes before that
    is its own invention. An IPv6 network of a household (/64) counts as one.
    """
    given = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        given = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    return _counted_address(given)


@lru_cache(maxsize=1_000)
def _counted_address(given: str) -> str | None:
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return None  # a local socket, or a proxy that says nothing: nobody in particular
    if address.is_loopback:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def wait_s(*, door: str, person: str | None, address: str | None) -> int:
    """Count one call at `door`; 0 if it may go on, else the seconds until it may come again.

    A limit with one figure counts the person, and the address of who is nobody in particular.
    """
    scope = settings.RATE_LIMITED.get(door)
    if scope is None or not settings.RATE_LIMITING:
        return 0
    figures = settings.RATE_LIMITS[scope]
    whom = [("person", person), ("address", address)]
    if len(figures) == 1:
        whom = whom[:1] if person else whom[1:]
    counted = [
        (f"limit:{scope}:{kind}:{ids.hash_secret(who)[:32]}", rate)
        for (kind, who), words in zip(whom, figures, strict=False)
        if who and (rate := rate_of(words)) is not None
    ]
    return _count(counted) if counted else 0


def refuse_too_many(request: HttpRequest) -> None:
    """Count a call of a page that nobody signs in for; raises `TooManyCalls`."""
    match = request.resolver_match
    if match is None:
        return
    door = f"{_method(request)} {match.view_name}"
    if wait_s(door=door, person=None, address=client_address(request)):
        raise TooManyCalls


def _method(request: HttpRequest | Request) -> str:
    """HEAD comes in by the door of GET."""
    return "GET" if request.method == "HEAD" else str(request.method)


def _count(counted: list[tuple[str, Rate]]) -> int:
    now = clock.now().timestamp()
    try:
        pipeline = _redis().pipeline(transaction=False)
        for key, rate in counted:
            window = f"{key}:{int(now // rate.period_s)}"
            pipeline.incr(window)
            pipeline.expire(window, rate.period_s)
        used = pipeline.execute()[::2]
    except redis.RedisError as problem:
        log.warning("limits.not_counted", problem=type(problem).__name__)
        return 0
    waits = [
        rate.period_s - int(now % rate.period_s)
        for (_key, rate), calls in zip(counted, used, strict=True)
        if calls > rate.calls
    ]
    return max(waits, default=0)


@cache
def _redis() -> "redis.Redis":
    # Nobody waits for a count: one try, and the door stays open.
    once = Retry(NoBackoff(), 0)
    return redis.Redis.from_url(
        settings.REDIS_URL, retry=once, socket_timeout=1, socket_connect_timeout=1
    )


class DoorLimit(BaseThrottle):
    """The limits at the doors of the API; DRF asks it after it knows who calls."""

    _wait_s = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the call; False if there were too many."""
        match = request.resolver_match
        if match is None:
            return True
        self._wait_s = wait_s(
            door=f"{_method(request)} {match.view_name}",
            person=_person(request, match.view_name),
            address=client_address(request),
        )
        return self._wait_s == 0

    def wait(self) -> float:
        """Seconds until the window is over."""
        return float(self._wait_s)


def _person(request: Request, name: str) -> str | None:
    field = settings.NAMED_BY.get(name)
    if field is None:
        # Guests have a name for one order, and a new one for the next.
        return getattr(request.user, "principal", None) if request.user.is_authenticated else None
    named = request.data.get(field) if isinstance(request.data, dict) else None
    return named.strip().lower() if isinstance(named, str) else None
