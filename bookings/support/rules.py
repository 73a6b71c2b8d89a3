"""How soon a case is answered, and how long it may be opened again."""

import datetime
from collections.abc import Mapping

from bookings.support.states import CaseKind

HOUR = datetime.timedelta(hours=1)

# Elapsed time, shown to the person when they tell us: who stands in the street comes first.
ANSWER_WITHIN: Mapping[str, datetime.timedelta] = {
    CaseKind.CANNOT_END: HOUR,
    CaseKind.CANNOT_START: 4 * HOUR,
    CaseKind.CHARGER: 8 * HOUR,
    CaseKind.VEHICLE: 24 * HOUR,
    CaseKind.NOT_MINE: 24 * HOUR,
    CaseKind.LOST_ITEM: 24 * HOUR,
    CaseKind.PRICE: 48 * HOUR,
    CaseKind.PAYMENT: 48 * HOUR,
    CaseKind.OTHER: 72 * HOUR,
}
# The same problem told again so soon is a second tap, or a word that was forgotten.
SAME_WITHIN = datetime.timedelta(minutes=30)
REOPEN_WITHIN = datetime.timedelta(days=14)
MOST_UNDERWAY = 10


def due_at(*, kind: str, at: datetime.datetime) -> datetime.datetime:
    """By when staff answer a case of this kind that is told, or taken up again, at `at`."""
    return at + ANSWER_WITHIN[kind]
