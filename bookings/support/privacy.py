"""What support keeps about a person, and how it goes."""

import datetime
from typing import Any

from bookings.support.models import CaseMessage, SupportCase
from mobility.accounts import privacy
from mobility.accounts.models import User
from mobility.core.principals import Principal


def export(*, user: User) -> list[dict[str, Any]]:
    """Every case with what was said in it."""
    cases = SupportCase.objects.filter(user=user).prefetch_related("messages").order_by("pk")
    return [
        {
            "case_number": case.case_number,
            "kind": case.kind,
            "state": case.state,
            "opened_at": case.opened_at,
            "resolved_at": case.resolved_at,
            "messages": [
                {"at": said.at, "from_staff": said.from_staff, "text": said.text}
                for said in case.messages.all()
            ],
        }
        for case in cases
    ]


def erase(*, user: User, nobody: User, at: datetime.datetime, by: Principal) -> None:
    """That there was a case stays; what was said in it, and by whom, does not."""
    CaseMessage.objects.filter(case__user=user).update(text="", photos=[], by=by)
    SupportCase.objects.filter(user=user).update(user=nobody)


privacy.register("support", export=export, erase=erase)
