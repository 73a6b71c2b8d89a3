"""The numbers of one tariff version, frozen into every quote given under it."""

import dataclasses
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self

from bookings.pricing.rules.blocks import block_cents, steps_cents
from bookings.pricing.rules.terms import PART_READERS, Block, Package, Step, Window, ZoneFee


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fare:
    """All that a price rests on, in gross cents. What is new gets a default: old quotes stay readable."""

    version: str
    currency: str
    vat_rate: Decimal
    unlock_cents: int
    minute_cents: int
    pause_minute_cents: int
    hold_free_minutes: int
    hold_minute_cents: int
    hold_max_minutes: int
    # The tariff of the version; 0 in quotes older than the field.
    tariff_id: int = 0
    # One extension of a reservation, and how long it may get in all; 0: none is offered.
    hold_extend_minutes: int = 0
    hold_longest_minutes: int = 0
    km_cents: int = 0
    free_km: int = 0
    blocks: tuple[Block, ...] = ()
    steps: tuple[Step, ...] = ()
    packages: tuple[Package, ...] = ()
    windows: tuple[Window, ...] = ()
    zone_fees: tuple[ZoneFee, ...] = ()
    day_cap_cents: int | None = None
    trip_cap_cents: int | None = None
    # What all rides of one person under this tariff cost at most within 24 hours.
    person_day_cap_cents: int | None = None
    # Off for people whose right to it is verified.
    discount_pct: int = 0
    preauth_cents: int = 0
    grace_s: int = 0
    no_show_cents: int = 0
    late_cancel_cents: int = 0
    free_cancel_before_h: int = 0
    overstay_cents: int = 0

    def as_json(self) -> dict[str, Any]:
        """The fare as plain JSON values; what nobody set is left out."""
        values: dict[str, Any] = {}
        for field in _FIELDS:
            value = getattr(self, field.name)
            if value == field.default:
                continue
            values[field.name] = (
                [_row(part) for part in value] if field.name in PART_READERS else value
            )
        values["vat_rate"] = str(self.vat_rate)
        return values

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The fare that `as_json` wrote, today or under an earlier release."""
        values = {name: value for name, value in data.items() if name in _NAMES}
        for name, read in PART_READERS.items():
            values[name] = read(values.get(name, ()))
        return cls(**{**values, "vat_rate": Decimal(data["vat_rate"])})

    @property
    def hour_cents(self) -> int:
        """What one hour of riding costs at most, without the unlocking."""
        if self.steps:
            return steps_cents(minutes=60, steps=self.steps)
        return block_cents(minutes=60, minute_cents=self.dearest_minute_cents, blocks=self.blocks)

    @property
    def dearest_minute_cents(self) -> int:
        """A minute of riding at the dearest hour of the week."""
        asked = [one.minute_cents for one in self.windows if one.minute_cents is not None]
        return max(self.minute_cents, *asked) if asked else self.minute_cents

    def at_its_dearest(self) -> "Fare":
        """The fare as it is at its dearest hour: an estimate for a ride whose time nobody knows."""
        if not self.windows:
            return self
        unlocks = [one.unlock_cents for one in self.windows if one.unlock_cents is not None]
        return dataclasses.replace(
            self,
            minute_cents=self.dearest_minute_cents,
            unlock_cents=max(self.unlock_cents, *unlocks) if unlocks else self.unlock_cents,
            windows=(),
        )


# Looked up for each ride again and again.
_FIELDS = dataclasses.fields(Fare)
_NAMES = frozenset(field.name for field in _FIELDS)


def _row(part: Any) -> dict[str, Any]:
    row = dataclasses.asdict(part)
    plain = {
        name: list(value) if isinstance(value, tuple) else value for name, value in row.items()
    }
    return {name: value for name, value in plain.items() if value not in (None, "", [])}
