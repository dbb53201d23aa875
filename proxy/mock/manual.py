"""What the mock says about itself: the page at `/` and the lines that `mainstem mock` prints."""

from collections.abc import Sequence

from proxy.mock import chinese
from proxy.mock.faults import FAULTS
from proxy.mock.scenarios import ERRORS, SCENARIOS
from proxy.recording.shelf import Titled


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


def wishes() -> tuple[dict[str, str], dict[str, str]]:
    """What a request may choose: what each scenario does, and what each fault does, whose name is
    followed by what it takes.
    """
    scenarios = {
        **{
            name: " ".join((scenario.__doc__ or "").split()) for name, scenario in SCENARIOS.items()
        },
        **{name: f"HTTP status {status} in the vendor's shape." for name, status in ERRORS.items()},
    }
    return scenarios, {name + row.form: row.does for name, row in FAULTS.items()}


def choices() -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """What a page offers: each scenario, and each fault as it can be asked for, with what it does
    in English and Chinese.
    """
    scenarios, _ = wishes()
    said = chinese.SCENARIOS | {
        name: chinese.ERROR.format(status=status) for name, status in ERRORS.items()
    }
    return (
        {name: {"en": does, "zh": said[name]} for name, does in scenarios.items()},
        {
            row.asked(name): {"en": row.does, "zh": chinese.FAULTS[name]}
            for name, row in FAULTS.items()
        },
    )


def wishes_text() -> str:
    """The same, in lines for people."""
    scenarios, faults = wishes()
    lines = [
        "A request may choose by header, or by query parameter of the same name:",
        "  x-mock-scenario: one of these",
        *(f"    {name:<26} {does}" for name, does in scenarios.items()),
        "  x-mock-tokens-per-s, x-mock-chars-per-s: a number; 0 is as fast as can be",
        "  x-mock-speed, x-mock-match: of recordings (mainstem replay --help)",
        "  x-mock-fault: one or several of these, with commas between them",
        *(f"    {form:<26} {does}" for form, does in faults.items()),
    ]
    return "\n".join(lines) + "\n"


def recordings_text(shelf: Sequence[Titled]) -> str:
    """What `mainstem replay` has to play: a line a recording."""
    rows = [
        f"{one.request.method} {one.request.path}  {one.model}  {title}" for title, one in shelf
    ]
    return "\n".join(["Recordings, in the order in which they are played:", *rows]) + "\n"


def replay_greeting(address: str, shelf: Sequence[Titled]) -> str:
    """The first lines in the terminal of `mainstem replay`."""
    asked = dict.fromkeys(f"{one.request.method} {one.request.path}" for _, one in shelf)
    return (
        f"{len(shelf)} recording{'s are' if len(shelf) > 1 else ' is'} replayed on {address}\n"
        f"  paths         {', '.join(asked)}, behind any other path\n"
        "  misbehaving   add -H 'x-mock-fault: cut@3' to a request\n"
        f"  its account   curl {address}/mock/requests\n"
    )


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
