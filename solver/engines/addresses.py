"""Which network addresses an engine may be asked to talk to.

`base_url` is user input: without a guard, "test connection" would be a way to reach the cloud's metadata
service or a database on the private network through the lab's server. Every address a name resolves to is
checked, at the moment of connecting, so that a name cannot change its meaning between check and use.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA = frozenset({ipaddress.ip_address("169.254.169.254"), ipaddress.ip_address("fd00:ec2::254")})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(Exception):
    """The engine's address points where it may not; the message is one sentence with the mend."""


@dataclass(frozen=True, slots=True)
class AddressRule:
    """Public addresses are always allowed; the rest by explicit flag. Metadata services never are."""

    allow_private: bool = False
    allow_loopback: bool = False

    def check(self, host: str, literal: str) -> None:
        """Raise AddressRefused when `literal`, an IP that `host` stands for, is not allowed."""
        address = _innermost(ipaddress.ip_address(literal.partition("%")[0]))
        shown = host if host == literal else f"{host} ({literal})"
        if address in _METADATA:
            raise AddressRefused(
                f"{shown} is a cloud metadata service, which no engine may be asked to reach."
            )
        if address.is_unspecified or address.is_multicast:
            raise AddressRefused(f"{shown} is not the address of a server; name the server's own address.")
        if address.is_loopback:
            if not self.allow_loopback:
                raise AddressRefused(f"{shown} is this machine; set allow_loopback: true if that is meant.")
        elif not address.is_global and not self.allow_private:
            raise AddressRefused(
                f"{shown} is on a private network; set allow_private: true if that is meant."
            )


def _innermost(address: Address) -> Address:
    """The IPv4 address that an IPv6 address carries (mapped, 6to4, NAT64), or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def literal_address(host: str) -> str | None:
    """`host` as an IP address when it is one, including the short and decimal forms that libc accepts."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not host or not all(part and (part.isdigit() or _is_hex(part)) for part in host.split(".")):
        return None
    return _legacy_ipv4(host)


def _is_hex(part: str) -> bool:
    return part[:2].lower() == "0x" and all(c in "0123456789abcdefABCDEF" for c in part[2:])


def _legacy_ipv4(host: str) -> str | None:
    """inet_aton's forms: `127.1`, `2130706433`, `0x7f.0.0.1`, octal parts."""
    import socket

    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None
