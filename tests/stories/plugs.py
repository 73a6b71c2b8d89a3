"""Where one can charge, as people find out: a charger of the demo city, a free connector, what its sticker says."""

from mobility.simulator.credentials import ChargerSpec
from tests.stories.people import Body, Caller, credentials_of, sign_in
from tests.stories.processes import House

AROUND_MILAN = {"lat": 45.4642, "lon": 9.19, "radius_m": 20_000, "limit": 200}


def chargers_of(house: House, protocol: str) -> list[ChargerSpec]:
    """Those that speak this protocol."""
    return [spec for spec in credentials_of(house).chargers if spec.protocol == protocol]


def free_plug(person: Caller, charger: ChargerSpec) -> Body:
    """The first free connector of the charger, once anybody can see it; under `site` where it is."""

    def plugs(seen: Body) -> list[Body]:
        return [
            plug | {"site": site["id"]}
            for site in seen["results"]
            for station in site["stations"]
            if station["identity"] == charger.identity
            for plug in station["connectors"]
            if plug["status"] == "Available"
        ]

    seen = person.wait_for(
        "stations", lambda seen: bool(plugs(seen)), what="a plug", **AROUND_MILAN
    )
    return plugs(seen)[0]


def code_of(house: House, charger: ChargerSpec) -> str:
    """What the sticker at the charger says; its operator has printed it."""
    codes = sign_in(house, "luca@demo.example").get("charging/connector-codes", limit=200)
    mine = [row["code"] for row in codes["results"] if row["station"] == charger.identity]
    return str(mine[0])
