"""Letters to people: in their own language, after what they are about has committed."""

from collections.abc import Callable
from functools import partial

import structlog
from django.core.mail import send_mail
from django.db import transaction
from django.utils import translation

from mobility.accounts.models import User

log = structlog.get_logger(__name__)


def write_to(*, principal: str, subject: Callable[[], str], body: Callable[[], str]) -> None:
    """Send a mail to the person behind `principal` once the transaction commits.

    `subject` and `body` are called under the person's language. Accounts that are closed get none. A
    mail server that does not answer costs a line in the log, not what the letter was about.
    """
    public_id = principal.removeprefix("user:")
    user = User.objects.filter(public_id=public_id, is_active=True).first()
    if user is None:
        return
    with translation.override(user.language):
        letter = str(subject()), str(body())
    transaction.on_commit(partial(_send, user.email, *letter))


def _send(address: str, subject: str, message: str) -> None:
    try:
        send_mail(subject, message, from_email=None, recipient_list=[address])
    except OSError:  # SMTPException is one
        log.exception("mail.not_sent", subject=subject)
