"""The verifier that docs/webhooks.md gives away does what it says, and the page names the real figures."""

import datetime
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobility.core.courier import sending
from mobility.webhooks import rules
from mobility.webhooks.services import delivering, endpoints, repeating
from tests.webhooks.receiver import Receiver

PAGE = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"


def documented() -> Callable[..., bool]:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    verified: Callable[..., bool] = names["verified"]
    return verified


@pytest.mark.django_db
def test_the_documented_verifier_believes_what_we_send_and_nothing_else(
    listen: Callable[..., dict[str, Any]],
    happen: Callable[..., None],
    deliver: Callable[..., int],
    receiver: Receiver,
) -> None:
    secret = listen()["secret"]
    happen()
    deliver()
    (got,) = receiver.received
    verified = documented()
    assert verified(secret, got.headers, got.body)
    assert not verified(secret, got.headers, got.body + b" ")
    assert not verified(secret, got.headers | {"webhook-timestamp": "1777629600"}, got.body)
    assert not verified(rules.derive_secret(key="x", salt="y"), got.headers, got.body)


def test_the_page_names_the_figures_of_the_code() -> None:
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert rules.MAX_ATTEMPTS == 10
    assert "Ten attempts over three days" in page
    assert sending.TIMEOUT_S == 10
    assert f"{sending.READ_BYTES // 1024} KB" in page
    assert f"{repeating.MOST_AT_ONCE:,} facts" in page
    assert datetime.timedelta(hours=24) == endpoints.OVERLAP
    assert f"{delivering.KEEP.days} days" in page
    assert delivering.EACH == 4
