"""How long a charger is waited for, what is promised before, and what is never charged."""

import dataclasses
import datetime
import hmac
import uuid
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from charging.sessions.rules import delivered_nothing
from charging.tariffs.rules import LoadPoint, PriceList, SessionFigures, price_session
from charging.tariffs.states import ComponentKind
from mobility.core.money import PriceLine, total_cents

# Long enough to walk to the car and plug in; chargers give up after one to two minutes.
START_PATIENCE = datetime.timedelta(seconds=180)
STOP_PATIENCE = datetime.timedelta(seconds=120)
# A start whose process died before it could ask the charger is called off after this.
UNASKED_PATIENCE = datetime.timedelta(seconds=45)
# Banks ask people to confirm a payment, who then have to find their telephone.
ACTION_PATIENCE = datetime.timedelta(minutes=5)
COMMAND_TTL_S = 30

NORMAL_PREAUTH_CENTS = 2000
FAST_PREAUTH_CENTS = 4000
# Below it a card payment costs more than it brings; above it nobody charges a car.
LEAST_LIMIT_CENTS = 100
MOST_LIMIT_CENTS = 15_000
# A stop is asked for so long before the limit: the sweep's pause, the command's way, and the
# charger's own time to open its contactors. What flows in it is the physics nobody can call off.
LIMIT_LOOK_AHEAD = datetime.timedelta(seconds=45)
# No energy for so long: the car does not want any or the charger has none, and neither shall cost.
NO_ENERGY_PATIENCE = datetime.timedelta(minutes=20)
# Pauses before a charger that did not stop is asked again; the last one repeats.
STOP_AGAIN_S = (15, 30, 60, 120, 300)

# European rule for charging prices: energy first, then time, then what is paid once (AFIR art. 5).
SHOWN_FIRST = (ComponentKind.ENERGY, ComponentKind.TIME, ComponentKind.FLAT, ComponentKind.IDLE)

# An address is kept for questions about the receipt that went there; a start that failed leaves
# a person behind of whom nobody will ever ask.
GUEST_KEPT = datetime.timedelta(days=30)
STRAY_GUEST_KEPT = datetime.timedelta(days=1)

KEEP_MINUTES = 15
MOST_KEEP_MINUTES = 30
# Who let a kept connector lapse does not keep the same one at once again.
KEEP_AGAIN_AFTER = datetime.timedelta(minutes=30)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LiveFigures:
    """What a charger last said of a session; instants aware, energy in Wh, power in W."""

    started_at: datetime.datetime
    heard_at: datetime.datetime
    energy_wh: int
    power_w: int
    charged_until: datetime.datetime | None
    ended_at: datetime.datetime | None = None


def preauth_cents(*, fast: bool, limit_cents: int | None = None) -> int:
    """What is promised on the card before a charge, in cents: the person's own limit, or ours."""
    if limit_cents is not None:
        return limit_cents
    return FAST_PREAUTH_CENTS if fast else NORMAL_PREAUTH_CENTS


def app_token_uid(*, user_public_id: uuid.UUID, secret: str) -> str:
    """A person's token at chargers: always the same, 20 characters (OCPP 1.6), saying nothing.

    Keyed with the installation's `secret`: who learns a person's id must not be able to charge as them.
    """
    digest = hmac.new(secret.encode(), b"app-token:" + user_public_id.bytes, "sha256").hexdigest()
    return f"APP{digest[:17].upper()}"


def live_cost_cents(*, prices: PriceList, figures: LiveFigures, at: datetime.datetime) -> int:
    """Cents a session has come to by what its charger reported; nothing while nothing flowed.

    Energy is taken to have flowed evenly until it was last heard of; where a tariff asks when it
    flowed, the final price, which knows, can differ.
    """
    if delivered_nothing(figures.energy_wh):
        return 0
    heard = LoadPoint(at=figures.heard_at, energy_wh=figures.energy_wh)
    return total_cents(
        price_session(
            prices=prices,
            figures=SessionFigures(
                started_at=figures.started_at,
                ended_at=max(figures.ended_at or at, figures.started_at),
                energy_wh=figures.energy_wh,
                charging_ended_at=figures.charged_until,
                points=[heard],
            ),
        )
    )


def average_w(*, energy_wh: int, seconds: float) -> int:
    """The power at which `energy_wh` flowed in `seconds`, in W; 0 where no time has passed."""
    return int(energy_wh * 3600 / seconds) if seconds > 0 else 0


def cost_ahead_cents(
    *,
    prices: PriceList,
    figures: LiveFigures,
    at: datetime.datetime,
    ahead: datetime.timedelta = LIMIT_LOOK_AHEAD,
) -> int:
    """What the session will have cost `ahead` from now if its power stays as last reported."""
    then = at + ahead
    unheard_s = max((then - figures.heard_at).total_seconds(), 0)
    flowing = Decimal(max(figures.power_w, 0)) * Decimal(unheard_s) / 3600
    likely = dataclasses.replace(
        figures,
        energy_wh=figures.energy_wh + int(flowing),
        heard_at=then if flowing else figures.heard_at,
        charged_until=then if figures.power_w > 0 else figures.charged_until,
    )
    return live_cost_cents(prices=prices, figures=likely, at=then)


def lines_due(
    lines: Sequence[PriceLine], *, most_cents: int | None, charger_failed: bool
) -> tuple[PriceLine, ...]:
    """What a person is charged of a session's price.

    1. A charger that failed is nobody's fault who stood there: no idle fee.
    2. Never more than `most_cents` (the limit, or the cost at a stop that the charger refused);
       what goes beyond is taken off again, per VAT rate in proportion.
    """
    kept = [line for line in lines if not (charger_failed and line.kind == ComponentKind.IDLE)]
    over = 0 if most_cents is None else total_cents(kept) - most_cents
    return tuple(kept) if over <= 0 else (*kept, *_taken_off(kept, over))


def _taken_off(lines: Sequence[PriceLine], over: int) -> list[PriceLine]:
    """Negative lines that together take `over` cents off, never more than stands under a rate."""
    gross: defaultdict[Decimal, int] = defaultdict(int)
    for line in lines:
        gross[line.vat_rate] += line.cents
    total, before, off = sum(gross.values()), 0, []
    for rate, cents in sorted(gross.items()):
        # Shares of running totals: each is its own proportion to the cent, and they add up.
        share = over * (before + cents) // total - over * before // total
        before += cents
        if share:
            off.append(PriceLine("limit", Decimal(1), "session", -share, rate))
    return off


def stop_again_after(tries: int) -> datetime.timedelta:
    """How long to wait before the charger is asked once more, after `tries` in vain."""
    return datetime.timedelta(seconds=STOP_AGAIN_S[min(tries, len(STOP_AGAIN_S)) - 1])
