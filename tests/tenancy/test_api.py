"""Every address of the API, walked as the wrong person: lists are empty of others' rows, details are not there.

An address that is not in one of the tables below fails the first test: say who may see it.
"""

from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, reverse
from rest_framework.test import APIClient

from mobility import urls
from mobility.accounts.models import User
from tests.doors import methods_of
from tests.tenancy.conftest import WholeCity

pytestmark = pytest.mark.django_db

# Everybody may read these, and they name nothing private.
PUBLIC = {
    "districts", "hubs", "zones", "vehicles", "vehicle", "vehicle-calendar", "booking-classes", "quotes", "pass-products", "offers", "stations", "station", "sign-in", "live-token",
    "webhook-kinds", "pay-link", "payment-webhooks",
    "recharge-quotes", "charging-revocations",
}  # fmt: skip
# The secret in the address is the permission, and nobody signs in; tests/bookings/recharges says
# who is kept out.
BY_SECRET = {
    "ad-hoc-recharges", "ad-hoc-recharge", "ad-hoc-recharge-stop", "ad-hoc-recharge-continue",
    "ad-hoc-recharge-receipt", "charging-upload", "charging-upload-named",
}  # fmt: skip
# Programs and persons act here for themselves alone; there is nothing to look up.
OWN = {
    "charging-records-file",
    "charging-statements",
    "charging-statements-file",
    "payment-method-setup",
    "billing-details",
    "promo-code-redeem",
    "offer-accept",
    "me",
    "wallets",
    "wallet-movements",
    "wallet-top-ups",
    "booking-quote",
    "vehicle-faults",
    "fleet-maintenance-costs",
    "fleet-vehicle-orders",
    "telemetry",
    "eligibility",
    "profile",
    "documents",
    "identity",
    "licence",
    "acknowledgements",
    "me-export",
    "me-erase",
    "me-consents",
    "me-notifications",
    "me-notification-choices",
    "own-problems",
    "connector-stickers",
    "connector-hold",
    "fleet-bulk",
    "fleet-bulk-preview",
    "fleet-forecast",
}
# Lists: which row shows there, and to whom; everybody else must not see it.
LISTS = {
    "reservations": ("reservation", {"giulia"}),
    "bookings": ("booking", {"giulia"}),
    "trips": ("trip", {"giulia"}),
    "trip-dispute-list": ("dispute", {"giulia", "marco"}),
    "trip-incidents": ("incident", {"marco"}),
    "recharges": ("recharge", {"giulia"}),
    "charging-cards": ("charging card", {"giulia"}),
    "me-push-devices": ("push device", {"giulia"}),
    "connector-holds": ("kept connector", {"giulia"}),
    "connector-codes": ("connector", {"luca"}),
    "unbilled-sessions": ("unbilled session", {"luca"}),
    "vehicle-charges": ("vehicle charge", {"marco", "luca"}),
    "cases": ("case", {"giulia", "marco"}),
    "payment-methods": ("payment method", {"giulia"}),
    "payments": ("payment", {"giulia"}),
    "receipts": ("receipt", {"giulia"}),
    "passes": ("pass", {"giulia"}),
    "promo-codes": ("redeemed code", {"giulia"}),
    "rewards": ("reward", {"giulia"}),
    "fees": ("fee", {"giulia"}),
    "money-fees": ("fee", {"marco"}),
    "money-refunds": ("refund", {"marco"}),
    "fleet-bookings": ("booking", {"marco"}),
    "fleet-vehicle-list": ("vehicle", {"marco", "sara", "elena"}),
    "fleet-zone-sets": ("zone set", {"marco", "sara", "elena"}),
    "fleet-alarms": ("alarm", {"marco", "sara"}),
    "fleet-plans": ("plan", {"marco", "sara"}),
    "fleet-tasks": ("task", {"marco", "sara"}),
    "own-faults": ("fault", {"giulia"}),
    "fleet-faults": ("fault", {"marco", "sara"}),
    "fleet-work-orders": ("work order", {"marco", "sara"}),
    "charging-site-list": ("site", {"luca", "elena"}),
    "charging-station-list": ("station", {"luca", "elena"}),
    "charging-session-list": ("session", {"luca"}),
    "charging-token-list": ("charging token", {"luca"}),
    "charging-tariff-list": ("charging tariff", {"luca"}),
    "charging-record-list": ("charge record", {"luca"}),
    "charging-my-records": ("charge record", {"giulia"}),
    "charging-command-list": ("command", {"luca"}),
    "charging-variable-list": ("station", {"luca"}),
    "charging-monitor-list": ("station", {"luca"}),
    "charging-device-event-list": ("device event", {"luca"}),
    "charging-firmware-job-list": ("firmware job", {"luca"}),
    "charging-log-job-list": ("log job", {"luca"}),
    "charging-report-list": ("station report", {"luca"}),
    "charging-energy-demand-list": ("energy demand", {"luca"}),
    "charging-profile-list": ("charging profile", {"luca"}),
    "charging-limit-list": ("charging limit", {"luca"}),
    "charging-certificate-list": ("certificate", {"luca"}),
    "webhook-endpoints": ("webhook endpoint", {"marco"}),
    "desk-views": ("saved view", {"marco"}),
}
# Details and deeds: the row in the address, and who may be answered with anything but "not yours".
DETAILS = {
    "reservation": ("reservation", {"giulia", "marco"}),
    "reservation-cancel": ("reservation", {"giulia", "marco"}),
    "reservation-extend": ("reservation", {"giulia"}),
    "booking": ("booking", {"giulia", "marco"}),
    "booking-cancel": ("booking", {"giulia"}),
    "reservation-photos": ("reservation", {"giulia", "marco"}),
    "booking-photos": ("booking", {"giulia", "marco"}),
    "trip": ("trip", {"giulia", "marco"}),
    "trip-offers": ("trip", {"giulia"}),
    "trip-reward": ("trip", {"giulia"}),
    "reward-drop": ("reward", {"giulia"}),
    "trip-pause": ("trip", {"giulia"}),
    "trip-resume": ("trip", {"giulia"}),
    "trip-end": ("trip", {"giulia"}),
    "trip-receipt": ("trip", {"giulia", "marco"}),
    "trip-force-end": ("trip", {"marco"}),
    "trip-confirm-payment": ("trip", {"giulia"}),
    "trip-broken": ("trip", {"giulia"}),
    "trip-not-mine": ("trip", {"giulia"}),
    "trip-photo": ("trip", {"giulia", "marco"}),
    "trip-photo-appeal": ("end photo", {"giulia"}),
    "trip-versions": ("trip", {"giulia", "marco"}),
    "trip-corrections": ("trip", {"marco"}),
    "trip-correction-apply": ("trip", {"marco"}),
    "trip-correction-reject": ("trip", {"marco"}),
    "trip-disputes": ("trip", {"giulia", "marco"}),
    "trip-dispute": ("dispute", {"giulia", "marco"}),
    "trip-dispute-accept": ("dispute", {"marco"}),
    "trip-dispute-reject": ("dispute", {"marco"}),
    "trip-incident-close": ("incident", {"marco"}),
    "recharge": ("recharge", {"giulia", "luca"}),
    "recharge-continue": ("recharge", {"giulia"}),
    "charging-card": ("charging card", {"giulia"}),
    "me-push-device": ("push device", {"giulia"}),
    "charging-card-block": ("charging card", {"giulia"}),
    "charging-card-unblock": ("charging card", {"giulia"}),
    "connector-hold-own": ("kept connector", {"giulia", "luca"}),
    "connector-hold-release": ("kept connector", {"giulia"}),
    "connector-code-replace": ("connector", {"luca"}),
    "case": ("case", {"giulia", "marco"}),
    "case-messages": ("case", {"giulia"}),
    "case-withdraw": ("case", {"giulia"}),
    "case-answer": ("case", {"marco"}),
    "case-resolve": ("case", {"marco"}),
    "recharge-stop": ("recharge", {"giulia"}),
    "recharge-receipt": ("recharge", {"giulia", "luca"}),
    "pass": ("pass", {"giulia", "marco"}),
    "pass-renewal": ("pass", {"giulia"}),
    "pass-return": ("pass", {"giulia"}),
    "payment-method": ("payment method", {"giulia"}),
    "payment": ("payment", {"giulia", "marco"}),
    "receipt": ("receipt", {"giulia", "marco"}),
    "receipt-html": ("receipt", {"giulia", "marco"}),
    "receipt-pdf": ("receipt", {"giulia", "marco"}),
    "receipt-invoice": ("receipt", {"giulia"}),
    "payment-pay": ("payment", {"giulia"}),
    "payment-refunds": ("payment", {"marco"}),
    "payment-confirm": ("payment", {"giulia"}),
    "payment-method-default": ("payment method", {"giulia"}),
    "fee": ("fee", {"giulia"}),
    "fee-dispute": ("fee", {"giulia"}),
    "money-fee-announce": ("fee", {"marco"}),
    "money-fee-uphold": ("fee", {"marco"}),
    "money-fee-waive": ("fee", {"marco"}),
    "money-refund-approve": ("refund", {"marco"}),
    "money-refund-reject": ("refund", {"marco"}),
    "file": ("file", {"giulia"}),
    "fleet-booking-move": ("booking", {"marco"}),
    "fleet-booking-cancel": ("booking", {"marco"}),
    "fleet-vehicle-detail": ("vehicle", {"marco", "sara", "elena"}),
    "fleet-vehicle-blocks": ("vehicle", {"marco", "sara"}),
    "fleet-vehicle-commands": ("vehicle", {"marco", "sara"}),
    "fleet-vehicle-life": ("vehicle", {"marco", "sara"}),
    "fleet-vehicle-timeline": ("vehicle", {"marco", "sara", "elena"}),
    "fleet-vehicle-documents": ("vehicle", {"marco", "sara"}),
    "fleet-vehicle-battery-swaps": ("vehicle", {"marco", "sara"}),
    "fleet-vehicle-service-trip": ("vehicle", {"marco", "sara"}),
    "fleet-vehicle-case": ("vehicle", {"marco", "sara"}),
    "fleet-zone-set": ("zone set", {"marco", "sara", "elena"}),
    "fleet-zone-set-zones": ("zone set", {"marco", "sara", "elena"}),
    "fleet-zone-set-check": ("zone set", {"marco", "sara", "elena"}),
    "fleet-zone-set-conflicts": ("zone set", {"marco", "sara", "elena"}),
    "desk-view": ("saved view", {"marco"}),
    "fleet-zone-set-publish": ("zone set", {"marco"}),
    "fleet-zone-set-rollback": ("zone set", {"marco"}),
    "fleet-alarm": ("alarm", {"marco", "sara"}),
    "fleet-alarm-acknowledge": ("alarm", {"marco", "sara"}),
    "fleet-alarm-assign": ("alarm", {"marco", "sara"}),
    "fleet-alarm-close": ("alarm", {"marco", "sara"}),
    "fleet-plan": ("plan", {"marco", "sara"}),
    "fleet-plan-publish": ("plan", {"marco"}),
    "fleet-plan-close": ("plan", {"marco"}),
    "fleet-plan-revise": ("plan", {"marco"}),
    "fleet-plan-task-add": ("plan", {"marco"}),
    "fleet-plan-vans": ("plan", {"marco", "sara"}),
    "fleet-plan-figures": ("plan", {"marco", "sara"}),
    "fleet-plan-decisions": ("plan", {"marco", "sara"}),
    "fleet-task": ("task", {"marco", "sara"}),
    "fleet-task-claim": ("task", {"marco", "sara"}),
    "fleet-task-complete": ("task", {"marco", "sara"}),
    "fleet-task-drop": ("task", {"marco", "sara"}),
    "fleet-task-arrive": ("task", {"marco", "sara"}),
    "fleet-task-problem": ("task", {"marco", "sara"}),
    "fleet-task-photos": ("task", {"marco", "sara"}),
    "fleet-task-lock": ("task", {"marco"}),
    "fleet-task-place": ("task", {"marco"}),
    "fleet-fault": ("fault", {"marco", "sara"}),
    "fleet-fault-accept": ("fault", {"marco", "sara"}),
    "fleet-fault-dismiss": ("fault", {"marco", "sara"}),
    "fleet-work-order": ("work order", {"marco", "sara"}),
    "fleet-work-order-assign": ("work order", {"marco", "sara"}),
    "fleet-work-order-start": ("work order", {"marco", "sara"}),
    "fleet-work-order-checklist": ("work order", {"marco", "sara"}),
    "fleet-work-order-finish": ("work order", {"marco", "sara"}),
    "fleet-work-order-cancel": ("work order", {"marco", "sara"}),
    "charging-site-detail": ("site", {"luca", "elena"}),
    "charging-station-detail": ("station", {"luca", "elena"}),
    "charging-station-commands": ("station", {"luca"}),
    "charging-session-detail": ("session", {"luca"}),
    "charging-token-detail": ("charging token", {"luca"}),
    "charging-token-block": ("charging token", {"luca"}),
    "charging-token-unblock": ("charging token", {"luca"}),
    "charging-token-places": ("charging token", {"luca"}),
    "charging-tariff-detail": ("charging tariff", {"luca"}),
    "charging-tariff-versions": ("charging tariff", {"luca"}),
    "charging-tariff-publish": ("charging tariff", {"luca"}),
    "charging-record-detail": ("charge record", {"luca"}),
    "charging-record-credit": ("charge record", {"luca"}),
    "charging-signed-values": ("settled session", {"luca", "giulia"}),
    "charging-signed-values-file": ("settled session", {"luca", "giulia"}),
    "charging-correction": ("settled session", {"luca"}),
    "charging-verification": ("settled session", {"luca"}),
    "charging-meter-keys": ("station", {"luca"}),
    "charging-connector-tariff": ("connector", {"luca"}),
    "charging-command-detail": ("command", {"luca"}),
    "charging-station-variables": ("station", {"luca"}),
    "charging-station-logs": ("station", {"luca"}),
    "charging-station-local-list": ("station", {"luca"}),
    "charging-firmware-job-detail": ("firmware job", {"luca"}),
    "charging-log-job-detail": ("log job", {"luca"}),
    "charging-report-detail": ("station report", {"luca"}),
    "charging-site-load": ("site", {"luca"}),
    "charging-energy-demand-detail": ("energy demand", {"luca"}),
    "charging-energy-demand-withdraw": ("energy demand", {"luca"}),
    "charging-profile-detail": ("charging profile", {"luca"}),
    "charging-limit-detail": ("charging limit", {"luca"}),
    "charging-station-frames": ("station", {"luca"}),
    "charging-station-quirks": ("station", {"luca"}),
    "charging-station-security": ("station", {"luca"}),
    "charging-station-password": ("station", {"luca"}),
    "charging-station-security-profile": ("station", {"luca"}),
    "charging-certificate-detail": ("certificate", {"luca"}),
    "charging-certificate-revoke": ("certificate", {"luca"}),
    "webhook-endpoint": ("webhook endpoint", {"marco"}),
    "webhook-endpoint-pause": ("webhook endpoint", {"marco"}),
    "webhook-endpoint-resume": ("webhook endpoint", {"marco"}),
    "webhook-endpoint-rotate": ("webhook endpoint", {"marco"}),
    "webhook-endpoint-ping": ("webhook endpoint", {"marco"}),
    "webhook-endpoint-replay": ("webhook endpoint", {"marco"}),
    "webhook-deliveries": ("webhook endpoint", {"marco"}),
    "webhook-delivery": ("webhook delivery", {"marco"}),
    "webhook-delivery-replay": ("webhook delivery", {"marco"}),
}
# Bodies that are right in form, so that only the person can be what is wrong.
BODIES = {
    "case-messages": {"text": "hello"},
    "case-answer": {"text": "hello"},
    "case-resolve": {"text": "done", "resolution": "explained"},
    "trip-force-end": {"reason": "found in the canal"},
    "trip-photo-appeal": {"text": "it was blown over"},
    "trip-corrections": {"reason": "goodwill"},
    "trip-correction-apply": {"version": 2},
    "trip-correction-reject": {"version": 2},
    "trip-disputes": {"reason": "other"},
    "trip-dispute-accept": {"answer": "You are right."},
    "trip-dispute-reject": {"answer": "As shown."},
    "pass-renewal": {"auto_renew": False},
    "payment-refunds": {"cents": 1, "reason": "goodwill"},
    "fee-dispute": {"text": "I parked where the map said"},
    "money-fee-uphold": {"reason": "the picture shows it"},
    "money-fee-waive": {"reason": "the map was wrong"},
    "money-refund-reject": {"reason": "no"},
    "fleet-vehicle-commands": {"kind": "lock"},
    "fleet-vehicle-blocks": {"block": ["damage"], "lift": []},
    "fleet-vehicle-life": {"life_state": "workshop", "to": "workshop"},
    "fleet-vehicle-documents": {
        "kind": "insurance",
        "number": "P-1",
        "valid_from": "2026-01-01",
        "expires_on": "2030-12-31",
    },
    "fleet-vehicle-battery-swaps": {"serial": "BAT-1"},
    "fleet-vehicle-service-trip": {"reason": "test"},
    "fleet-vehicle-case": {"kind": "missing"},
    "fleet-alarm-assign": {"email": "sara@demo.example"},
    "fleet-task-drop": {"reason": "not_found"},
    "fleet-task-problem": {"category": "dirty"},
    "fleet-plan-vans": {"van": 0, "crew": "018f3f3e-0000-7000-8000-000000000001"},
    "fleet-plan-task-add": {"vehicle": "NOWHERE", "kind": "no such kind"},
    "fleet-task-lock": {"locked": True},
    "fleet-task-place": {"van": 0},
    "fleet-work-order-checklist": {"answers": [{"item": 1, "verdict": "passed"}]},
    "charging-station-commands": {"action": "reset"},
    "charging-tariff-versions": {"components": [], "valid_from": "2030-01-01T00:00:00Z"},
    "charging-tariff-publish": {"number": 1},
    "charging-record-credit": {"reason": "wrong meter"},
    "charging-correction": {"reason": "read by hand", "energy_wh": 1234},
    "charging-meter-keys": {"public_key": "no key"},
    "charging-station-variables": {"variables": [{"name": "HeartbeatInterval"}]},
    "charging-site-load": {"managed": False},
    "charging-station-security-profile": {"profile": 2},
}
# There is no receipt before the end; who may see it then, the bookings' own tests say.
NOT_YET = {"trip-receipt", "recharge-receipt", "trip-reward"}
# Deeds after which the row is no longer there for the next person of the walk.
ENDS_IT = {"desk-view", "webhook-endpoint", "payment-method", "charging-card"}
NOT_YOURS = {401, 403, 404, 405}


def names_of(patterns: list[URLPattern | URLResolver]) -> set[str]:
    names = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            names |= names_of(pattern.url_patterns)
        elif pattern.name:
            names.add(pattern.name)
    return names


def test_every_address_says_who_may_see_it() -> None:
    assert names_of(urls.api) == PUBLIC | BY_SECRET | OWN | LISTS.keys() | DETAILS.keys()


def test_lists_show_a_row_to_its_people_and_to_nobody_else(
    whole_city: WholeCity, api: Callable[[User | None], APIClient]
) -> None:
    clients = {person: api(user) for person, user in whole_city.people.items()}
    for name, (row, entitled) in LISTS.items():
        ref, address = whole_city.refs()[row], reverse(f"api:{name}")
        answers = {person: client.get(address) for person, client in clients.items()}
        assert {answer.status_code for answer in answers.values()} <= {200, 403}, name
        seen_by = {person for person, answer in answers.items() if ref in answer.content.decode()}
        assert seen_by == entitled, name
        assert api(None).get(address).status_code == 401, name


def walk(
    name: str, whole_city: WholeCity, clients: dict[str, APIClient]
) -> Iterator[tuple[str, str, int]]:
    """Every method of one address as everybody in `clients`: person, method, status."""
    address = reverse(f"api:{name}", kwargs={"public_id": whole_city.refs()[DETAILS[name][0]]})
    for person, client in clients.items():
        for method in methods_of(address):
            answer = getattr(client, method)(address, BODIES.get(name, {}))
            yield person, method, answer.status_code


def test_details_and_deeds_are_not_there_for_the_wrong_person(
    whole_city: WholeCity, api: Callable[[User | None], APIClient]
) -> None:
    clients = {person: api(user) for person, user in whole_city.people.items()} | {
        "nobody": api(None)
    }
    leaks = [
        (name, person, method, status)
        for name, (_row, entitled) in DETAILS.items()
        for person, method, status in walk(
            name,
            whole_city,
            {who: client for who, client in clients.items() if who not in entitled},
        )
        if status not in NOT_YOURS
    ]
    assert leaks == []


def test_the_right_person_is_not_turned_away(
    whole_city: WholeCity, api: Callable[[User | None], APIClient]
) -> None:
    """Otherwise the test above could pass with every door nailed shut."""
    for name in sorted(DETAILS.keys() - NOT_YET - ENDS_IT):
        for person in sorted(DETAILS[name][1]):
            # What one deed leaves, a task that is closed, would turn the next away.
            before = transaction.savepoint()
            statuses = {
                status
                for _, _, status in walk(name, whole_city, {person: api(whole_city.people[person])})
            }
            transaction.savepoint_rollback(before)
            assert statuses - NOT_YOURS, (name, person, statuses)
