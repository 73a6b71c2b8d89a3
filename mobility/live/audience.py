"""Who looks at a live map, and the short signed token that says so to the live process."""

import dataclasses
import datetime
from typing import Any, Self

from django.core import signing
from django.utils.translation import gettext_lazy as _

from mobility.core.errors import Forbidden

SALT = "mobility.live"
LIFETIME = datetime.timedelta(minutes=10)


class TokenNotValid(Forbidden):
    """The token is not ours, was changed, or is too old."""

    code = "live_token_not_valid"
    message = _("This live connection is no longer valid. Please reload the page.")


@dataclasses.dataclass(frozen=True)
class Audience:
    """People who see the same picture, so that it is drawn and encoded once for all of them.

    The public sees what it can rent. Staff see everything of their `organisations`; None is all.
    """

    kind: str
    organisations: frozenset[int] | None = frozenset()

    @classmethod
    def public(cls) -> Self:
        """Everybody."""
        return cls(kind="public")

    @classmethod
    def staff(cls, organisations: frozenset[int] | None) -> Self:
        """Staff of these organisations."""
        return cls(kind="staff", organisations=organisations)

    def sees(self, organisation_id: int) -> bool:
        """Whether rows of that organisation belong into this picture."""
        return (
            self.kind == "public"
            or self.organisations is None
            or organisation_id in self.organisations
        )


def sign(audience: Audience, *, at: datetime.datetime) -> str:
    """A token for that audience, good for ten minutes from `at`."""
    organisations = None if audience.organisations is None else sorted(audience.organisations)
    body = {"k": audience.kind, "o": organisations, "until": (at + LIFETIME).timestamp()}
    return signing.dumps(body, salt=SALT, compress=True)


def read(token: str, *, at: datetime.datetime) -> tuple[Audience, datetime.datetime]:
    """The audience of a token and when it ends; raises `TokenNotValid`."""
    try:
        body: dict[str, Any] = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise TokenNotValid from None
    until = datetime.datetime.fromtimestamp(body["until"], tz=datetime.UTC)
    if until <= at:
        raise TokenNotValid
    organisations = None if body["o"] is None else frozenset(body["o"])
    return Audience(kind=body["k"], organisations=organisations), until
