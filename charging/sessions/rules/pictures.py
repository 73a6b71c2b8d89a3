"""Pure rules of meter values: one instant's samples folded into what we keep of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from charging.sessions.facts import Sample

# No meter of a charging station counts further; more is a fault or an attack.
MAX_REGISTER_WH: Final = 10**12
_MAX_POWER_W: Final = 10_000_000
_MAX_CURRENT_MA: Final = 10_000_000

_REGISTER: Final = "Energy.Active.Import.Register"
_INTERVAL: Final = "Energy.Active.Import.Interval"
_POWER: Final = "Power.Active.Import"
_CURRENT: Final = "Current.Import"
_VOLTAGE: Final = "Voltage"
_SCALE: Final = {"": 1.0, "Wh": 1.0, "kWh": 1000.0, "W": 1.0, "kW": 1000.0}
_MILLI: Final = {"": 1000.0, "A": 1000.0, "V": 1000.0}
_CONTEXT_ORDER: Final = {"Transaction.Begin": 0, "Transaction.End": 2}
_PHASES: Final = ("L1", "L2", "L3")
# What is kept by phase, under which name, in which unit.
_BY_PHASE: Final = {
    _REGISTER: ("register_wh", _SCALE),
    _POWER: ("power_w", _SCALE),
    _CURRENT: ("current_ma", _MILLI),
    _VOLTAGE: ("voltage_mv", _MILLI),
}


@dataclass(frozen=True, slots=True)
class MeterPicture:
    """One instant's values in Wh, W, mA and %, each None where the station did not say.

    `phases` holds what it said by phase: `{"L1": {"power_w": 2300, "current_ma": 10000}}`.
    """

    register_wh: int | None = None
    power_w: int | None = None
    soc_pct: int | None = None
    context: str = ""
    suspect: bool = False
    interval_wh: int | None = None
    current_ma: int | None = None
    phases: dict[str, dict[str, int]] = field(default_factory=dict)


def meter_picture(samples: Iterable[Sample]) -> MeterPicture:
    """Fold one instant's samples into register, interval, power, current and battery level.

    1. Energy is the import register at the outlet, kWh scaled to Wh; a value without phase wins
       over the sum of the phases; at the end of a transaction the End value wins over others.
    2. Interval energy, power and current likewise; current is the sum over the phases.
    3. What no meter can show (negative, not finite, beyond 10^12 Wh) is left out and makes the
       picture suspect.
    """
    chosen = list(samples)
    energy = _of(chosen, _REGISTER, _billed)
    power = _of(chosen, _POWER, _billed)
    battery = _of(chosen, "SoC", lambda _sample: True)
    context = _leading_context(energy or power or battery)
    figures = _Figures()
    return MeterPicture(
        register_wh=figures.take(
            _combined([s for s in energy if s.context == context]), MAX_REGISTER_WH
        ),
        power_w=figures.take(_combined(power), _MAX_POWER_W),
        soc_pct=figures.take(_combined(battery[:1]), 100),
        interval_wh=figures.take(_combined(_of(chosen, _INTERVAL, _billed)), MAX_REGISTER_WH),
        current_ma=figures.take(
            _combined(_of(chosen, _CURRENT, _at_outlet), scale=_MILLI), _MAX_CURRENT_MA
        ),
        phases=_by_phase(chosen) if any(s.phase for s in chosen) else {},
        context=context[:24],
        suspect=figures.odd,
    )


class _Figures:
    """Takes what a meter can show, and remembers whether it showed anything else."""

    def __init__(self) -> None:
        self.odd = False

    def take(self, value: float | None, limit: float) -> int | None:
        if value is None:
            return None
        if not math.isfinite(value) or not 0 <= value <= limit:
            self.odd = True
            return None
        return round(value)


def _of(
    samples: Sequence[Sample], measurand: str, counts: Callable[[Sample], bool]
) -> list[Sample]:
    return [s for s in samples if s.measurand == measurand and counts(s)]


def _by_phase(samples: Sequence[Sample]) -> dict[str, dict[str, int]]:
    """Values that name one phase, in our units; what no meter can show is left out."""
    found: dict[str, dict[str, int]] = {}
    for sample in samples:
        phase = sample.phase[:2]
        if phase not in _PHASES or sample.measurand not in _BY_PHASE or not _at_outlet(sample):
            continue
        name, scale = _BY_PHASE[sample.measurand]
        value = _scaled(sample, scale)
        if sample.value is not None and math.isfinite(value) and 0 <= value <= MAX_REGISTER_WH:
            found.setdefault(phase, {})[name] = round(value)
    return found


def _at_outlet(sample: Sample) -> bool:
    return sample.location in {"", "Outlet"}


def _billed(sample: Sample) -> bool:
    return _at_outlet(sample) and sample.unit in _SCALE


def _leading_context(samples: Sequence[Sample]) -> str:
    if not samples:
        return ""
    return max((s.context for s in samples), key=lambda context: _CONTEXT_ORDER.get(context, 1))


def _combined(samples: Sequence[Sample], *, scale: dict[str, float] = _SCALE) -> float | None:
    """The value without phase if there is one, else the sum over the phases."""
    whole = [s for s in samples if not s.phase and s.value is not None]
    if whole:
        return _scaled(whole[-1], scale)
    phases = {s.phase: _scaled(s, scale) for s in samples if s.value is not None}
    lines = {phase: value for phase, value in phases.items() if phase[:2] in _PHASES}
    return sum(lines.values()) if lines else None


def _scaled(sample: Sample, scale: dict[str, float]) -> float:
    # A wire may carry any multiplier; beyond these no unit of the trade lies.
    power = min(max(sample.multiplier, -9), 9)
    return (sample.value or 0.0) * scale.get(sample.unit, 1.0) * 10.0**power
