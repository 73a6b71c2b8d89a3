"""Several cables at one EVSE, another station like this one, and what was changed on the street."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from charging.desk.forms import ConnectorsFormSet, lines_of, plans_of
from charging.stations.models import ChargingStation, Connector
from charging.stations.queries import connectors_of_station
from charging.stations.services import ConnectorPlan, ConnectorsMalformed, change_station
from mobility.accounts.models import Organisation, User
from mobility.core.principals import SYSTEM
from tests.charging.desk.test_commissioning import lines, wish
from tests.charging.fixtures import NOON, MakeStation

pytestmark = pytest.mark.django_db
ADD = "/admin/charging/chargingstation/add/"
AC = {"count": 2}
CCS = {"count": 2, "standard": "IEC_62196_T2_COMBO", "power_type": "DC", "max_power_w": 150_000}
CHADEMO = {
    "count": "",
    "beside": "on",
    "standard": "CHADEMO",
    "power_type": "DC",
    "max_power_w": 50_000,
}


@pytest.fixture
def desk(luca: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(luca)
    return client


def places(station: ChargingStation) -> list[tuple[int, int, str]]:
    return list(
        connectors_of_station(station_id=station.pk).values_list(
            "evse__number", "number", "standard"
        )
    )


@pytest.fixture
def triple(desk: Client, colonnine: Organisation) -> ChargingStation:
    """Two sockets of their own, then two EVSEs with a CCS and a CHAdeMO cable each."""
    told = wish(organisation=colonnine.pk, **lines(AC, CCS, CHADEMO))
    assert desk.post(ADD, told).status_code == 302
    return ChargingStation.objects.get(identity="NEW-1")


def test_cables_that_share_an_evse(triple: ChargingStation) -> None:
    assert places(triple) == [
        (1, 1, "IEC_62196_T2"),
        (2, 1, "IEC_62196_T2"),
        (3, 1, "IEC_62196_T2_COMBO"),
        (3, 2, "CHADEMO"),
        (4, 1, "IEC_62196_T2_COMBO"),
        (4, 2, "CHADEMO"),
    ]


def test_another_station_like_this_one(triple: ChargingStation, desk: Client) -> None:
    page = desk.get(f"{ADD}?like={triple.pk}").context
    assert page["form"].initial["site"] == triple.site_id
    told: dict[str, Any] = {
        "site": triple.site_id,
        "identity": "NEW-2",
        "security_profile": 1,
        "ocpp_versions": page["form"].initial["ocpp_versions"],
    }
    for number, line in enumerate(page["lines"].forms):
        for name in line.fields:
            value = line[name].value()
            if value not in (None, False):
                told[f"connectors-{number}-{name}"] = "on" if value is True else value
    told |= {
        "connectors-TOTAL_FORMS": len(page["lines"].forms),
        "connectors-INITIAL_FORMS": page["lines"].initial_form_count(),
    }
    assert desk.post(ADD, told).status_code == 302
    twin = ChargingStation.objects.get(identity="NEW-2")
    assert places(twin) == places(triple)
    assert twin.site == triple.site


def test_lines_and_plans_are_each_other_s_mirror(triple: ChargingStation) -> None:
    told = lines_of(connectors_of_station(station_id=triple.pk))
    assert [(line["count"], line["beside"]) for line in told] == [
        (2, False),
        (2, False),
        (None, True),
    ]


def test_a_line_without_a_count_is_asked_for_it(desk: Client) -> None:
    page = desk.post(ADD, wish(**lines({"count": "", "max_power_w": 11_000})))
    assert page.status_code == 200
    assert "How many?" in page.content.decode()
    formset = ConnectorsFormSet({"connectors-TOTAL_FORMS": 1, "connectors-INITIAL_FORMS": 0})
    assert not formset.is_valid()
    assert plans_of([]) == []


def test_a_foreign_station_is_no_pattern(triple: ChargingStation, scossa: User) -> None:
    foreign = Client()
    foreign.force_login(scossa)
    assert foreign.get(f"{ADD}?like={triple.pk}").context["form"].initial == {}
    assert foreign.get(f"{ADD}?like=x").status_code == 200
    page = f"/admin/charging/chargingstation/{triple.pk}/connectors/"
    assert foreign.get(page).status_code == 404


def test_what_was_changed_on_the_street(triple: ChargingStation, desk: Client) -> None:
    page = f"/admin/charging/chargingstation/{triple.pk}/connectors/"
    shown = desk.get(page).context
    told: dict[str, Any] = {
        "site": triple.site_id,
        "connectors-TOTAL_FORMS": 6,
        "connectors-INITIAL_FORMS": 6,
        "more-TOTAL_FORMS": 2,
        "more-INITIAL_FORMS": 0,
        "more-0-count": 1,
    }
    for number, line in enumerate(shown["kinds"].forms):
        told |= {f"connectors-{number}-{name}": line[name].value() for name in line.fields}
    for number in range(2):
        told |= {
            f"more-{number}-standard": "IEC_62196_T2",
            f"more-{number}-format": "SOCKET",
            f"more-{number}-power_type": "AC_3_PHASE",
            f"more-{number}-max_power_w": 22_000,
        }
    told["connectors-0-max_power_w"] = 11_000
    assert desk.post(page, told).status_code == 302
    assert len(places(triple)) == 7
    assert places(triple)[-1] == (5, 1, "IEC_62196_T2")
    first = connectors_of_station(station_id=triple.pk)[0]
    assert (first.max_power_w, first.evse.number) == (11_000, 1)
    # A form of another page, or of nobody's.
    assert desk.post(page, told | {"connectors-TOTAL_FORMS": 2}).status_code == 200
    assert desk.post(page, told | {"connectors-INITIAL_FORMS": 0}).status_code == 200
    assert desk.post(page, told | {"connectors-0-max_power_w": 1}).status_code == 200


def test_a_station_moves_within_its_operator_while_nobody_charges(
    make_station: MakeStation, desk: Client, scossa: User
) -> None:
    station = make_station("CP1")
    other = make_station("CP2", site_name="Lodi").site
    foreign = make_station(
        "CP3", site_name="Altrui", organisation=Organisation.objects.get(slug="scossa")
    ).site
    page = f"/admin/charging/chargingstation/{station.pk}/connectors/"
    connector = station.evses.get().connectors.get()
    told = {
        "site": other.pk,
        "connectors-TOTAL_FORMS": 1,
        "connectors-INITIAL_FORMS": 1,
        "connectors-0-standard": connector.standard,
        "connectors-0-format": connector.format,
        "connectors-0-power_type": connector.power_type,
        "connectors-0-max_power_w": connector.max_power_w,
        "more-TOTAL_FORMS": 0,
        "more-INITIAL_FORMS": 0,
    }
    assert desk.post(page, told | {"site": foreign.pk}).status_code == 200
    Connector.objects.filter(pk=connector.pk).update(status="Occupied")
    assert "while nobody is plugged in" in desk.post(page, told).content.decode()
    Connector.objects.filter(pk=connector.pk).update(status="Available")
    assert desk.post(page, told).status_code == 302
    station.refresh_from_db()
    assert station.site == other


def test_nobody_builds_sixty_five(make_station: MakeStation) -> None:
    station = make_station("CP1")
    with pytest.raises(ConnectorsMalformed):
        change_station(
            station_id=station.pk,
            site=station.site,
            connectors={station.evses.get().connectors.get().pk: ConnectorPlan()},
            more=[ConnectorPlan()] * 64,
            at=NOON,
            by=SYSTEM,
        )


def test_the_sheet_of_a_station_is_there_at_once(
    triple: ChargingStation, desk: Client, scossa: User
) -> None:
    address = f"/api/v1/charging/stickers.pdf?station={triple.public_id}"
    paper = desk.get(address)
    assert paper["Content-Type"] == "application/pdf"
    foreign = Client()
    foreign.force_login(scossa)
    assert len(foreign.get(address).content) < len(paper.content)
    assert desk.get("/api/v1/charging/stickers.pdf?station=x").status_code == 400
