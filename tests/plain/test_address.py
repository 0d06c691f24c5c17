"""Where a command listens."""

import argparse

import pytest

from lmdeck.plain.address import Address, address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9464", Address("127.0.0.1", 9464)),
        ("[::1]:0", Address("::1", 0)),
        ("gpu-box:80", Address("gpu-box", 80)),
    ],
)
def test_addresses(text: str, expected: Address) -> None:
    assert address(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    "text", ["", "9464", ":9464", "[]:9464", "host:", "host:port", "host:65536", "host:-1", "host:²"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not HOST:PORT such as"):
        address(text)
