"""Writing people, organisations, roles and tokens."""

import datetime

from django.contrib.auth import authenticate
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from mobility.accounts import second_factor
from mobility.accounts.models import ApiToken, Membership, Organisation, User
from mobility.accounts.states import OrganisationKind, Role
from mobility.core import audit, ids
from mobility.core.errors import DomainError, NotFound
from mobility.core.principals import Principal

TOKEN_PREFIX = "usr_"  # noqa: S105 - a public prefix, not a secret


class SignInRefused(DomainError):
    """E-mail and password do not belong together, or the account is closed."""

    code = "sign_in_refused"
    status = 401
    message = _("This e-mail address and password do not match.")


class NoSuchPerson(NotFound):
    """Nobody has this e-mail address."""

    code = "no_such_person"
    message = _("There is no account with the address %(email)s.")


@transaction.atomic
def issue_token(
    *,
    user: User,
    label: str,
    at: datetime.datetime,
    by: Principal,
    lifetime: datetime.timedelta | None = None,
) -> tuple[ApiToken, str]:
    """Give a program a key to act as `user`; the secret is returned once and kept only as a hash."""
    secret = TOKEN_PREFIX + ids.secret()
    token = ApiToken.objects.create(
        user=user,
        label=label,
        secret_hash=ids.hash_secret(secret),
        created_at=at,
        expires_at=at + lifetime if lifetime else None,
    )
    audit.record(by=by, action="issue_token", row=token, at=at, changes={"label": label})
    return token, secret


def sign_in(
    *, email: str, password: str, at: datetime.datetime, code: str = ""
) -> tuple[ApiToken, str]:
    """A token of 30 days for who knows the password and shows the second factor that is wanted.

    Raises `SignInRefused`, which says no more than that, or `SecondFactorNeeded`.
    """
    user = authenticate(email=email.strip().lower(), password=password)
    if not isinstance(user, User):
        raise SignInRefused
    if not second_factor.is_enough(user=user, code=code):
        raise second_factor.SecondFactorNeeded
    return issue_token(
        user=user, label="sign-in", at=at, by=user.principal, lifetime=datetime.timedelta(days=30)
    )


@transaction.atomic
def revoke_token(*, token: ApiToken, at: datetime.datetime, by: Principal) -> None:
    """Close the door that `token` opens; doing it again changes nothing."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=at):
        audit.record(by=by, action="revoke_token", row=token, at=at)


@transaction.atomic
def ensure_organisation(
    *,
    slug: str,
    name: dict[str, str],
    kind: OrganisationKind,
    legal_name: str = "",
    vat_number: str = "",
    address: str = "",
) -> Organisation:
    """The organisation `slug`, created or brought up to date."""
    organisation, _created = Organisation.objects.update_or_create(
        slug=slug,
        defaults={
            "name": name,
            "kind": kind,
            "legal_name": legal_name,
            "vat_number": vat_number,
            "address": address,
        },
    )
    return organisation


@transaction.atomic
def grant_role(
    *, user: User, organisation: Organisation, role: Role, at: datetime.datetime, by: Principal
) -> None:
    """Make `user` a `role` of `organisation`; doing it again changes nothing."""
    membership, created = Membership.objects.get_or_create(
        user=user, organisation=organisation, role=role
    )
    if created:
        audit.record(by=by, action="grant_role", row=membership, at=at, changes={"role": role})
    user.__dict__.pop("roles_by_organisation", None)
