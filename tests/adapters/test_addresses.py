"""What is printed as an address of a server reaches it."""

import socket

import pytest

from matinee.adapters.addresses import reached_by


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "matinee.example", "::1", "10.1.2.3"])
def test_an_address_is_told_as_it_was_given(host: str) -> None:
    assert reached_by(host) == [f"[{host}]" if ":" in host else host]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104  # that is what is asked about
def test_all_addresses_are_told_one_by_one_and_each_reaches_the_server(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        server = socket.create_server((host, 0), family=family, dualstack_ipv6=":" in host)
    except OSError:
        pytest.skip("NOT RUN: this machine has no IPv6")
    with server:
        addresses = [each.strip("[]") for each in reached_by(host)]
        assert host not in addresses
        assert addresses[-1] in {"127.0.0.1", "::1"}
        assert len(set(addresses)) == len(addresses)
        for address in addresses:
            socket.create_connection((address, server.getsockname()[1]), 5).close()
