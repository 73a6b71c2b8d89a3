"""How long a charger is waited for, and how much is promised before."""

import datetime
import hmac
import uuid

# Long enough to walk to the car and plug in; chargers give up after one to two minutes.
START_PATIENCE = datetime.timedelta(seconds=180)
STOP_PATIENCE = datetime.timedelta(seconds=120)
COMMAND_TTL_S = 30

NORMAL_PREAUTH_CENTS = 2000
FAST_PREAUTH_CENTS = 4000


def preauth_cents(*, fast: bool) -> int:
    """What is promised on the card before a charge, in cents."""
    return FAST_PREAUTH_CENTS if fast else NORMAL_PREAUTH_CENTS


def app_token_uid(*, user_public_id: uuid.UUID, secret: str) -> str:
    """A person's token at chargers: always the same, 20 characters (OCPP 1.6), saying nothing.

    Keyed with the installation's `secret`: who learns a person's id must not be able to charge as them.
    """
    digest = hmac.new(secret.encode(), b"app-token:" + user_public_id.bytes, "sha256").hexdigest()
    return f"APP{digest[:17].upper()}"
