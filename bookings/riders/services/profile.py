"""A rider's own particulars.

DomainError
├── Conflict  BirthDateVerified       a verified document says it already
├── Invalid   BirthDateImplausible
└── Invalid   ConsentNeeded           reduced mobility is a fact of health
"""

import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.riders.models import RiderProfile
from bookings.riders.queries import verified_document
from bookings.riders.rules import age_on
from bookings.riders.states import PaperKind
from mobility.accounts.consents import CONSENT_VERSION, has_consented, withdraw_consent
from mobility.accounts.models import User
from mobility.accounts.states import ConsentTopic
from mobility.core import audit, clock
from mobility.core.errors import Conflict, Invalid
from mobility.core.principals import Principal


class BirthDateVerified(Conflict):
    """It was compared with a document; a change needs a new document."""

    code = "birth_date_verified"
    message = _("Your date of birth has been verified. Write to support to correct it.")


class BirthDateImplausible(Invalid):
    """In the future, or too long ago."""

    code = "birth_date_implausible"
    message = _("This cannot be your date of birth.")


class ConsentNeeded(Invalid):
    """The person must agree to us keeping this; `extra` names topic and version of the text."""

    code = "consent_needed"
    message = _("Agree first that we keep this; you can withdraw at any time.")


@transaction.atomic
def update_profile(
    *, user: User, changes: dict[str, Any], at: datetime.datetime, by: Principal
) -> RiderProfile:
    """Write what the person tells of themselves: `birth_date`, `phone`, `reduced_mobility`.

    The trail keeps which fields changed, not what they say. Raises `BirthDateVerified`,
    `BirthDateImplausible`, `ConsentNeeded`.
    """
    RiderProfile.objects.get_or_create(user=user, defaults={"updated_at": at})
    profile = RiderProfile.objects.select_for_update().get(user=user)
    changed = {name for name, value in changes.items() if getattr(profile, name) != value}
    if "birth_date" in changed:
        _judge_birth_date(user, changes["birth_date"], day=clock.service_day(at))
    if changes.get("reduced_mobility") and "reduced_mobility" in changed:
        _require_consent(user)
    if not changed:
        return profile
    for name in changed:
        setattr(profile, name, changes[name])
    profile.updated_at = at
    profile.save()
    audit.record(
        by=by, action="update_profile", row=profile, at=at, changes={"fields": sorted(changed)}
    )
    if "reduced_mobility" in changed and not profile.reduced_mobility:
        withdraw_consent(user=user, topic=ConsentTopic.REDUCED_MOBILITY, at=at)
    return profile


def forget_mobility(*, principal: str, at: datetime.datetime) -> None:
    """Let go what the person told about their mobility, as they withdrew the consent to keep it."""
    rows = RiderProfile.objects.filter(user__public_id=principal.removeprefix("user:"))
    rows.filter(reduced_mobility=True).update(reduced_mobility=False, updated_at=at)


def _judge_birth_date(user: User, birth_date: datetime.date | None, *, day: datetime.date) -> None:
    if verified_document(user_id=user.pk, kind=PaperKind.IDENTITY) is not None:
        raise BirthDateVerified
    if birth_date is not None and not 10 <= age_on(birth_date, day) <= 120:
        raise BirthDateImplausible


def _require_consent(user: User) -> None:
    topic = ConsentTopic.REDUCED_MOBILITY
    if not has_consented(user_id=user.pk, topic=topic):
        raise ConsentNeeded(extra={"topic": topic.value, "version": CONSENT_VERSION})
