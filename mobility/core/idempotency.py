"""`Idempotency-Key`: a client may repeat a writing call; it acts once and answers the same each time.

The key row is inserted in the very transaction that does the work. A second call with the same key
therefore waits on the unique index until the first has committed, and then replays its answer; if the
first failed, nothing is left of it and the second simply runs.

A call that needs several transactions, because it asks somebody outside in between, takes turns by a
lock of the session instead (`turn`), and keeps its answer at the end (`remember`). If its process dies
on the way, nothing is remembered, and the same key runs again: what it finds done already is answered
by its own rules.
"""

import dataclasses
import datetime
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from mobility.core import locks, seals
from mobility.core.errors import Conflict, Invalid
from mobility.core.models import IdempotencyKey
from mobility.core.principals import Principal

KEEP = datetime.timedelta(hours=48)
# Longer than any honest call takes, shorter than web servers let a request live.
PATIENCE_S = 20.0
# Stands before the content type of an answer that is sealed.
SEALED = "sealed;"


class KeyReused(Invalid):
    """The same key came with another request."""

    code = "idempotency_key_reused"
    message = _(
        "This Idempotency-Key was used for another request. Use a new key for a new request."
    )


class KeyMalformed(Invalid):
    """The key is empty or too long."""

    code = "idempotency_key_malformed"
    message = _("An Idempotency-Key has 1 to 128 printable characters.")


class RequestInProgress(Conflict):
    """The first call with this key has not finished."""

    code = "request_in_progress"
    message = _("This request is being worked on already. Please look again in a moment.")


@dataclasses.dataclass(frozen=True)
class StoredAnswer:
    """An answer as it went out the first time."""

    status: int
    body: bytes
    content_type: str
    # It shows a secret, and is kept sealed.
    secret: bool = False


def fingerprint(*, method: str, path: str, body: bytes) -> str:
    """What makes two requests the same one."""
    return hashlib.sha256(b"\x00".join((method.encode(), path.encode(), body))).hexdigest()


def begin(
    *, principal: Principal, key: str, request_hash: str, at: datetime.datetime
) -> StoredAnswer | None:
    """Claim `key` for this request, or return the answer that the key already has.

    Runs inside the transaction that does the work. Raises `KeyReused` if the key belongs to another
    request and `KeyMalformed` if it is no key.
    """
    _check(key)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO mobility_idempotencykey (principal, key, request_hash, content_type, at)"
            " VALUES (%s, %s, %s, '', %s) ON CONFLICT (principal, key) DO NOTHING",
            [principal, key, request_hash, at],
        )
        if cursor.rowcount == 1:
            return None
    return _answer(
        IdempotencyKey.objects.get(principal=principal, key=key), request_hash=request_hash
    )


def finish(*, principal: Principal, key: str, answer: StoredAnswer) -> None:
    """Keep the answer under its key, in the same transaction."""
    IdempotencyKey.objects.filter(principal=principal, key=key).update(
        status=answer.status, **_kept(answer, principal=principal, key=key)
    )


@contextmanager
def turn(*, principal: Principal, key: str) -> Iterator[None]:
    """Run the block while no other call with this key of this person does, over many transactions.

    Raises `KeyMalformed`, and `RequestInProgress` when the other takes too long.
    """
    _check(key)
    try:
        with locks.turn(f"idempotency:{principal}:{key}", patience_s=PATIENCE_S):
            yield
    except locks.StillHeld as problem:
        raise RequestInProgress from problem


def recall(*, principal: Principal, key: str, request_hash: str) -> StoredAnswer | None:
    """The answer that the key has already, if any. Raises `KeyReused` if it was to another request."""
    row = IdempotencyKey.objects.filter(principal=principal, key=key).first()
    return None if row is None else _answer(row, request_hash=request_hash)


def remember(
    *,
    principal: Principal,
    key: str,
    request_hash: str,
    answer: StoredAnswer,
    at: datetime.datetime,
) -> None:
    """Keep the answer of a call that has committed whatever it did."""
    IdempotencyKey.objects.create(
        principal=principal,
        key=key,
        request_hash=request_hash,
        status=answer.status,
        at=at,
        **_kept(answer, principal=principal, key=key),
    )


def forget_old(*, at: datetime.datetime) -> int:
    """Drop answers older than two days; returns how many."""
    deleted, _per_model = IdempotencyKey.objects.filter(at__lt=at - KEEP).delete()
    return deleted


def _check(key: str) -> None:
    if not key.isprintable() or not 1 <= len(key) <= 128:
        raise KeyMalformed


def _answer(row: IdempotencyKey, *, request_hash: str) -> StoredAnswer:
    if row.request_hash != request_hash or row.status is None:
        raise KeyReused
    body, sealed = bytes(row.body or b""), row.content_type.startswith(SEALED)
    if sealed:
        body = seals.unseal(body, about=_about(Principal(row.principal), row.key))
    return StoredAnswer(
        status=row.status,
        body=body,
        content_type=row.content_type.removeprefix(SEALED),
        secret=sealed,
    )


def _kept(answer: StoredAnswer, *, principal: Principal, key: str) -> dict[str, Any]:
    if not answer.secret:
        return {"body": answer.body, "content_type": answer.content_type}
    body = seals.seal(answer.body, about=_about(principal, key))
    return {"body": body, "content_type": f"{SEALED}{answer.content_type}"}


def _about(principal: Principal, key: str) -> str:
    """Each answer is sealed with a key of its own."""
    return f"idempotency:{principal}:{key}"
