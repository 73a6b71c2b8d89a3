"""Facts about bought charges that others may act on; whose they are stays inside."""

import dataclasses
import datetime
from typing import ClassVar

from mobility.core.outbox import Event


@dataclasses.dataclass(frozen=True)
class RechargeStarted(Event):
    """Current flows for somebody who pays for it; `origin` is app, ad_hoc or card."""

    name: ClassVar = "bookings.recharge_started.v1"

    recharge_id: str
    organisation_id: int
    connector_id: str
    origin: str
    started_at: datetime.datetime


@dataclasses.dataclass(frozen=True)
class RechargeFailed(Event):
    """A charge did not begin, and costs nothing; `failure` is a code."""

    name: ClassVar = "bookings.recharge_failed.v1"

    recharge_id: str
    organisation_id: int
    connector_id: str
    origin: str
    failure: str


@dataclasses.dataclass(frozen=True)
class RechargePriced(Event):
    """A charge is over and has its price, in gross cents; `stop_reason` is empty for a pulled cable."""

    name: ClassVar = "bookings.recharge_priced.v1"

    recharge_id: str
    organisation_id: int
    connector_id: str
    origin: str
    energy_wh: int
    price_cents: int
    currency: str
    stop_reason: str
    ended_at: datetime.datetime
