"""Hosts and networks as a person writes them, and how many are too many."""

import pytest

from lmdeck.config.errors import ConfigError
from lmdeck.diagnosis.addresses import MOST, Address, addresses


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpubox", [Address("gpubox", 1234)]),
        ("gpubox:1235", [Address("gpubox", 1235)]),
        ("http://gpubox:1235/", [Address("gpubox", 1235)]),
        ("10.0.0.7", [Address("10.0.0.7", 1234)]),
        ("10.0.0.7/32", [Address("10.0.0.7", 1234)]),
        ("10.0.0.1/30", [Address("10.0.0.1", 1234), Address("10.0.0.2", 1234)]),
        ("::1", [Address("::1", 1234)]),
        ("[::1]:99", [Address("::1", 99)]),
    ],
)
def test_what_is_named_is_asked_and_nothing_else(name: str, expected: list[Address]) -> None:
    assert list(addresses([name])) == expected


def test_every_port_is_tried_where_none_is_named_and_nothing_twice() -> None:
    found = addresses(["a", "b:1", "a"], [5, 6])
    assert found == (Address("a", 5), Address("a", 6), Address("b", 1))


def test_urls() -> None:
    assert Address("::1", 99).url == "http://[::1]:99"
    assert Address("gpubox", 1234).url == "http://gpubox:1234"


@pytest.mark.parametrize(
    "name", ["", "a b", "-x", "a:0", "a:70000", "a:b", "[::1", "[x]:5", "10.0.0.0/33", "x/y", "user@x/y", "https://a"]
)
def test_what_is_no_address_is_refused_by_name(name: str) -> None:
    with pytest.raises(ConfigError, match="is not a host"):
        addresses([name])


@pytest.mark.parametrize("name", ["10.0.0.0/19", "0.0.0.0/0", "fe80::/64"])
def test_a_network_larger_than_a_20_is_refused_at_once(name: str) -> None:
    with pytest.raises(ConfigError, match="at most 4096"):
        addresses([name])


def test_all_together_are_not_more_either() -> None:
    assert len(addresses(["10.0.0.0/20"])) == MOST - 2
    with pytest.raises(ConfigError, match=r"at most 4096.*smaller networks"):
        addresses(["10.0.0.0/20", "10.1.0.0/20"])
    with pytest.raises(ConfigError, match="at most 4096"):
        addresses(["10.0.0.0/20"], [1, 2])
