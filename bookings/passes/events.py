"""Facts about passes and codes. `user` is the principal of the person."""

import dataclasses
import datetime
from typing import ClassVar

from mobility.core.outbox import Event


@dataclasses.dataclass(frozen=True)
class PassActivated(Event):
    """A pass was paid and may be ridden on."""

    name: ClassVar = "bookings.pass_activated.v1"

    pass_id: str
    user: str
    organisation_id: int
    starts_at: datetime.datetime
    ends_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class PassNotPaid(Event):
    """The money for a pass did not come; nothing is owed."""

    name: ClassVar = "bookings.pass_not_paid.v1"

    pass_id: str
    user: str
    organisation_id: int
    renews: str


@dataclasses.dataclass(frozen=True)
class PassEnded(Event):
    """The time of a pass is over."""

    name: ClassVar = "bookings.pass_ended.v1"

    pass_id: str
    user: str
    organisation_id: int


@dataclasses.dataclass(frozen=True)
class PassNotRenewed(Event):
    """A pass that was to renew itself does not: `terms_changed`, `off_sale` or `no_card`."""

    name: ClassVar = "bookings.pass_not_renewed.v1"

    pass_id: str
    user: str
    organisation_id: int
    reason: str


@dataclasses.dataclass(frozen=True)
class PassReturned(Event):
    """An unused pass was given back in time."""

    name: ClassVar = "bookings.pass_returned.v1"

    pass_id: str
    user: str
    organisation_id: int
    cents: int


@dataclasses.dataclass(frozen=True)
class PromoRedeemed(Event):
    """A person redeemed a code."""

    name: ClassVar = "bookings.promo_redeemed.v1"

    redemption_id: str
    user: str
    organisation_id: int
    code: str
