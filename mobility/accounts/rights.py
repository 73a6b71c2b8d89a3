"""A person's rights over their data: a copy of it (GDPR articles 15 and 20), and its erasure (article 17).

DomainError
├── Forbidden  ConfirmationNeeded   neither the password nor a fresh log-in
└── Conflict   ErasureRefused       something is under way or unpaid; `extra` says what
"""

import datetime
import json
import tempfile
import zipfile
from typing import Any, BinaryIO, cast

from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from mobility.accounts import privacy
from mobility.accounts.events import PersonErased
from mobility.accounts.mail import write_to
from mobility.accounts.models import ApiToken, PrivacyRequest, User
from mobility.accounts.states import PrivacyKind, PrivacyState
from mobility.core import audit, files, jobs, outbox
from mobility.core.errors import Conflict, Forbidden
from mobility.core.files.rules import EXTENSIONS
from mobility.core.models import AuditEntry
from mobility.core.principals import Principal, system_principal
from mobility.core.transitions import move

ARCHIVIST = system_principal("privacy")
KEEP_ARCHIVE = datetime.timedelta(days=7)
FRESH = datetime.timedelta(minutes=15)
ASK_AGAIN = datetime.timedelta(minutes=5)
# Rows of the log-in library that hold addresses or keys, and what staff kept for themselves alone.
LOG_IN_ROWS = (
    "account.EmailAddress", "mfa.Authenticator", "socialaccount.SocialAccount",
    "admin.LogEntry", "mobility.SavedView",
)  # fmt: skip

files.register(privacy.ARCHIVE, may_read=lambda _user, _file: False, keep=KEEP_ARCHIVE, once=True)


class ConfirmationNeeded(Forbidden):
    """What cannot be undone wants the password, or a log-in of the last minutes."""

    code = "confirmation_needed"
    message = _("Confirm with your password, or sign in again and repeat this within 15 minutes.")


class ErasureRefused(Conflict):
    """Something must be finished first."""

    code = "erasure_refused"
    message = _("Your account cannot be erased yet. See what must be finished first.")


def ask_for_archive(*, user: User, at: datetime.datetime) -> PrivacyRequest:
    """Have a copy of everything made; asking again before it is there is asking once."""
    open_requests = PrivacyRequest.objects.unfinished().filter(user=user, kind=PrivacyKind.EXPORT)
    try:
        with transaction.atomic():
            request = PrivacyRequest.objects.create(user=user, kind=PrivacyKind.EXPORT, asked_at=at)
            audit.record(by=user.principal, action="ask_for_archive", row=request, at=at)
            jobs.enqueue("mobility.accounts.build_archive", request_id=request.pk)
    except IntegrityError:
        return open_requests.get()
    return request


def build_archive(*, request_id: int, at: datetime.datetime) -> None:
    """Make the archive a person asked for and tell them: one JSON file per room, and their files.

    It can be downloaded once, for seven days. A request that is answered already is left alone.
    """
    with transaction.atomic():
        # Whoever comes second finds the row taken, or answered.
        locked = PrivacyRequest.objects.select_for_update(skip_locked=True)
        request = locked.unfinished().filter(pk=request_id).select_related("user").first()
        if request is None:
            return
        with tempfile.TemporaryFile() as content:
            _write_archive(cast("BinaryIO", content), user=request.user, at=at)
            content.seek(0)
            request.file = files.store_file(
                content=cast("BinaryIO", content),
                content_type="application/zip",
                purpose=privacy.ARCHIVE,
                owner=request.user.principal,
                at=at,
            )
        move(request, to=PrivacyState.DONE, at=at, by=ARCHIVIST, done_at=at, file=request.file)
        _tell_ready(request.user)


def build_waiting(*, at: datetime.datetime) -> int:
    """Send requests whose worker died to another one; returns how many."""
    waiting = PrivacyRequest.objects.unfinished().filter(
        kind=PrivacyKind.EXPORT, asked_at__lte=at - ASK_AGAIN
    )
    ids = list(waiting.values_list("pk", flat=True)[:100])
    for request_id in ids:
        jobs.enqueue("mobility.accounts.build_archive", request_id=request_id)
    return len(ids)


def confirm_person(
    *, user: User, password: str, proved_at: datetime.datetime | None, at: datetime.datetime
) -> None:
    """Make sure that it is the person: their password, or a proof of the last 15 minutes.

    A log-in of long ago, or of another device, is none: whoever finds a browser open has it too.
    Raises `ConfirmationNeeded`.
    """
    fresh = proved_at is not None and at - proved_at <= FRESH
    if not fresh and not (password and user.check_password(password)):
        raise ConfirmationNeeded


def erase_person(*, user: User, at: datetime.datetime, by: Principal) -> PrivacyRequest:
    """Forget a person: what may go goes, what must stay belongs to nobody any more.

    1. Refuse while something is under way or unpaid (`ErasureRefused` says what). A copy of the data
       that was asked for is not made any more; one that is being made is waited for, and goes too.
    2. Every room erases its part, and the files go.
    3. The account closes: address, name, password, tokens and log-in keys are gone; the row stays as
       the opaque number that invoices refer to.

    One transaction: either all of it, or nothing.
    """
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        _refuse_hindered(person, at=at)
        request = PrivacyRequest.objects.create(user=person, kind=PrivacyKind.ERASE, asked_at=at)
        _answer_archives(person, at=at, by=by)
        nobody = nobody_account()
        for room in privacy.rooms().values():
            room.erase(user=person, nobody=nobody, at=at, by=by)
        owned = files.StoredFile.objects.present().filter(owner=person.principal)
        files.remove_files(files=list(owned), at=at, by=by)
        _close(person, at=at)
        move(request, to=PrivacyState.DONE, at=at, by=by, done_at=at)
        audit.record(by=by, action="erase_person", row=person, at=at)
        outbox.publish(PersonErased(user=person.principal), at=at)
    return request


def nobody_account() -> User:
    """The closed account to which rides of erased people belong."""
    nobody, _created = User.objects.get_or_create(
        email=privacy.NOBODY, defaults={"is_active": False, "password": "!"}
    )
    return nobody


def kept_after_erasure() -> list[str]:
    """What the law makes the house keep, in the active language."""
    return [str(room.kept) for room in privacy.rooms().values() if room.kept]


def account_data(*, user: User) -> dict[str, Any]:
    """The account itself, for the archive."""
    return {
        "id": str(user.public_id),
        "email": user.email,
        "name": user.name,
        "language": user.language,
        "joined": user.date_joined,
        "last_login": user.last_login,
        "roles": list(user.memberships.values("organisation__slug", "role", "since")),
        "tokens": list(
            user.api_tokens.values(
                "label", "created_at", "expires_at", "last_used_at", "revoked_at"
            )
        ),
        "consents": list(user.consents.values("topic", "version", "given_at", "withdrawn_at")),
        "privacy_requests": list(
            user.privacy_requests.values("kind", "state", "asked_at", "done_at")
        ),
        "deeds": list(
            AuditEntry.objects.filter(by=user.principal)
            .order_by("id")
            .values("at", "action", "row")
        ),
        "files": [file.as_json() for file in privacy.files_of(user)],
    }


def _refuse_hindered(user: User, *, at: datetime.datetime) -> None:
    found = privacy.hindrances_of(user=user, at=at)
    if user.memberships.exists() or user.is_superuser:
        message = _("You work for an organisation; its administrator must end your role first.")
        found.append(privacy.Hindrance(code="staff_role", message=message))
    if found:
        reasons = [{"code": one.code, "message": str(one.message)} for one in found]
        raise ErasureRefused(extra={"reasons": reasons})


def _answer_archives(person: User, *, at: datetime.datetime, by: Principal) -> None:
    asked = PrivacyRequest.objects.unfinished().filter(user=person, kind=PrivacyKind.EXPORT)
    for request in asked.select_for_update():
        move(request, to=PrivacyState.DONE, at=at, by=by, reason="erased", done_at=at)


def _close(user: User, *, at: datetime.datetime) -> None:
    """Nothing of the person stays in the row, and no door opens for it."""
    for label in LOG_IN_ROWS:
        apps.get_model(label)._default_manager.filter(user=user).delete()
    ApiToken.objects.filter(user=user).delete()
    user.consents.standing().update(withdrawn_at=at)
    user.email, user.name = f"{user.public_id}@erased.invalid", ""
    user.last_login, user.is_active = None, False
    user.set_unusable_password()
    user.save()


def _write_archive(content: BinaryIO, *, user: User, at: datetime.datetime) -> None:
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        parts = {"account": account_data(user=user)}
        parts |= {name: room.export(user=user) for name, room in privacy.rooms().items()}
        for name, data in parts.items():
            words = json.dumps(data, default=_plain, ensure_ascii=False, indent=2)
            archive.writestr(f"{name}.json", words)
        for file in privacy.files_of(user):
            extension = EXTENSIONS.get(file.content_type, "bin")
            with (
                files.open_file(file) as source,
                archive.open(f"files/{file.purpose}-{file.public_id}.{extension}", "w") as target,
            ):
                while chunk := source.read(1024 * 1024):
                    target.write(chunk)


def _plain(value: object) -> object:
    if isinstance(value, datetime.date):  # instants are dates too
        return value.isoformat()
    return str(value)


def _tell_ready(user: User) -> None:
    write_to(
        principal=user.principal,
        subject=lambda: _now("Your data is ready"),
        body=lambda: _now(
            "The copy of your data is ready in your account. You can download it once, within seven"
            " days; after that ask for a new one."
        ),
    )
