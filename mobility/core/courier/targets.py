"""Where a message to a stranger may go: the open Internet, by https, and nowhere else."""

import dataclasses
import ipaddress
from urllib.parse import urlsplit


def is_public(address: str) -> bool:
    """Whether an IP address lies in the open Internet, however it is written.

    Not so: private, loopback, link-local (with the clouds' metadata), shared, reserved and multicast
    ones, and IPv6 addresses that stand for an IPv4 one.
    """
    try:
        one = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    # 6to4 alone of the embedding ranges counts as global and is not reserved.
    hidden = isinstance(one, ipaddress.IPv6Address) and (
        one.sixtofour or one.ipv4_mapped or one.is_site_local
    )
    return one.is_global and not (one.is_multicast or one.is_reserved or hidden)


@dataclasses.dataclass(frozen=True)
class Target:
    """An endpoint's address, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The host as the receiver knows itself, with the port if it is not the usual one."""
        usual = {"https": 443, "http": 80}[self.scheme]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == usual else f"{host}:{self.port}"


class BadTarget(ValueError):
    """The address cannot be an endpoint's; the argument is a code that says why."""


def target_of(url: str, *, allow_private: bool = False) -> Target:
    """Take an endpoint's address apart, raising `BadTarget` where nothing may be sent.

    Only https, no user or password in it, no fragment, and no IP address that is not public; names
    are judged when they are looked up. `allow_private` lets tests call their own machine by http.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadTarget("malformed") from error
    if parts.scheme not in ({"https", "http"} if allow_private else {"https"}):
        raise BadTarget("not_https")
    host = (parts.hostname or "").rstrip(".")
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise BadTarget("malformed")
    if not allow_private and ((_is_literal(host) and not is_public(host)) or host == "localhost"):
        raise BadTarget("not_public")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    default = 443 if parts.scheme == "https" else 80
    return Target(scheme=parts.scheme, host=host, port=port or default, path=path)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # "127.1" and "2130706433" are addresses to a resolver, and names to nobody.
        return host.replace(".", "").isdecimal() or host.startswith("0x")
    return True
