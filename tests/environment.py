"""Settings that every test run needs before Django is set up; what `./dev test` sets wins."""

import os

os.environ.setdefault("SECRET_KEY", "only-for-tests-and-of-no-use-anywhere-else")
os.environ.setdefault("HTTPS", "false")
os.environ.setdefault("STATIC_FROM_SOURCE", "true")
os.environ.setdefault("EMAIL_VERIFICATION", "none")
os.environ.setdefault("DEMO_PAYMENTS", "true")
os.environ.setdefault("EMAIL_URL", "memorymail://")
os.environ.setdefault("LOG_LEVEL", "ERROR")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
