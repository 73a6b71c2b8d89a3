"""Sets of zones as staff's programs handle them: GeoJSON and the calls of the API."""

from typing import Any

from tests.fleet.zones.drawing import OPERATING, Box

SETS = "/api/v1/fleet/zone-sets"
PARK: Box = (9.19, 45.445, 9.20, 45.455)


def ring(box: Box) -> list[list[float]]:
    west, south, east, north = box
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def feature(kind: str, box: Box, *, code: str | None = None, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring(box)]},
        "properties": {"code": code or kind, "name": {"it": kind}, "kind": kind, **properties},
    }


def collection(*features: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features), **members}


AREA = feature("operating", OPERATING)


class Desk:
    """The sets of one person, by API."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def draft(self, *features: dict[str, Any], **fields: Any) -> str:
        """A new draft with these zones; its id."""
        answer = self.client.post(SETS, {"title": "Estate", **fields}, format="json")
        assert answer.status_code == 201, answer.content
        draft: str = answer.json()["id"]
        if features:
            assert self.put(draft, collection(*features)).status_code == 200
        return draft

    def put(self, draft: str, body: object) -> Any:
        return self.client.put(f"{SETS}/{draft}/zones", body, format="json")

    def publish(self, draft: str, **fields: Any) -> Any:
        return self.client.post(f"{SETS}/{draft}/publish", fields, format="json")

    def findings(self, draft: str) -> list[dict[str, Any]]:
        findings: list[dict[str, Any]] = self.client.get(f"{SETS}/{draft}/check").json()["findings"]
        return findings
