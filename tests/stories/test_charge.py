"""Cars charge over OCPP: one bought in the app, one with a card, on both versions of the protocol."""

import pytest

from mobility.simulator.credentials import ChargerSpec
from tests.stories.people import Body, Caller, credentials_of, resident, sign_in
from tests.stories.plugs import chargers_of, code_of, free_plug
from tests.stories.processes import House
from tests.stories.street import open_chargers

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("house")]


@pytest.mark.parametrize("protocol", ["ocpp1.6", pytest.param("ocpp2.0.1", marks=pytest.mark.long)])
def test_a_resident_buys_a_charge_and_the_operator_sees_it(house: House, protocol: str) -> None:
    """Price, remote start, live energy, stop, receipt; nobody else may look."""
    driver, stranger = resident(house, 2), resident(house, 3)
    charger = chargers_of(house, protocol)[0]
    with open_chargers(credentials_of(house), {charger.identity}, speed=12, tokens=[]):
        plug = free_plug(driver, charger)
        assert plug["price"]["kwh_cents"] > 0
        bought = driver.post("recharges", {"connector": plug["id"]}, status=201)
        path = f"recharges/{bought['id']}"
        driver.wait_for(path, lambda seen: seen["state"] == "charging", what="the remote start")
        driver.wait_for(path, _worth_a_price, what="energy", patience_s=120)
        stranger.get(path, status=404)
        driver.post(f"{path}/stop")
        paid = driver.wait_for(path, lambda seen: seen["state"] == "settled", what="the payment")
    receipt = driver.get(f"{path}/receipt")
    assert receipt["total_cents"] == paid["price_cents"]
    assert sum(line["cents"] for line in receipt["lines"]) == receipt["total_cents"]
    sessions = sign_in(house, "luca@demo.example").get("charging/sessions")["results"]
    mine = [row for row in sessions if row["identity"] == charger.identity]
    assert mine[0]["energy_wh"] == paid["energy_wh"]
    assert mine[0]["price_cents"] == paid["price_cents"]


def test_somebody_without_an_account_charges_from_the_sticker(house: House) -> None:
    """A code, a card, a link: the charge is theirs alone, and never dearer than they said."""
    passer_by, stranger = Caller(house), resident(house, 3)
    charger = chargers_of(house, "ocpp1.6")[2]
    with open_chargers(credentials_of(house), {charger.identity}, speed=12, tokens=[]):
        free_plug(passer_by, charger)
        code = code_of(house, charger)
        assert passer_by.get("recharge-quotes", code=code)["prices"][0]["kind"] == "energy"
        order = {"code": code, "card": "demo-ok", "limit_cents": 500, "language": "en"}
        begun = passer_by.post("ad-hoc-recharges", order, status=201)
        path = f"ad-hoc-recharges/{begun['secret']}"
        passer_by.wait_for(path, lambda seen: seen["state"] == "charging", what="the start")
        passer_by.wait_for(path, _worth_a_price, what="energy", patience_s=120)
        stranger.get(f"recharges/{begun['id']}", status=404)
        page = passer_by.http.get(begun["watch_url"])
        assert page.status_code == 200
        assert 'http-equiv="refresh"' in page.text
        passer_by.post(f"{path}/stop")
        paid = passer_by.wait_for(path, lambda seen: seen["state"] == "settled", what="payment")
    receipt = passer_by.get(f"{path}/receipt")
    assert 0 < receipt["total_cents"] == paid["price_cents"] <= 500


@pytest.mark.long
def test_a_driver_with_a_card_is_settled_without_anybody_looking(house: House) -> None:
    """A tap, a stay, an unplug; the session is complete and priced by itself."""
    luca = sign_in(house, "luca@demo.example")
    credentials, charger = credentials_of(house), chargers_of(house, "ocpp1.6")[1]
    card = credentials.tokens[0]
    with open_chargers(credentials, {charger.identity}, speed=240, tokens=[card], seed=4):
        sessions = luca.wait_for(
            "charging/sessions",
            lambda seen: any(_settled(row, charger) for row in seen["results"]),
            what="a settled session",
            patience_s=100,
        )
    session = next(row for row in sessions["results"] if _settled(row, charger))
    assert session["token_uid"].upper() == card.upper()
    assert session["complete"]
    assert session["energy_wh"] >= 0
    assert sum(line["cents"] for line in session["lines"]) == session["price_cents"]


def _worth_a_price(seen: Body) -> bool:
    """More than a tick of the meter: below it a charge costs nothing."""
    return int(seen["energy_wh"]) >= 200


def _settled(row: Body, charger: ChargerSpec) -> bool:
    return row["identity"] == charger.identity and row["state"] == "settled"
