"""What the mock says about itself: the page at `/` and the lines that `mainstem mock` prints."""

from collections.abc import Sequence

from proxy.mock.faults import FAULTS
from proxy.mock.scenarios import ERRORS, SCENARIOS


def index_text(address: str, mocks: Sequence[str], routes: Sequence[str]) -> str:
    """Everything that can be asked of a mock, as plain text."""
    lines = [
        "A mock of chat vendors: it answers without a key or a network.",
        "",
        *([f"Paths: {', '.join(routes)}"] if routes else []),
        f"Mocks: {', '.join(f'{address}/{name}/...' for name in mocks)}",
        f"Account: GET {address}/mock/requests",
        "",
        wishes_text(),
    ]
    return "\n".join(lines)


def wishes_text() -> str:
    """What a request may choose to have played, with every scenario and fault."""
    lines = [
        "A request may choose by header, or by query parameter of the same name:",
        "  x-mock-scenario: one of these",
        *(
            f"    {name:<26} {' '.join((scenario.__doc__ or '').split())}"
            for name, scenario in SCENARIOS.items()
        ),
        *(
            f"    {name:<26} HTTP status {status} in the vendor's shape."
            for name, status in ERRORS.items()
        ),
        "  x-mock-tokens-per-s, x-mock-chars-per-s: a number; 0 is as fast as can be",
        "  x-mock-fault: one or several of these, with commas between them",
        *(f"    {name + row.form:<26} {row.does}" for name, row in FAULTS.items()),
    ]
    return "\n".join(lines) + "\n"


def greeting(address: str) -> str:
    """The first lines in the terminal, with something to try."""
    body = (
        '{"model": "demo", "stream": true, "messages": [{"role": "user", "content": "Good '
        'morning"}]}'
    )
    return f"""\
The mock plays every dialect on {address}
  try it:       curl -N {address}/v1/chat/completions -H 'content-type: application/json' -d '{body}'
  misbehaving:  add -H 'x-mock-fault: cut@3'
  all it can:   curl {address}/
  its account:  curl {address}/mock/requests
"""
