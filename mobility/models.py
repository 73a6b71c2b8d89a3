"""Register of the models of this app's features."""

from mobility.accounts.models import (
    ApiToken,
    Consent,
    Membership,
    Organisation,
    PrivacyRequest,
    User,
)
from mobility.core.files.models import StoredFile
from mobility.core.models import AuditEntry, HandledEvent, IdempotencyKey, OutboxEvent
from mobility.desk.models import SavedView
from mobility.geography.models import City, District, Hub
from mobility.notifications.models import (
    Notification,
    NotificationChoice,
    PushDelivery,
    PushDevice,
)
from mobility.webhooks.models import (
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
    WebhookSecret,
)

__all__ = [
    "ApiToken",
    "AuditEntry",
    "City",
    "Consent",
    "District",
    "HandledEvent",
    "Hub",
    "IdempotencyKey",
    "Membership",
    "Notification",
    "NotificationChoice",
    "Organisation",
    "OutboxEvent",
    "PrivacyRequest",
    "PushDelivery",
    "PushDevice",
    "SavedView",
    "StoredFile",
    "User",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookMessage",
    "WebhookSecret",
]
