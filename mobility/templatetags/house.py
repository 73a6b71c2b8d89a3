"""How templates write money and names of data."""

from collections.abc import Mapping
from typing import Any

from django import template

from mobility.core.money import EUR, format_money
from mobility.core.texts import pick

register = template.Library()


@register.filter
def money(cents: int | None, currency: str = EUR) -> str:
    """Cents as a person reads them; nothing for no amount."""
    if cents is None:
        return ""
    # The sign stands before the currency, in every language.
    return f"\u2212{format_money(-cents, currency)}" if cents < 0 else format_money(cents, currency)


@register.filter
def named(words: Mapping[str, Any] | None) -> str:
    """A name of data in the reader's language."""
    return pick(words)
