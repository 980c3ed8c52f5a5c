"""How much one conversation or one address may ask. Channels room; keeps its counts in memory only."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable

PRUNE_AT = 10_000  # keys; those that have not used anything lately are dropped then


class Buckets:
    """A bucket of tokens per key: `burst` at once, refilled at `per_second`."""

    def __init__(self, per_second: float, burst: int, now: Callable[[], float]) -> None:
        """Args: per_second: refill; burst: size; now: seconds of a clock that only goes forward."""
        self._per_second = per_second
        self._burst = float(burst)
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_for(self, key: str) -> int:
        """Take one token. 0 when there was one, else the whole seconds until there is."""
        now = self._now()
        left = self._left(key, now)
        if left < 1:
            return max(1, math.ceil((1 - left) / self._per_second))
        if len(self._buckets) >= PRUNE_AT and key not in self._buckets:
            self._buckets = {k: v for k, v in self._buckets.items() if self._left(k, now) < self._burst}
        self._buckets[key] = (left - 1, now)
        return 0

    def _left(self, key: str, now: float) -> float:
        left, at = self._buckets.get(key, (self._burst, now))
        return min(self._burst, left + (now - at) * self._per_second)


def client_address(remote: str | None, forwarded_for: str | None, trusted_proxies: int) -> str:
    """Whose request this is, for counting only.

    Args:
        remote: the address that connected.
        forwarded_for: the X-Forwarded-For header.
        trusted_proxies: how many of its last entries our own proxies wrote.

    Returns:
        An address; of IPv6 the /64 network, since one line has all of it.
    """
    address = remote or "?"
    if trusted_proxies and forwarded_for:
        hops = [hop.strip() for hop in forwarded_for.split(",")]
        address = hops[-min(trusted_proxies, len(hops))]
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
