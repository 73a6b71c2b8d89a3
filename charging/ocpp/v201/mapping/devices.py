"""Components and variables of the device model, there and back."""

from __future__ import annotations

from typing import Any

from charging.ocpp.rpc.frames import Payload
from charging.ocpp.saying import filled
from charging.ocpp.wire import connector


def variable_place(variable: dict[str, Any]) -> Payload:
    """Component, variable and attribute of one of our variables, as the wire names them."""
    evse = variable.get("evse")
    place = filled(id=evse, connectorId=variable.get("connector") or None) if evse else None
    attribute = variable.get("attribute")
    return filled(
        component=filled(
            name=variable["component"],
            instance=variable.get("component_instance") or None,
            evse=place,
        ),
        variable=filled(name=variable["name"], instance=variable.get("instance") or None),
        attributeType=attribute if attribute and attribute != "Actual" else None,
    )


def named_variable(one: Payload) -> dict[str, Any]:
    """The reverse: which variable and attribute something is said of."""
    component, variable = one["component"], one["variable"]
    evse = component.get("evse", {})
    return {
        "component": component["name"],
        "component_instance": component.get("instance", ""),
        "evse": connector(evse.get("id", 0), at_least=0),
        "connector": connector(evse.get("connectorId", 0), at_least=0),
        "name": variable["name"],
        "instance": variable.get("instance", ""),
        "attribute": one.get("attributeType", "Actual"),
    }
