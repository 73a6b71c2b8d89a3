"""How often and how much at each door: reviewed like code, with the figures in the settings.

Doors are named by method and address name; some views name their limit themselves (`throttle_scope`).
"""

# Which limit counts at which door. A limit has two figures: for one person and for one address.
LIMITED: dict[str, str] = {
    "POST api:sign-in": "sign-in",
    "POST api:reservations": "reserve",
    "POST api:bookings": "reserve",
    "POST api:reservation-extend": "reserve",
    "POST api:trips": "start",
    "POST api:trip-photo": "documents",
    "POST api:trip-disputes": "support-case",
    "POST api:recharges": "start",
    "POST api:payment-refunds": "money",
    "POST api:payment-methods": "money",
    "POST api:payment-method-setup": "money",
    "POST api:payment-pay": "money",
    "POST api:payment-confirm": "money",
    "POST api:passes": "money",
    "POST api:wallet-top-ups": "money",
    "POST api:webhook-endpoints": "webhooks",
    "PATCH api:webhook-endpoint": "webhooks",
    "DELETE api:webhook-endpoint": "webhooks",
    "POST api:webhook-endpoint-pause": "webhooks",
    "POST api:webhook-endpoint-resume": "webhooks",
    "POST api:webhook-endpoint-rotate": "webhooks",
    "POST api:webhook-endpoint-ping": "webhooks",
    "POST api:webhook-endpoint-replay": "webhooks",
    "POST api:webhook-delivery-replay": "webhooks",
}
# Before anybody is known, the person is whoever the request names in this field.
NAMED_BY = {"api:sign-in": "email"}

MEGABYTE = 1024 * 1024
# Bodies of the API that may be longer than `LONGEST_BODY`, in bytes.
LONGEST_BODY = MEGABYTE
LONG_BODIES = {
    "api:telemetry": 5 * MEGABYTE,
    "api:fleet-zone-set-zones": 5 * MEGABYTE,
}
# Pictures; doors that take none answer 415 without reading them.
LONGEST_UPLOAD = 31 * MEGABYTE
