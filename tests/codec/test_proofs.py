"""Proofs on their way through clients' fields, and back."""

import pytest

from proxy.codec import proofs
from proxy.codec.proofs import ANTHROPIC, GEMINI, OPENAI, Proof


def test_a_proof_of_the_clients_own_vendor_stays_as_it_is() -> None:
    """And one whose maker is not known is taken for it."""
    assert "sig" == proofs.carried("sig", ANTHROPIC, ANTHROPIC)
    assert "sig" == proofs.carried("sig", None, ANTHROPIC)
    assert Proof(ANTHROPIC, "sig") == proofs.read("sig", ANTHROPIC)


@pytest.mark.parametrize("name", [None, "rs_1", "a:b#c@d%e é"])
@pytest.mark.parametrize("call", [None, "call_1", "f:0#@"])
@pytest.mark.parametrize("proof", ["sig", "", "a:b@c#d"])
def test_what_is_carried_is_read_back(name: str | None, call: str | None, proof: str) -> None:
    """With the reasoning's name and the call that it belongs to, whatever signs they hold."""
    text = proofs.carried(proof, OPENAI, ANTHROPIC, name=name, call=call)
    assert Proof(OPENAI, proof, name, call) == proofs.read(text, ANTHROPIC)


def test_text_that_only_looks_like_it() -> None:
    """It is a proof of the client's own vendor."""
    assert Proof(GEMINI, "mainstem:x") == proofs.read("mainstem:x", GEMINI)


def test_a_vendor_is_shown_its_own_and_what_nobody_claims() -> None:
    """It knows best."""
    assert [True, True, False] == [proofs.fits(of, GEMINI) for of in (GEMINI, None, ANTHROPIC)]
