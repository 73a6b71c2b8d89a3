"""Pure rules of charging prices: what a tariff says, and what a session costs by it."""

from charging.tariffs.rules.components import (
    HOME_ZONE,
    ITALIAN_VAT,
    UNITS,
    BadComponent,
    PriceComponent,
    PriceList,
    check_limits,
    read_components,
    read_prices,
)
from charging.tariffs.rules.examples import EXAMPLES, Example, ExampleBill, example_bills
from charging.tariffs.rules.pricing import (
    MAXIMUM,
    MINIMUM,
    price_periods,
    price_session,
    price_summary,
)
from charging.tariffs.rules.restrictions import DAYS, BadRestriction, Restrictions
from charging.tariffs.rules.timeline import LoadPoint, SessionFigures
from charging.tariffs.rules.words import SHOWN_FIRST, component_words, price_words, when_words

__all__ = [
    "DAYS",
    "EXAMPLES",
    "HOME_ZONE",
    "ITALIAN_VAT",
    "MAXIMUM",
    "MINIMUM",
    "SHOWN_FIRST",
    "UNITS",
    "BadComponent",
    "BadRestriction",
    "Example",
    "ExampleBill",
    "LoadPoint",
    "PriceComponent",
    "PriceList",
    "Restrictions",
    "SessionFigures",
    "check_limits",
    "component_words",
    "example_bills",
    "price_periods",
    "price_session",
    "price_summary",
    "price_words",
    "read_components",
    "read_prices",
    "when_words",
]
