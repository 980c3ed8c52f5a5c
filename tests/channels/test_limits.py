"""Channels room: how much one may ask."""

from bot.channels.limits import PRUNE_AT, Buckets, client_address


def test_a_burst_is_allowed_and_then_the_pace() -> None:
    time = [0.0]
    buckets = Buckets(0.5, 3, lambda: time[0])
    assert [buckets.wait_for("a") for _ in range(4)] == [0, 0, 0, 2]
    time[0] = 2.0
    assert [buckets.wait_for("a") for _ in range(2)] == [0, 2]
    assert buckets.wait_for("b") == 0


def test_keys_that_are_not_used_any_more_take_no_memory() -> None:
    time = [0.0]
    buckets = Buckets(1.0, 2, lambda: time[0])
    for number in range(PRUNE_AT):
        buckets.wait_for(str(number))
    time[0] = 10.0
    buckets.wait_for("one more")
    assert len(buckets._buckets) == 1


def test_only_our_own_proxies_are_believed() -> None:
    assert client_address("10.0.0.1", "1.1.1.1, 2.2.2.2", 0) == "10.0.0.1"
    assert client_address("10.0.0.1", "1.1.1.1, 2.2.2.2", 1) == "2.2.2.2"
    assert client_address("10.0.0.1", "1.1.1.1, 2.2.2.2", 2) == "1.1.1.1"
    assert client_address("10.0.0.1", "2.2.2.2", 5) == "2.2.2.2"
    assert client_address(None, None, 1) == "?"
    assert client_address("10.0.0.1", "x" * 1000, 1) == "x" * 64


def test_an_ipv6_line_counts_as_one_address() -> None:
    assert client_address("2001:db8:1:2::1", None, 0) == client_address("2001:db8:1:2:ffff::9", None, 0)
