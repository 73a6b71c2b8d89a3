"""Every page of the house, tried by everybody: who is let in, and that nobody else is.

The tables name every address of the URL conf; one that stands in none of them fails the first test.
Who is turned away gets the log-in, 403 or 404; who is let in, anything else.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from mobility.accounts.models import User
from tests.tenancy.conftest import WholeCity

# Everybody at every door: seconds on an idle machine, minutes on a busy one.
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]

EVERYBODY = frozenset(
    {"nobody", "giulia", "piero", "marco", "rivale", "sara", "luca", "scossa", "elena"}
)
SIGNED_IN = EVERYBODY - {"nobody"}
OPERATORS = frozenset({"marco", "rivale"})
FLEET = OPERATORS | {"sara"}
CHARGING = frozenset({"luca", "scossa"})
STAFF = FLEET | CHARGING | {"elena"}

# The log-in library's own pages, and what needs no person: who may open those, it decides itself.
OF_LIBRARIES = ("account_", "mfa_", "socialaccount_")
# Behind a secret in the address; tests of their own try the wrong ones.
BY_SECRET = {
    "payments:pay", "demo-bank", "recharges:guest-charge", "recharges:guest-stop",
    "recharges:guest-pay", "recharges:guest-receipt", "recharges:guest-paper", "recharges:guest-card",
}  # fmt: skip
# Not for people: asked by machines from this host, or with a token; and the way in itself.
FOR_MACHINES = {"healthz", "readyz", "metrics", "set_language", "admin:login", "desk:login"}
LOG_IN = ("/accounts/login/", "/admin/login/")

# Pages without a row in their address.
PLAIN: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        ("schema", "docs", "resident:map", "resident:worker", "resident:offline",
         "crew:worker"),
        EVERYBODY,
    ),
    **dict.fromkeys(
        ("resident:account", "resident:help", "resident:new-case", "resident:bookings",
         "resident:offer", "resident:wallet", "resident:fees", "resident:add-card",
         "resident:card-back", "resident:credit", "resident:passes", "resident:redeem",
         "resident:rewards", "resident:receipts", "resident:billing", "resident:profile", "resident:about-me",
         "resident:papers", "resident:licence", "resident:identity", "resident:rules",
         "resident:consents", "resident:data", "resident:notifications", "resident:erase",
         "resident:find-car"),
        SIGNED_IN,
    ),
    **dict.fromkeys(("desk:home", "desk:map", "admin:index"), STAFF),
    **dict.fromkeys(
        ("desk:alarms", "desk:work-orders", "desk:tasks", "crew:route"), FLEET
    ),
    # A sheet is of a van's route today, and nobody of the walk drives one.
    **dict.fromkeys(("crew:sheet", "crew:sheet-pdf"), frozenset[str]()),
    "admin:jsi18n": STAFF,
    "desk:trail": STAFF - {"sara"},
    "desk:zones": FLEET | {"elena"},
    "desk:support": OPERATORS | CHARGING,
    "desk:chargers": CHARGING,
    "admin:charging_statements": CHARGING,
    "admin:bookings_receipt_totals": OPERATORS | CHARGING,
    "admin:fleet_vehicle_bulk_edit": OPERATORS,
    "admin:fleet_vehicle_bulk_order": OPERATORS,
    "admin:fleet_vehicle_bulk_service": OPERATORS,
    "admin:fleet_vehicle_export": FLEET | {"elena"},
    "admin:fleet_vehicle_import": OPERATORS,
}  # fmt: skip


def keys(rows: dict[str, Any], people: dict[str, User]) -> dict[str, dict[str, Any]]:
    """For each page about somebody's row the row in its address."""
    giulia = people["giulia"].public_id
    ref = {name: getattr(row, "public_id", None) for name, row in rows.items()}
    station, site, zones = rows["station"].pk, rows["site"].pk, rows["zone set"].pk
    return {
        "resident:book": {"vehicle": "TENANT1"},
        "resident:charge-at": {"station": "TENANT-CP"},
        "resident:car-calendar": {"code": "TENANT-CAR"},
        "recharges:guest-start": {"code": "NOSUCH"},
        "resident:trip": {"id": ref["trip"]},
        "resident:trip-receipt": {"id": ref["trip"]},
        "resident:recharge": {"id": ref["recharge"]},
        "resident:recharge-receipt": {"id": ref["recharge"]},
        "resident:ride": {"public_id": ref["trip"]},
        "resident:case": {"public_id": ref["case"]},
        "resident:booking": {"public_id": ref["booking"]},
        "resident:movements": {"public_id": rows["vehicle"].organisation.public_id},
        "resident:top-up": {"public_id": ref["payment"]},
        "desk:vehicle": {"ref": "TENANT1"},
        "desk:zone-editor": {"public_id": ref["zone set"]},
        "desk:support-person": {"public_id": giulia},
        "desk:support-refund": {"public_id": giulia},
        "desk:support-decide": {"public_id": giulia, "refund_id": ref["refund"]},
        "desk:support-answer": {"public_id": giulia, "case_id": ref["case"]},
        "desk:support-trip": {"public_id": giulia, "trip_id": ref["trip"]},
        **{
            f"admin:charging_station_{deed}": {"pk": station}
            for deed in (
                "command", "question", "ticket", "password", "connectors", "parts", "first"
            )
        },
        "admin:charging_site_power": {"pk": site},
        **{
            f"admin:fleet_zoneset_{deed}": {"pk": zones} for deed in ("publish", "rollback", "copy")
        },
    }  # fmt: skip


# Whose rows those are.
ROWS: dict[str, frozenset[str]] = {
    # Shells that know nothing: what is on them, the API tells to whom it belongs.
    **dict.fromkeys(("resident:book", "resident:charge-at"), EVERYBODY),
    **dict.fromkeys(
        ("resident:car-calendar", "resident:trip", "resident:trip-receipt", "resident:recharge", "resident:recharge-receipt"),
        SIGNED_IN,
    ),
    "recharges:guest-start": frozenset(),
    **dict.fromkeys(("resident:ride", "resident:case", "resident:booking"), frozenset({"giulia"})),
    # Whose name an organisation's credit bears, everybody may know; the movements are one's own.
    "resident:movements": SIGNED_IN,
    "resident:top-up": frozenset({"giulia"}),
    "desk:vehicle": frozenset({"marco", "sara", "elena"}),
    "desk:zone-editor": frozenset({"marco", "sara", "elena"}),
    **dict.fromkeys(("desk:support-person", "desk:support-refund"), frozenset({"marco", "luca"})),
    **dict.fromkeys(
        ("desk:support-decide", "desk:support-answer", "desk:support-trip"), frozenset({"marco"})
    ),
    **dict.fromkeys(
        ("admin:charging_station_command", "admin:charging_station_question",
         "admin:charging_station_password", "admin:charging_station_connectors",
         "admin:charging_station_first", "admin:charging_site_power"),
        frozenset({"luca"}),
    ),
    "admin:charging_station_parts": frozenset({"luca", "elena"}),
    # A ticket is about a fault, and the station of the walk has none.
    "admin:charging_station_ticket": frozenset(),
    **dict.fromkeys(
        ("admin:fleet_zoneset_publish", "admin:fleet_zoneset_rollback", "admin:fleet_zoneset_copy"),
        frozenset({"marco"}),
    ),
}  # fmt: skip


def deeds(rows: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What residents do at pages about their own rows: Giulia's, so that anybody else is led back."""
    ref = {name: getattr(row, "public_id", None) for name, row in rows.items()}
    return {
        "resident:ride-photo": {"public_id": ref["trip"]},
        "resident:photo-appeal": {"public_id": ref["trip"], "photo": ref["end photo"]},
        "resident:cancel-booking": {"public_id": ref["booking"]},
        "resident:booking-photos": {"public_id": ref["booking"]},
        "resident:pay-debt": {"public_id": ref["payment"]},
        "resident:card": {"public_id": ref["payment method"]},
        "resident:pass": {"public_id": ref["pass"]},
        "resident:reward": {"public_id": ref["reward"]},
        "resident:invoice": {"public_id": ref["receipt"]},
        "resident:push-device": {"public_id": ref["trip"]},
    }


DEEDS = {
    "resident:ride-photo", "resident:photo-appeal", "resident:cancel-booking", "resident:pay-debt",
    "resident:card", "resident:pass", "resident:reward", "resident:invoice", "resident:push-device",
    "resident:booking-photos",
}  # fmt: skip


def names(resolver: Any, namespace: str = "") -> Iterator[str]:
    """The name of every address but those of the API, which `test_api.py` walks."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            if pattern.namespace != "api":
                yield from names(pattern, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield f"{namespace}{pattern.name}"


def of_admin(name: str) -> bool:
    """The admin's own pages of a model: `test_admin.py` walks their rows, `LISTS` their lists."""
    kinds = ("_changelist", "_add", "_change", "_delete", "_history")
    own = {"autocomplete", "view_on_site", "app_list", "logout", "password_change_done"}
    bare = name.removeprefix("admin:")
    return name.startswith("admin:") and (bare.endswith(kinds) or bare in own)


def client_of(user: User | None) -> Client:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def let_in(client: Client, address: str) -> bool:
    """Whether this person gets any further than the door."""
    answers = [client.get(address)]
    if answers[0].status_code == 405 or "bulk" in address:
        # Some pages are deeds, and answer to nothing else.
        answers.append(client.post(address))
    for answer in answers:
        assert answer.status_code < 500, (address, answer.status_code)
        to_log_in = answer.status_code == 302 and answer["Location"].startswith(LOG_IN)
        if not to_log_in and answer.status_code not in {401, 403, 404, 405}:
            return True
    return False


def led_back(client: Client, address: str) -> bool:
    """Whether a deed of a resident's page says no: 404, the log-in, or back with a sentence."""
    answer = client.post(address, follow=True)
    if answer.redirect_chain and answer.redirect_chain[0][0].startswith(LOG_IN):
        return True
    told = [message.level_tag for message in (answer.context or {}).get("messages", [])]
    return answer.status_code in {403, 404, 405} or "error" in told


def test_every_page_says_who_may_open_it() -> None:
    known = {*PLAIN, *ROWS, *DEEDS, *BY_SECRET, *FOR_MACHINES}
    there = {
        name
        for name in names(get_resolver())
        if not of_admin(name) and not name.startswith(OF_LIBRARIES)
    }
    assert there - known == set()
    assert known - there == set()


def test_everybody_tries_every_page(whole_city: WholeCity) -> None:
    people = whole_city.people
    addresses = {name: reverse(name) for name in PLAIN}
    addresses |= {
        name: reverse(name, kwargs=kwargs) for name, kwargs in keys(whole_city.rows, people).items()
    }
    assert set(addresses) == {*PLAIN, *ROWS}
    wrong = []
    for who in sorted(EVERYBODY):
        client = client_of(people.get(who))
        for name, address in addresses.items():
            expected = who in (PLAIN | ROWS)[name]
            if let_in(client, address) is not expected:
                wrong.append((name, who, "turned away" if expected else "let in"))
    assert wrong == []


def test_nobody_does_anything_with_what_is_somebody_elses(whole_city: WholeCity) -> None:
    addresses = {name: reverse(name, kwargs=row) for name, row in deeds(whole_city.rows).items()}
    assert set(addresses) == DEEDS
    for who in sorted(EVERYBODY - {"giulia"}):
        client = client_of(whole_city.people.get(who))
        for name, address in addresses.items():
            assert led_back(client, address), (name, who)


# One of each role; the other companies' people have the same pages, and see none of our rows there.
ROLES = ("nobody", "giulia", "marco", "sara", "luca", "elena")

# Which lists of the admin open, by who they open for.
LISTS: dict[str, set[str]] = {
    "": {
        "account.EmailAddress", "bookings.BillingDetails", "fleet.RetentionRun",
        "mfa.Authenticator", "mobility.ApiToken", "mobility.AuditEntry",
        "mobility.Organisation", "mobility.OutboxEvent", "mobility.PrivacyRequest",
        "mobility.User", "socialaccount.SocialAccount", "socialaccount.SocialApp",
        "socialaccount.SocialToken",
    },
    "elena luca": {
        "charging.ChargingStation", "charging.Connector", "charging.Site",
    },
    "elena luca marco sara": {
        "mobility.City", "mobility.District", "mobility.Hub",
    },
    "elena marco": {
        "bookings.DiscountStatus", "bookings.PassProduct", "bookings.PriceLimit",
        "bookings.Tariff", "bookings.TariffVersion",
    },
    "elena marco sara": {
        "fleet.Vehicle", "fleet.VehicleCommand", "fleet.VehicleDocument", "fleet.VehicleEvent",
        "fleet.VehicleType", "fleet.Zone", "fleet.ZoneSet",
    },
    "luca": {
        "bookings.ConnectorCode", "bookings.KeptConnector", "bookings.Recharge",
        "charging.BatterySwap", "charging.CertificateRequest", "charging.ChargeRecord",
        "charging.ChargingLimit", "charging.ChargingProfile", "charging.ChargingSession",
        "charging.DeviceEvent", "charging.DeviceVariable", "charging.DisplayMessage",
        "charging.EnergyDemand", "charging.FirmwareJob", "charging.InboxMessage",
        "charging.LocalList", "charging.LogJob", "charging.MeterKey", "charging.Overflow",
        "charging.QuirkCount", "charging.QuirkProfile", "charging.RefusedHandshake",
        "charging.Report", "charging.SecurityEvent", "charging.SignedValue",
        "charging.SiteLoad", "charging.StationCertificate", "charging.StationCommand",
        "charging.StationFrame", "charging.StationTicket", "charging.Tariff",
        "charging.TariffVersion", "charging.Token", "charging.VariableMonitor",
    },
    "luca marco": {
        "bookings.Anomaly", "bookings.Fee", "bookings.FeeKind", "bookings.GoodwillRule",
        "bookings.LedgerAccount", "bookings.LedgerEntry", "bookings.LedgerTransaction",
        "bookings.Payment", "bookings.PaymentPolicy", "bookings.Receipt", "bookings.Refund",
        "bookings.StatementLine", "bookings.SupportCase", "bookings.VehicleCharge",
        "mobility.WebhookDelivery", "mobility.WebhookEndpoint",
    },
    "marco": {
        "bookings.AccessPolicy", "bookings.Booking", "bookings.DrivingLicence",
        "bookings.EndPhoto", "bookings.IdentityCheck", "bookings.Incident", "bookings.Pass",
        "bookings.PerkUse", "bookings.PromoCode", "bookings.PromoRedemption",
        "bookings.Reservation", "bookings.ReservationPolicy", "bookings.RewardBudget",
        "bookings.RewardClaim", "bookings.RewardDay", "bookings.RiderBlock",
        "bookings.RuleText", "bookings.StartPhoto", "bookings.Trip", "bookings.TripDispute", "bookings.TripPolicy",
        "bookings.TripVersion", "fleet.IncentiveOffer", "fleet.IncentivePolicy",
    },
    "marco sara": {
        "fleet.Alarm", "fleet.Battery", "fleet.BatterySwap", "fleet.ChecklistTemplate",
        "fleet.ClosedHours", "fleet.DayReplay", "fleet.Depot", "fleet.Device",
        "fleet.FaultReport", "fleet.Integration", "fleet.MaintenanceRule",
        "fleet.QuarantinedPoint", "fleet.RebalancingPlan", "fleet.RebalancingTask",
        "fleet.ServiceTrip", "fleet.SpeedLimitOrder", "fleet.TravelTable", "fleet.TripTrack",
        "fleet.Van", "fleet.VehicleCase", "fleet.VehicleHold", "fleet.WorkOrder",
        "fleet.ZoneCrossing",
    },
}  # fmt: skip


def test_everybody_tries_every_list_of_the_admin(whole_city: WholeCity) -> None:
    opened: dict[str, set[str]] = {}
    clients = {who: client_of(whole_city.people.get(who)) for who in sorted(ROLES)}
    for model in admin.site._registry:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        who = " ".join(name for name, client in clients.items() if let_in(client, address))
        opened.setdefault(who, set()).add(model._meta.label)
    assert opened == LISTS
