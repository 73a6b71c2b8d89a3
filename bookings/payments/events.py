"""Facts about money."""

import dataclasses
from typing import ClassVar

from mobility.core.outbox import Event


@dataclasses.dataclass(frozen=True)
class PaymentCaptured(Event):
    """The money was collected."""

    name: ClassVar = "bookings.payment_captured.v1"

    payment_id: str
    purpose: str
    purpose_ref: str
    cents: int
    currency: str


@dataclasses.dataclass(frozen=True)
class PaymentFailed(Event):
    """The card refused; the person owes the amount."""

    name: ClassVar = "bookings.payment_failed.v1"

    payment_id: str
    purpose: str
    purpose_ref: str
    cents: int
    currency: str
    failure: str


@dataclasses.dataclass(frozen=True)
class PaymentWrittenOff(Event):
    """Staff gave up on a debt."""

    name: ClassVar = "bookings.payment_written_off.v1"

    payment_id: str
    purpose: str
    purpose_ref: str
    cents: int
    currency: str
