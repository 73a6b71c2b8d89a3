"""Settings that every test run needs before Django is set up; what `./dev test` sets wins."""

import atexit
import os
import re
import shutil
import tempfile


def own_redis(worker: str) -> None:
    """Give each of several test workers a Redis database of its own, as each has its own PostgreSQL one."""
    os.environ.pop("CELERY_BROKER_URL", None)  # Celery would believe it more than the settings
    number = int(worker.removeprefix("gw")) + 1
    for name in ("REDIS_URL", "TELEMETRY_REDIS_URL"):
        if name in os.environ:
            os.environ[name] = re.sub(r"(db=|/)\d+$", rf"\g<1>{number}", os.environ[name])


if "PYTEST_XDIST_WORKER" in os.environ:
    own_redis(os.environ["PYTEST_XDIST_WORKER"])

if "FILES_DIR" not in os.environ:
    os.environ["FILES_DIR"] = tempfile.mkdtemp(prefix="mobility-files-")
    atexit.register(shutil.rmtree, os.environ["FILES_DIR"], ignore_errors=True)
os.environ.setdefault("SECRET_KEY", "only-for-tests-and-of-no-use-anywhere-else")
os.environ.setdefault("HTTPS", "false")
os.environ.setdefault("STATIC_FROM_SOURCE", "true")
os.environ.setdefault("EMAIL_VERIFICATION", "none")
os.environ.setdefault("DEMO_PAYMENTS", "true")
os.environ.setdefault("EMAIL_URL", "memorymail://")
os.environ.setdefault("LOG_LEVEL", "ERROR")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
