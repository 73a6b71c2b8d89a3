"""How often and how much at each door: reviewed like code, with the figures in the settings.

Doors are named by method and address name.
"""

# Which limit counts at which door. A limit has two figures: for one person and for one address.
LIMITED: dict[str, str] = {
    "POST api:sign-in": "sign-in",
    "POST api:reservations": "reserve",
    "POST api:bookings": "reserve",
    "POST api:reservation-extend": "reserve",
    "POST api:trips": "start",
    "POST api:trip-photo": "documents",
    "POST api:identity": "documents",
    "POST api:licence": "documents",
    "POST api:me-export": "privacy",
    # The password is asked for once more.
    "POST api:me-erase": "sign-in",
    "POST api:trip-disputes": "support-case",
    "POST api:cases": "support-case",
    "POST api:case-messages": "support-case",
    "POST api:vehicle-faults": "fault-report",
    # Codes are short, and must not be found by trying.
    "POST api:promo-code-redeem": "promo-codes",
    "POST api:charging-cards": "charging-card",
    "DELETE api:charging-card": "charging-card",
    "POST api:charging-card-block": "charging-card",
    "POST api:charging-card-unblock": "charging-card",
    "POST api:connector-hold": "connector-hold",
    "DELETE api:connector-hold": "connector-hold",
    # Nobody signs in here, so looking counts as well: secrets must not be found by trying.
    "POST api:ad-hoc-recharges": "ad-hoc",
    "GET api:ad-hoc-recharge": "ad-hoc-watch",
    "POST api:ad-hoc-recharge-stop": "ad-hoc-watch",
    "POST api:ad-hoc-recharge-continue": "ad-hoc-watch",
    "GET api:ad-hoc-recharge-receipt": "ad-hoc-watch",
    "GET recharges:guest-start": "ad-hoc",
    "POST recharges:guest-start": "ad-hoc",
    "GET recharges:guest-card": "ad-hoc",
    "POST recharges:guest-pay": "ad-hoc",
    "GET recharges:guest-charge": "ad-hoc-watch",
    "POST recharges:guest-charge": "ad-hoc-watch",
    "POST recharges:guest-stop": "ad-hoc-watch",
    "GET recharges:guest-receipt": "ad-hoc-watch",
    "GET recharges:guest-paper": "ad-hoc-watch",
    "GET api:pay-link": "pay-link",
    "POST api:pay-link": "pay-link",
    "GET payments:pay": "pay-link",
    "POST payments:pay": "pay-link",
    "POST api:recharges": "start",
    "POST api:payment-refunds": "money",
    "POST api:payment-methods": "money",
    "POST api:payment-method-setup": "money",
    "POST api:payment-pay": "money",
    "POST api:payment-confirm": "money",
    "POST api:passes": "money",
    "POST api:wallet-top-ups": "money",
    "POST api:me-push-devices": "devices",
    "PUT api:me-notification-choices": "devices",
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
