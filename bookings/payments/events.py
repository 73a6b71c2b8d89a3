"""Facts about money. `payer` is the principal of the person."""

import dataclasses
from typing import ClassVar

from mobility.core.outbox import Event


@dataclasses.dataclass(frozen=True)
class PaymentCaptured(Event):
    """The money was collected; `recovered` if the card had refused it before."""

    name: ClassVar = "bookings.payment_captured.v1"

    payment_id: str
    purpose: str
    purpose_ref: str
    cents: int
    currency: str
    payer: str = ""
    recovered: bool = False


@dataclasses.dataclass(frozen=True)
class PaymentRefused(Event):
    """The card refused before anything was handed out; nothing is owed."""

    name: ClassVar = "bookings.payment_refused.v1"

    payment_id: str
    purpose: str
    purpose_ref: str
    cents: int
    currency: str
    failure: str
    payer: str = ""


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
    payer: str = ""


@dataclasses.dataclass(frozen=True)
class PaymentWrittenOff(Event):
    """Staff gave up on a debt."""

    name: ClassVar = "bookings.payment_written_off.v1"

    payment_id: str
    purpose: str
    purpose_ref: str
    cents: int
    currency: str
    payer: str = ""


@dataclasses.dataclass(frozen=True)
class PromiseMissing(Event):
    """The card does not promise what a ride under way needs; the ride goes on all the same."""

    name: ClassVar = "bookings.promise_missing.v1"

    payment_id: str
    purpose: str
    purpose_ref: str
    cents: int
    currency: str
    failure: str
    payer: str = ""


@dataclasses.dataclass(frozen=True)
class RefundDone(Event):
    """Money went back to the person; `way` is card, wallet or debt."""

    name: ClassVar = "bookings.refund_done.v1"

    refund_id: str
    payment_id: str
    purpose: str
    purpose_ref: str
    cents: int
    currency: str
    way: str
    reason: str
    payer: str = ""


@dataclasses.dataclass(frozen=True)
class RefundRejected(Event):
    """A second person refused to let money go back; whatever was settled by it is to be undone."""

    name: ClassVar = "bookings.refund_rejected.v1"

    refund_id: str
    payment_id: str
    purpose: str
    purpose_ref: str
    cents: int
    currency: str
    reason: str
    payer: str = ""


@dataclasses.dataclass(frozen=True)
class FeeNoticed(Event):
    """A fee was announced; until `charge_after` (ISO 8601) it can be disputed."""

    name: ClassVar = "bookings.fee_noticed.v1"

    fee_id: str
    kind: str
    about: str
    cents: int
    currency: str
    charge_after: str
    payer: str = ""
