"""Mending what stations of known makes get wrong, as far as their leniency profile forgives it.

A refused payload is mended error by error, guided by what the schema says was wrong, and then has
to pass the schema like any other. What nobody forgives stays refused. The two quirks of meaning
(energy in the wrong unit) cannot be seen by a schema and are applied wherever they are forgiven.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from charging.frames.states import Quirk
from charging.ocpp.rpc.frames import Payload

_ROUNDS: Final = 12
"""Mending one error may uncover the next; a payload wrong in more ways than this stays wrong."""

# Nothing is looked at twice: a frame of quotes and commas must not hold up all other stations.
_STRAY: Final = re.compile(
    rb'("(?:[^"\\]|\\.)*+"?+)|([\[{])[\s,]*+|,[\s,]*+([\]}])?+',
    re.DOTALL,
)
_SHORT_OFFSET: Final = re.compile(r"[+-]\d\d(?::?\d\d)?$")
_ENERGY: Final = "Energy."
_REGISTER: Final = "Energy.Active.Import.Register"


@dataclass(slots=True)
class Mending:
    """A payload on its way to being valid, and what was forgiven for it, each with one example."""

    payload: Payload
    forgiven: Collection[str]
    used: dict[Quirk, str] = field(default_factory=dict)

    def may(self, quirk: Quirk, path: list[Any]) -> bool:
        """Whether the profile forgives it; noted as used, with the place where."""
        if quirk not in self.forgiven:
            return False
        self.used.setdefault(quirk, ".".join(str(part) for part in path)[:120])
        return True


def mend(
    payload: Payload,
    *,
    forgiven: Collection[str],
    errors: Callable[[Payload], Iterator[Any]],
) -> Mending | None:
    """A valid version of ``payload`` with what it took, or None where that takes too much."""
    mending = Mending(deepcopy(payload), forgiven)
    for _ in range(_ROUNDS):
        error = next(iter(errors(mending.payload)), None)
        if error is None:
            return mending
        if not _mend_one(mending, error):
            return None
    return None


def without_stray_commas(raw: bytes) -> bytes:
    """JSON text without commas after an opening and before a closing bracket, or doubled."""
    return _STRAY.sub(lambda found: found[1] or found[2] or found[3] or b",", raw)


def energy_meant(payload: Payload, *, quirk: Quirk) -> Payload:
    """A payload whose energies are what the station meant; the original is left as it came."""
    meant = deepcopy(payload)
    if quirk is Quirk.KWH_AS_WH:
        for name in ("meterStart", "meterStop"):
            if name in meant:
                meant[name] *= 1000
    for sample in _samples(meant):
        if sample.get("measurand", _REGISTER).startswith(_ENERGY):
            _say_unit(sample, quirk=quirk)
    return meant


def _samples(payload: Payload) -> Iterator[dict[str, Any]]:
    for name in ("meterValue", "transactionData"):
        for element in payload.get(name, ()):
            for sample in element["sampledValue"]:
                if sample.get("format") != "SignedData":
                    yield sample


def _say_unit(sample: dict[str, Any], *, quirk: Quirk) -> None:
    """Both versions: 1.6 has `unit`, 2.x has `unitOfMeasure.unit`."""
    is_16 = isinstance(sample["value"], str)
    place = sample if is_16 else sample.setdefault("unitOfMeasure", {})
    said, meant = ("Wh", "kWh") if quirk is Quirk.KWH_AS_WH else ("kWh", "Wh")
    if place.get("unit", "Wh") == said:
        place["unit"] = meant


def _mend_one(mending: Mending, error: Any) -> bool:
    path = list(error.instance_path)
    remedy = _REMEDIES.get(error.kind.name)
    return remedy is not None and remedy(mending, error, path)


def _parent(mending: Mending, path: list[Any]) -> Any:
    node: Any = mending.payload
    for part in path[:-1]:
        node = node[part]
    return node


def _put(mending: Mending, path: list[Any], value: Any) -> bool:
    if not path:
        return False
    _parent(mending, path)[path[-1]] = value
    return True


def _drop(mending: Mending, path: list[Any]) -> bool:
    """Leave a field out; were it required, the next look at the schema says so."""
    parent = _parent(mending, path) if path else None
    if not isinstance(parent, dict):
        return False
    del parent[path[-1]]
    return True


def _mend_enum(mending: Mending, error: Any, path: list[Any]) -> bool:
    said = error.instance
    if said is None:
        return mending.may(Quirk.NULL_FIELD, path) and _drop(mending, path)
    known = {_folded(option): option for option in error.kind.options}
    meant = known.get(_folded(said))
    if meant is not None:
        return mending.may(Quirk.ENUM_CASE, path) and _put(mending, path, meant)
    if not mending.may(Quirk.UNKNOWN_WORD, path):
        return False
    if "OtherError" in error.kind.options:
        return _put(mending, path, "OtherError")
    return _drop(mending, path)


def _folded(word: object) -> str:
    return "".join(sign for sign in str(word).casefold() if sign.isalnum())


def _mend_type(mending: Mending, error: Any, path: list[Any]) -> bool:
    value, wanted = error.instance, set(error.kind.types)
    if value is None:
        return mending.may(Quirk.NULL_FIELD, path) and _drop(mending, path)
    if "array" in wanted and isinstance(value, dict):
        return mending.may(Quirk.OBJECT_FOR_LIST, path) and _put(mending, path, [value])
    if wanted & {"integer", "number"} and isinstance(value, str):
        number = _number(value, whole="number" not in wanted)
        if number is None or not mending.may(Quirk.NUMBER_AS_TEXT, path):
            return False
        return _put(mending, path, number)
    if "string" in wanted and isinstance(value, int | float) and not isinstance(value, bool):
        return mending.may(Quirk.TEXT_AS_NUMBER, path) and _put(mending, path, str(value))
    return False


def _number(text: str, *, whole: bool) -> float | int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    if whole:
        return int(value) if value.is_integer() else None
    return value if abs(value) < float("inf") else None


def _mend_time(mending: Mending, error: Any, path: list[Any]) -> bool:
    if error.kind.format != "date-time" or not isinstance(error.instance, str):
        return False
    if not mending.may(Quirk.LOOSE_TIME, path):
        return False
    meant = _time(error.instance)
    # What did not help once will not help again.
    return meant != error.instance and _put(mending, path, meant)


def _time(text: str) -> str:
    """`2026-05-01 10:00` → `2026-05-01T10:00:00Z`; a time without zone is taken as UTC."""
    text = text.strip().replace(" ", "T", 1)
    found = _SHORT_OFFSET.search(text, 11)
    clock, offset = (text[: found.start()], found[0]) if found else (text.rstrip("Zz"), "Z")
    if clock.count(":") == 1:
        clock += ":00"
    digits = offset[1:].replace(":", "")
    if digits:
        offset = f"{offset[0]}{digits[:2]}:{digits[2:] or '00'}"
    return clock + offset


def _mend_extra(mending: Mending, error: Any, path: list[Any]) -> bool:
    if not mending.may(Quirk.EXTRA_FIELD, [*path, *error.kind.unexpected]):
        return False
    return all(_drop(mending, [*path, name]) for name in error.kind.unexpected)


def _mend_empty(mending: Mending, error: Any, path: list[Any]) -> bool:
    """An empty list of values says nothing: the element around it goes, or the list itself."""
    if not mending.may(Quirk.EMPTY_LIST, path):
        return False
    if len(path) >= 2 and isinstance(path[-2], int):
        del _parent(mending, path[:-1])[path[-2]]
        return True
    return _drop(mending, path)


def _mend_length(mending: Mending, error: Any, path: list[Any]) -> bool:
    if not mending.may(Quirk.TOO_LONG, path):
        return False
    return _put(mending, path, error.instance[: error.kind.limit])


_REMEDIES: Final[dict[str, Callable[[Mending, Any, list[Any]], bool]]] = {
    "enum": _mend_enum,
    "type": _mend_type,
    "format": _mend_time,
    "additionalProperties": _mend_extra,
    "minItems": _mend_empty,
    "maxLength": _mend_length,
}
