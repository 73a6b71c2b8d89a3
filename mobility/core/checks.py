"""What `check` says about limits, so that a typing error stops the start and not the first caller."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from mobility.core.limits import rate_of


@register
def limits_are_readable(**_scope: Any) -> Sequence[CheckMessage]:
    """Every `RATE_LIMIT_*` is one or two rates like 10/min; every door with a limit has one."""
    found: list[CheckMessage] = []
    for scope, figures in settings.RATE_LIMITS.items():
        name = f"RATE_LIMIT_{scope.replace('-', '_').upper()}"
        problem = _fault(figures)
        if problem:
            found.append(
                Error(
                    f"{name} cannot be read: {problem}",
                    hint="One figure counts persons, two count persons and addresses: 10/min,60/min",
                    id="core.E001",
                )
            )
    unknown = sorted(set(settings.RATE_LIMITED.values()) - set(settings.RATE_LIMITS))
    if unknown:
        found.append(Error(f"Doors without a limit: {', '.join(unknown)}", id="core.E002"))
    return found


def _fault(figures: Sequence[str]) -> str:
    if not 1 <= len(figures) <= 2:
        return f"it has {len(figures)} figures"
    try:
        for words in figures:
            rate_of(words)
    except ValueError as problem:
        return str(problem)
    return ""
