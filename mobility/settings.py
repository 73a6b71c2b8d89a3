"""Every setting, read from the environment in one place; docs/settings.md lists them.

Safe by default: without DEBUG and with HTTPS, so that forgetting a variable never opens a door.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import django_stubs_ext
import environ
from csp.constants import NONE, SELF

from mobility import doors, schedule

# Makes `QuerySet[Row]`, `ModelAdmin[Row]` and the like valid at run time, for annotations.
django_stubs_ext.monkeypatch()

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent


def native_library(package: str, pattern: str) -> str | None:
    """The path of a native library that a wheel carries beside its package, or None.

    GeoDjango needs GDAL and GEOS; the wheels of pyogrio and shapely bring both, so a bare machine
    needs no system package. Linux wheels keep them in `<pkg>.libs`, macOS wheels in `<pkg>/.dylibs`.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    folders = (home.parent / f"{package}.libs", home / ".dylibs")
    return next((str(path) for folder in folders for path in sorted(folder.glob(pattern))), None)


# GDAL and GEOS: the environment first, then the wheels, then whatever Django finds on the system.
GDAL_LIBRARY_PATH = os.environ.get("GDAL_LIBRARY_PATH") or native_library("pyogrio", "libgdal*")
GEOS_LIBRARY_PATH = os.environ.get("GEOS_LIBRARY_PATH") or native_library("shapely", "libgeos_c*")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
# Keys of before: what they signed, and the secrets of webhooks, stay good after a change.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000")
LIVE_URL = env.str("LIVE_URL", default="http://127.0.0.1:8001")
OCPP_URL = env.str("OCPP_URL", default="ws://127.0.0.1:9000/ocpp")
# Where chargers find the gateway encrypted, if elsewhere: wss://…; security profiles 2 and 3 need it.
OCPP_TLS_URL = env.str("OCPP_TLS_URL", default="")
# Days that frames of chargers are kept for who looks for a fault; they name cards by their last signs.
OCPP_FRAMES_DAYS = env.int("OCPP_FRAMES_DAYS", default=7)
OCPP_RECORDS_DAYS = env.int("OCPP_RECORDS_DAYS", default=365)
OCPP_COST_SECONDS = env.int("OCPP_COST_SECONDS", default=60)
# Who may be asked on behalf of vehicles (ISO 15118). Nobody is, unless named here.
CONTRACT_HUB_URL = env.str("CONTRACT_HUB_URL", default="")
CONTRACT_HUB_TOKEN = env.str("CONTRACT_HUB_TOKEN", default="")
OCSP_RESPONDERS = env.list("OCSP_RESPONDERS", default=[])

INSTALLED_APPS = [
    "mobility.desk.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_structlog",
    "csp",
    "mobility.apps.MobilityConfig",
    "charging.apps.ChargingConfig",
    "fleet.apps.FleetConfig",
    "bookings.apps.BookingsConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "mobility.core.middleware.RequestLogMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "mobility.core.middleware.PlainAddressMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "mobility.accounts.second_factor.SecondFactorMiddleware",
    "mobility.core.middleware.EditorMiddleware",
    "mobility.core.middleware.BodyLimitMiddleware",
]

ROOT_URLCONF = "mobility.urls"
WSGI_APPLICATION = "mobility.wsgi.application"

# Widgets are drawn by templates of ours where there is one.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "mobility.desk.context.desk_roles",
            ],
        },
    },
]

# --- database -------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default="postgis:///mobility")}
DATABASES["default"] |= {
    "ENGINE": "mobility.core.postgis",
    # Threads keep their connection: opening one a request costs three to four times the throughput.
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=600),
    "CONN_HEALTH_CHECKS": True,
    "TEST": {"NAME": env.str("TEST_DB", default="test_mobility")},
}
# A database behind a network may vanish without a word (failover, cut cable). The kernel would wait
# a quarter of an hour, and the charger gateway, which writes on one connection, as long with it.
DATABASES["default"]["OPTIONS"] = {
    # Parameters travel beside the statement, so that PostgreSQL plans one that comes again only once.
    "server_side_binding": True,
    "prepare_threshold": env.int("DATABASE_PREPARE_AFTER", default=3) or None,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    **DATABASES["default"].get("OPTIONS", {}),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: broker and cache; the telemetry log has an instance of its own --------------------------
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
TELEMETRY_REDIS_URL = env.str("TELEMETRY_REDIS_URL", default=REDIS_URL)
TELEMATICS_SHARDS = env.int("TELEMATICS_SHARDS", default=1)

# --- how long what vehicles reported is kept (docs/telematics.md says why) --------------------------
TELEMATICS_HOT_DAYS = env.int("TELEMATICS_HOT_DAYS", default=7)
TELEMATICS_CHUNK_MONTHS = env.int("TELEMATICS_CHUNK_MONTHS", default=13)
TELEMATICS_LINK_MONTHS = env.int("TELEMATICS_LINK_MONTHS", default=24)
TELEMATICS_QUARANTINE_DAYS = env.int("TELEMATICS_QUARANTINE_DAYS", default=90)
# The edge: where Teltonika units call, and the broker of vehicles that speak MQTT.
TELTONIKA_ADDRESS = env.str("TELTONIKA_ADDRESS", default="127.0.0.1:5027")
MQTT_URL = env.str("MQTT_URL", default="")
MQTT_CA_FILE = env.str("MQTT_CA_FILE", default="")

# --- roads: an OSRM-compatible service for driving times; empty: straight lines with a detour ------
ROUTING_URL = env.str("ROUTING_URL", default="")
ROUTING_TABLE_SIZE = env.int("ROUTING_TABLE_SIZE", default=100)
ROUTING_SECONDS = env.float("ROUTING_SECONDS", default=10.0)

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}

# --- Celery ---------------------------------------------------------------------------------------
# kombu has its own spelling for a unix socket.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace(
    "?db=", "?virtual_host="
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "Europe/Rome"
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULE = schedule.entries(shards=TELEMATICS_SHARDS)
QUEUES = schedule.QUEUES
DJANGO_STRUCTLOG_CELERY_ENABLED = True

# --- people ---------------------------------------------------------------------------------------
AUTH_USER_MODEL = "mobility.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "mobility.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = env.str("EMAIL_VERIFICATION", default="mandatory")
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="mobility@localhost")

# --- payments -------------------------------------------------------------------------------------
# Cards of the local provider pay with play money: for demos and tests only, never for real residents.
DEMO_PAYMENTS = env.bool("DEMO_PAYMENTS", default=False)
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_PUBLISHABLE_KEY = env.str("STRIPE_PUBLISHABLE_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
STRIPE_API_URL = env.str("STRIPE_API_URL", default="https://api.stripe.com")
# Who serves new cards; cards on file stay with whoever holds them.
PAYMENT_PROVIDER = env.str(
    "PAYMENT_PROVIDER", default="stripe" if STRIPE_SECRET_KEY and not DEMO_PAYMENTS else "local"
)

# --- webhooks: what integrators are told ------------------------------------------------------------
# http and private addresses are for development and tests: anybody's endpoint could look inside.
WEBHOOKS_ALLOW_PRIVATE = env.bool("WEBHOOKS_ALLOW_PRIVATE", default=False)
WEBHOOKS_DISABLE_AFTER_DAYS = env.int("WEBHOOKS_DISABLE_AFTER_DAYS", default=5)

# --- notifications on people's devices (web push) ---------------------------------------------------
# Our key: written here, or kept in a file that `manage.py push_keys` makes. Without it nothing is pushed.
PUSH_KEY = env.str("PUSH_KEY", default="")
PUSH_ALLOW_PRIVATE = env.bool("PUSH_ALLOW_PRIVATE", default=False)

# --- riders ---------------------------------------------------------------------------------------
# Who looks at documents before people do: a name of bookings/riders/checkers, or nobody.
DOCUMENT_CHECKER = env.str("DOCUMENT_CHECKER", default="demo" if DEMO_PAYMENTS else "")
# How long pictures of documents stay after the verdict on them, for who wants to dispute it.
RIDER_IMAGES_DAYS = env.int("RIDER_IMAGES_DAYS", default=30)

# --- how often: each limit for one person, and for one address; mobility/doors.py says where ---------
# A single figure counts the person, and at doors that ask nobody's name the address.
RATE_LIMITING = env.bool("RATE_LIMITING", default=True)
RATE_LIMITED, NAMED_BY = doors.LIMITED, doors.NAMED_BY
RATE_LIMITS = {
    "sign-in": env.list("RATE_LIMIT_SIGN_IN", default=["10/min", "60/min"]),
    "reserve": env.list("RATE_LIMIT_RESERVE", default=["30/min", "300/min"]),
    "start": env.list("RATE_LIMIT_START", default=["20/min", "200/min"]),
    "promo-codes": env.list("RATE_LIMIT_PROMO_CODES", default=["20/hour"]),
    "money": env.list("RATE_LIMIT_MONEY", default=["30/min", "300/min"]),
    "webhooks": env.list("RATE_LIMIT_WEBHOOKS", default=["60/min", "300/min"]),
    "documents": env.list("RATE_LIMIT_DOCUMENTS", default=["20/hour"]),
    "privacy": env.list("RATE_LIMIT_PRIVACY", default=["30/hour"]),
    "fault-report": env.list("RATE_LIMIT_FAULT_REPORT", default=["20/hour"]),
    "support-case": env.list("RATE_LIMIT_SUPPORT_CASE", default=["20/hour"]),
    "ad-hoc": env.list("RATE_LIMIT_AD_HOC", default=["20/min"]),
    "pay-link": env.list("RATE_LIMIT_PAY_LINK", default=["20/min"]),
    "ad-hoc-watch": env.list("RATE_LIMIT_AD_HOC_WATCH", default=["120/min"]),
    "devices": env.list("RATE_LIMIT_DEVICES", default=["60/hour"]),
    "charging-card": env.list("RATE_LIMIT_CHARGING_CARD", default=["60/hour"]),
    "connector-hold": env.list("RATE_LIMIT_CONNECTOR_HOLD", default=["30/hour"]),
}

# --- API ------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "mobility.accounts.authentication.BearerTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["mobility.core.limits.DoorLimit"],
    "EXCEPTION_HANDLER": "mobility.core.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Shared mobility API",
    "DESCRIPTION": "Vehicles, bookings, trips, charging and fleet work of one city.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "mobility.core.openapi.complete",
    ],
    # One name for each set of words, wherever it stands; the class names are the field's own.
    "ENUM_NAME_OVERRIDES": {
        "VehicleKind": "fleet.vehicles.states.Kind",
        "VehicleCommandKind": "fleet.vehicles.states.CommandKind",
        "BlockReason": "fleet.vehicles.states.BlockReason",
        "LifeState": "fleet.vehicles.states.LifeState",
        "DocumentKind": "fleet.vehicles.states.DocumentKind",
        "CaseKind": "fleet.vehicles.states.CaseKind",
        "ServiceReason": "fleet.vehicles.states.ServiceReason",
        "TaskKind": "fleet.rebalancing.states.TaskKind",
        "TaskReason": "fleet.rebalancing.states.Reason",
        "DropReason": "fleet.rebalancing.states.DropReason",
        "FaultCategory": "fleet.maintenance.states.FaultCategory",
        "FaultState": "fleet.maintenance.states.FaultState",
        "WorkOrderReason": "fleet.maintenance.states.OrderReason",
        "WorkOrderState": "fleet.maintenance.states.OrderState",
        "ResetKind": ["soft", "hard"],
        "StationLogKind": "charging.devices.states.LogKind",
        "StationReportKind": "charging.devices.states.ReportKind",
        "StationReportState": "charging.devices.states.ReportState",
        "StationCertificateKind": "charging.certificates.states.CertificateKind",
        "StationCertificateState": "charging.certificates.states.CertificateState",
        "CertificateRequestState": "charging.certificates.states.RequestState",
        "ChargingTokenState": "charging.sessions.states.TokenState",
        "SignatureState": "charging.sessions.states.SignatureState",
        "PassState": "bookings.passes.states.PassState",
        "PassShape": "bookings.passes.states.PassShape",
        "RedeemedCodeState": "bookings.passes.states.RedemptionState",
        "TripState": "bookings.trips.states.TripState",
        "TripEndReason": "bookings.trips.states.EndReason",
        "TripVersionState": "bookings.trips.states.VersionState",
        "TripDisputeState": "bookings.trips.states.DisputeState",
        "TripDisputeReason": "bookings.trips.states.DisputeReason",
        "EndPhotoState": "bookings.trips.states.PhotoState",
        "ConsentTopic": "mobility.accounts.states.ConsentTopic",
        "NotificationTopic": "mobility.notifications.states.Topic",
        "WebhookEndpointState": "mobility.webhooks.states.EndpointState",
        "BookingState": "bookings.reservations.states.BookingState",
        "RechargeState": "bookings.recharges.states.RechargeState",
        "RechargeOrigin": "bookings.recharges.states.Origin",
        "KeptConnectorState": "bookings.recharges.states.KeptState",
        "SupportCaseKind": "bookings.support.states.CaseKind",
        "SupportCaseState": "bookings.support.states.CaseState",
        "CaseResolution": "bookings.support.states.Resolution",
        "RiderDocumentState": "bookings.riders.states.DocumentState",
        "RejectionReason": "bookings.riders.states.RejectionReason",
    },
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
}
# The largest body that is read at once: a batch of 5,000 telemetry points. Each door has its own limit.
LONG_BODIES, LONGEST_BODY = doors.LONG_BODIES, doors.LONGEST_BODY
LONGEST_UPLOAD = doors.LONGEST_UPLOAD
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# --- words ----------------------------------------------------------------------------------------
LANGUAGE_CODE = "it"
LANGUAGES = [("it", "Italiano"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["mobility.formats"]
TIME_ZONE = "Europe/Rome"
USE_TZ = True

# --- static files ---------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
# Serve static files from their sources, without collectstatic: for development and tests.
WHITENOISE_USE_FINDERS = env.bool("STATIC_FROM_SOURCE", default=False)
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS

# --- security -------------------------------------------------------------------------------------
HTTPS = env.bool("HTTPS", default=True)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
# The log-in pages count by address: by the one that our own proxy saw.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = False  # our own pages read it to call the API
# Staff show a second factor; the demo's cast, whose passwords are printed, has none.
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", default=not DEMO_PAYMENTS)
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "worker-src": [SELF],
        "connect-src": [SELF, LIVE_URL],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# --- telemetry of our own -------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("LOG_FORMAT", default="console" if sys.stderr.isatty() else "json")
LOGGING_CONFIG = "mobility.core.logs.configure"
LOGGING = {"level": LOG_LEVEL, "format": LOG_FORMAT}

# --- places of files that `./dev` keeps ---------------------------------------------------------------
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data")))
# Pictures of licences and parked vehicles, archives for people: on a disk that all web hosts share.
FILES_DIR = Path(env.str("FILES_DIR", default=str(DATA_DIR / "files")))
# The private key of web push, where PUSH_KEY does not hold it; every host needs the same one.
PUSH_KEY_FILE = Path(env.str("PUSH_KEY_FILE", default=str(DATA_DIR / "push-key")))
# The authority that signs chargers' client certificates; whoever has its key can be any charger.
OCPP_CA_DIR = Path(env.str("OCPP_CA_DIR", default=str(DATA_DIR / "charging-ca")))
SIMULATOR_CREDENTIALS = Path(
    env.str("SIMULATOR_CREDENTIALS", default=str(DATA_DIR / "simulator.json"))
)
