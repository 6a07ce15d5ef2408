from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.security.addresses import AddressGuard, AddressRefused, host_and_port, is_loopback, is_public_address


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.169.254", "172.16.3.4",  # noqa: S104
        "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1",
        "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::7f00:1", "::5db8:d822", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::5db8:d822", "100::1", "2001::1", "2001:2::1",
        "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2002:5db8:d822::1", "3ffe::1",
        "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
        "2606:2800:220:1::1%eth0", "", "localhost", "1.2.3", "0x7f.1", "93.184.216.34 ", "93.184.216.034",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public_address(address)


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "1.1.1.1", "100.128.0.1", "172.32.0.1", "192.0.1.1", "198.20.0.1", "223.255.255.255",
     "2606:2800:220:1::1", "2a00:1450:4001::200e", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"],
)  # fmt: skip
def test_addresses_that_are_public(address: str) -> None:
    assert is_public_address(address)


@given(st.ip_addresses())
def test_what_python_knows_to_be_special_is_never_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    special = address.is_private or address.is_multicast or address.is_link_local or address.is_loopback
    if special and getattr(address, "ipv4_mapped", None) is None:
        assert not is_public_address(str(address))


@given(st.text(max_size=40))
def test_any_text_is_judged_and_none_that_is_no_address_is_public(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        assert not is_public_address(text)


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    with pytest.raises(AddressRefused, match=r"x\.example is the private address 10\.0\.0\.1"):
        AddressGuard().check("x.example", 443, ["93.184.216.34", "10.0.0.1"])


@pytest.mark.parametrize("port", [22, 25, 6379, 8080, 8443])
def test_strangers_name_only_the_ports_of_the_web(port: int) -> None:
    AddressGuard().check("x.example", 443, ["93.184.216.34"])
    AddressGuard().check("x.example", 80, ["93.184.216.34"])
    with pytest.raises(AddressRefused, match=f"port {port}"):
        AddressGuard().check("x.example", port, ["93.184.216.34"])
    AddressGuard(allow_private=True).check("x.example", port, ["10.0.0.1"])


def test_what_a_person_has_configured_is_trusted_with_its_port_alone() -> None:
    guard = AddressGuard()
    guard.trust("https://Mirror.example:8443/data")
    guard.check("mirror.example", 8443, ["10.0.0.1"])
    for host, port in (("mirror.example", 443), ("other.example", 8443)):
        with pytest.raises(AddressRefused):
            guard.check(host, port, ["10.0.0.1"])


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"]
)
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.example", "10.0.0.1", "example.org"])
def test_names_of_other_machines(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("url", "found"),
    [("http://A.example/x", ("a.example", 80)), ("https://a.example", ("a.example", 443)),
     ("https://u:p@[::1]:99/", ("::1", 99))],
)  # fmt: skip
def test_host_and_port_of_a_url(url: str, found: tuple[str, int]) -> None:
    assert host_and_port(url) == found


@pytest.mark.parametrize("url", ["http:///x", "x", "http://[::1", "http://a:99999/"])
def test_a_url_without_a_host_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        host_and_port(url)
