"""`Idempotency-Key`: a client may repeat a writing call; it acts once and answers the same each time.

The key row is inserted in the very transaction that does the work. A second call with the same key
therefore waits on the unique index until the first has committed, and then replays its answer; if the
first failed, nothing is left of it and the second simply runs.
"""

import dataclasses
import datetime
import hashlib

from django.db import connection
from django.utils.translation import gettext_lazy as _

from mobility.core.errors import Invalid
from mobility.core.models import IdempotencyKey
from mobility.core.principals import Principal

KEEP = datetime.timedelta(hours=48)


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


@dataclasses.dataclass(frozen=True)
class StoredAnswer:
    """An answer as it went out the first time."""

    status: int
    body: bytes
    content_type: str


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
    if not key.isprintable() or not 1 <= len(key) <= 128:
        raise KeyMalformed
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO mobility_idempotencykey (principal, key, request_hash, content_type, at)"
            " VALUES (%s, %s, %s, '', %s) ON CONFLICT (principal, key) DO NOTHING",
            [principal, key, request_hash, at],
        )
        if cursor.rowcount == 1:
            return None
    row = IdempotencyKey.objects.get(principal=principal, key=key)
    if row.request_hash != request_hash or row.status is None:
        raise KeyReused
    return StoredAnswer(
        status=row.status, body=bytes(row.body or b""), content_type=row.content_type
    )


def finish(*, principal: Principal, key: str, answer: StoredAnswer) -> None:
    """Keep the answer under its key, in the same transaction."""
    IdempotencyKey.objects.filter(principal=principal, key=key).update(
        status=answer.status, body=answer.body, content_type=answer.content_type
    )


def forget_old(*, at: datetime.datetime) -> int:
    """Drop answers older than two days; returns how many."""
    deleted, _per_model = IdempotencyKey.objects.filter(at__lt=at - KEEP).delete()
    return deleted
