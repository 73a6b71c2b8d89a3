"""What a finished listing says of the certificates a station holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from charging.certificates.facts import HeldCertificate


def held_certificates(listed: Iterable[Mapping[str, Any]]) -> list[HeldCertificate]:
    """Every certificate of every chain, those below under the use of the one above."""
    return [
        HeldCertificate(
            use=use,
            hash_algorithm=one["hash_algorithm"],
            issuer_name_hash=one["issuer_name_hash"],
            issuer_key_hash=one["issuer_key_hash"],
            serial=one["serial_number"],
        )
        for one, use in _flat(listed)
    ]


def _flat(listed: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], str]]:
    for one in listed:
        use = one.get("use", "")
        yield one, use
        for child in one.get("children") or ():
            yield child, use
