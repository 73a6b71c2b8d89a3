"""The published JSON schemas, as data of the package ``ocpp``, compiled once per process.

The schemas come with the MIT-licensed package; nothing of its code is used here. Drafts 04
and 06 are mixed in them, some files start with a byte order mark: both are handled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Final

import jsonschema_rs
import orjson

from charging.ocpp.rpc.errors import Fault, RpcError
from charging.ocpp.rpc.leniency import Mending, mend
from charging.ocpp.rpc.versions import Version

_FOLDERS: Final[dict[Version, str]] = {
    Version.V16: "v16",
    Version.V201: "v201",
    Version.V21: "v21",
}
_RESPONSE: Final = "Response"

_FAULTS: Final[dict[str, Fault]] = {
    "required": Fault.OCCURRENCE,
    "minItems": Fault.OCCURRENCE,
    "maxItems": Fault.OCCURRENCE,
    "type": Fault.TYPE,
    "additionalProperties": Fault.FORMAT,
}
"""JSON schema keyword → fault; every other keyword (enum, maxLength, format …) is PROPERTY."""


class Schemas:
    """The messages of one version: which actions exist, and whether a payload fits."""

    # An action without a response schema is sent without being answered (2.1: SEND).

    def __init__(self, version: Version) -> None:
        self.version = version
        self._requests: dict[str, Any] = {}
        self._responses: dict[str, Any] = {}
        for name, schema in _load(_FOLDERS[version]):
            validator = jsonschema_rs.validator_for(schema, validate_formats=True)
            if name.endswith(_RESPONSE):
                self._responses[name.removesuffix(_RESPONSE)] = validator
            else:
                self._requests[name.removesuffix("Request")] = validator

    @property
    def actions(self) -> frozenset[str]:
        """Every action the version defines, in either direction."""
        return frozenset(self._requests)

    def check_request(self, *, action: str, payload: dict[str, Any]) -> None:
        """Raise RpcError where ``payload`` is no valid request of the known ``action``."""
        _check(self._requests[action], payload)

    def mend_request(
        self,
        *,
        action: str,
        payload: dict[str, Any],
        forgiven: Collection[str],
    ) -> Mending | None:
        """A valid version of a refused request, as far as ``forgiven`` quirks explain it."""
        return mend(payload, forgiven=forgiven, errors=self._requests[action].iter_errors)

    def check_response(self, *, action: str, payload: dict[str, Any]) -> None:
        """Raise RpcError where ``payload`` is no valid answer to ``action``."""
        _check(self._responses[action], payload)


@cache
def schemas_of(version: Version) -> Schemas:
    """The compiled schemas of ``version``; the first call costs about 40 ms."""
    return Schemas(version)


def _load(folder: str) -> Iterable[tuple[str, dict[str, Any]]]:
    for entry in (files("ocpp") / folder / "schemas").iterdir():
        if entry.name.endswith(".json"):
            text = entry.read_bytes().decode("utf-8-sig")
            yield entry.name.removesuffix(".json"), orjson.loads(text)


def _check(validator: Any, payload: dict[str, Any]) -> None:
    if validator.is_valid(payload):
        return
    error = next(iter(validator.iter_errors(payload)))
    keyword = error.kind.name
    path = ".".join(str(part) for part in error.instance_path) or "payload"
    # Path and keyword only: the library's own sentence quotes what was sent.
    raise RpcError(_FAULTS.get(keyword, Fault.PROPERTY), f"{path}: {keyword}")
