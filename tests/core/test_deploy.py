"""What Django itself says against this configuration as one would run it in production: nothing."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_deployment_check_has_nothing_to_say() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("RATE_")}
    for name in ("HTTPS", "DEBUG", "DEMO_PAYMENTS", "EMAIL_VERIFICATION", "STATIC_FROM_SOURCE"):
        env.pop(name, None)
    env |= {
        "DJANGO_SETTINGS_MODULE": "mobility.settings",
        # Long and of many letters, as the check wants it; of no use anywhere.
        "SECRET_KEY": "only-for-this-check-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
        "ALLOWED_HOSTS": "mobility.example",
        "PUBLIC_URL": "https://mobility.example",
        "STRIPE_SECRET_KEY": "sk_test_of_nobody",
        "PAYMENT_PROVIDER": "stripe",
        "STRIPE_WEBHOOK_SECRET": "whsec_of_nobody",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    answer = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
