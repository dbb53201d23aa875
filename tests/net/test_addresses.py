"""Where an upstream may be: what a host's own words allow, and which addresses its name may stand
for."""

import pytest

from proxy.net.addresses import admits, is_barred, reach_of

PUBLIC = [
    "8.8.8.8",
    "104.18.6.192",
    "2606:4700::6812:6c0",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]
# A private network's, this machine's, a carrier's, a benchmark's, documentation's, and each in the
# forms that carry it over IPv6.
PRIVATE = [
    *(
        "127.0.0.1",
        "127.9.9.9",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "198.18.0.1",
        "192.0.2.1",
    ),
    *(
        "0.1.2.3",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "fd12::1",
        "fec0::1",
        "2001:db8::1",
        "::127.0.0.1",
        "100::1",
        "5f00::1",
    ),
    *(
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::808:808",
        "2002:a00:1::1",
        "2002:7f00:1::",
    ),
]
UNFIT = [
    *(
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "febf::1",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "239.1.1.1",
        "ff02::1",
    ),
    *(
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fd00:ec2::254",
        "100.100.100.200",
    ),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_name_may_stand_for_a_global_address(address: str) -> None:
    assert admits("public", address)
    assert admits("near", address)


@pytest.mark.parametrize("address", PRIVATE)
def test_only_a_private_name_may_stand_for_a_private_address(address: str) -> None:
    assert not admits("public", address)
    assert admits("near", address)


@pytest.mark.parametrize("address", UNFIT)
def test_what_no_upstream_has_takes_private_true(address: str) -> None:
    assert not admits("public", address)
    assert not admits("near", address)
    assert admits("any", address)


@pytest.mark.parametrize(
    "said", ["", "example.com", "1.2.3", "127.1", "0x7f000001", "2130706433", "1.2.3.4.5"]
)
def test_what_is_no_address_is_not_admitted(said: str) -> None:
    assert not admits("any", said)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "localhost",
            "LOCALHOST",
            "localhost.",
            "vllm",
            "a.localhost",
            "printer.local",
            "metadata.google.internal",
            "llm.default.svc",
        ),
        *(
            "llm.default.svc.cluster.local",
            "nas.lan",
            "box.home.arpa",
            "10.0.0.5",
            "127.0.0.1",
            "::1",
            "[fd12::1]",
            "8.8.8.8",
            "2130706433",
        ),
    ],
)
def test_a_host_that_says_itself_that_it_is_private(host: str) -> None:
    assert "near" == reach_of(host, private=False)


@pytest.mark.parametrize(
    "host",
    [
        "api.openai.com",
        "api.openai.com.",
        "local.example.com",
        "notlocal",
        "evil-internal.com",
        "127.1",
        "a.svc.io",
    ],
)
def test_any_other_name_is_public_until_the_operator_says_otherwise(host: str) -> None:
    assert ("near" if "." not in host else "public") == reach_of(host, private=False)
    assert "any" == reach_of(host, private=True)


def test_an_address_in_a_url_is_barred_without_any_look_up() -> None:
    """A name never is: what it stands for is asked when it is connected to."""
    assert is_barred("169.254.169.254", "near")
    assert is_barred("[fe80::1]", "near")
    assert not is_barred("169.254.169.254", "any")
    assert not is_barred("10.0.0.1", "near")
    assert not is_barred("api.example.com", "public")
