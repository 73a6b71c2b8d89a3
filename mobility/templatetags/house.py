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
    return "" if cents is None else format_money(cents, currency)


@register.filter
def named(words: Mapping[str, Any] | None) -> str:
    """A name of data in the reader's language."""
    return pick(words)
