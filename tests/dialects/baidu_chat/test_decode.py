import json

import pytest
from hypothesis import given

from proxy.dialects.baidu_chat import DIALECT
from proxy.events import BlockStart, Citation, StreamEnd, StreamError, TextDelta, TextRewrite
from tests.dialects.answers import (
    LIMIT,
    every_cut_is_an_error,
    folded,
    same_however_cut,
    spoiled,
    told,
    unhurried,
)
from tests.support import decode, needs_recordings, seed_bytes

UPSTREAM = DIALECT.upstream
SAFE = {"antiFlag": 0, "isSafe": 1}


def decoder():
    return UPSTREAM.decoder(LIMIT, {})


def packet(generator=None, *, state="generating-resp", end=False, status=0, hint=None, **top):
    content = {"generator": generator} if generator is not None else {}
    if hint:
        content["hints"] = {"parts": [{"type": "x", "text": hint}]}
    message = {
        "metaData": {"state": state, "endTurn": end},
        **({"content": content} if content else {}),
    }
    body = {"status": status, "data": {"message": message}, **top}
    return b"event:message\ndata:" + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


def component(name, **data):
    return {
        "text": "",
        "type": "entry",
        **SAFE,
        "isFinished": False,
        "component": name,
        "data": data,
    }


def markdown(text, **flags):
    return component("markdown-yiyan", value=text) | flags


def old(text, *, finished=False):
    return {"text": text, "type": "txt", "isFinished": finished}


END = packet(state="generate-complete", end=True)
OWN = packet(markdown("Hé")) + b"event:ping\n\n" + packet(markdown("llo\n")) + END


@needs_recordings
def test_2026():
    """Thinking, a source, text, a follow-up question, and an end that has no content."""
    events = same_however_cut(decoder, seed_bytes("authored/baidu-2026-ok.sse"))
    answer = folded(events)
    assert ("你好，\n世界。", "先想一想，再回答。") == (answer.text(), answer.reasoning())
    assert ("stop", "generate-complete") == (answer.finish.reason, answer.finish.raw)
    assert [Citation(1, "https://example.test/a", "标题", "摘要")] == [
        event for event in events if isinstance(event, Citation)
    ]
    assert [
        {"sessionId": "9000000000000000001", "qid": "9000000000000000001"},
        {"component": "questionClosely", "data": {"list": ["继续？"]}},
    ] == told(events)


@needs_recordings
def test_2023():
    """Text in generator.text, and an end that only isFinished tells."""
    answer = folded(same_however_cut(decoder, seed_bytes("authored/baidu-2023-ok.sse")))
    assert ("你好，我是文心一言。", "stop", None) == (
        answer.text(),
        answer.finish.reason,
        answer.finish.raw,
    )


@needs_recordings
@pytest.mark.parametrize(
    ("name", "kind", "status", "code"),
    [
        ("baidu-2026-error-1001.sse", "upstream_error", 401, "1001"),
        ("baidu-2026-error-1005.sse", "rate_limited", 429, "1005"),
    ],
)
def test_recorded_errors(name, kind, status, code):
    """The first error counts; the packet after it claims a clean end. Neither may be tried again as
    it is."""
    error = same_however_cut(decoder, seed_bytes(f"authored/{name}"))[-1].error
    assert (kind, status, code, False) == (error.kind, error.status, error.code, error.retryable)
    assert "请稍后重试" in error.message


def test_own_stream():
    """Text of the 2026 form."""
    assert "Héllo\n" == folded(same_however_cut(decoder, OWN)).text()


@pytest.mark.parametrize("name", ["markdown", "markdown-hamburg", "markdown-with-askback"])
def test_other_names_of_the_text(name):
    """They were all seen."""
    assert "a" == folded(decode(decoder(), [packet(component(name, value="a")) + END])).text()


def test_text_goes_before_a_components_value():
    """Never both."""
    assert "a" == folded(decode(decoder(), [packet(markdown("b") | {"text": "a"}) + END])).text()


@pytest.mark.parametrize(
    "piece",
    [
        component("thinkingSteps", reasoningContentArr=["h", "m"]),
        component("thinkingSteps", reasoningContent="hm"),
        component("thinkingSteps", value="hm"),
        component("reasoningContent", value="hm"),
    ],
)
def test_the_forms_of_thinking(piece):
    """Each source says another."""
    assert (
        "hm" == folded(decode(decoder(), [packet(piece) + packet(markdown("a")) + END])).reasoning()
    )


def test_sources_wait_for_their_text_and_are_told_once():
    """They come with the thinking and again with every packet; later ones go out at once."""
    one, two = {"url": "u1", "text": "t1", "abstract": "a1"}, {"url": "u2", "text": "t2"}
    body = (
        packet(component("thinkingSteps", reasoningContentArr=["x"], referenceList=[one]))
        + packet(component("thinkingSteps", referenceList=[one]))
        + packet(markdown("a"))
        + packet(old("b") | {"referenceList": [one, two]})
        + END
    )
    events = same_however_cut(decoder, body)
    assert [Citation(1, "u1", "t1", "a1"), Citation(1, "u2", "t2")] == [
        event for event in events if isinstance(event, Citation)
    ]


def test_sources_without_a_text_are_not_lost():
    """They become a vendor event."""
    body = packet(component("thinkingSteps", referenceList=[{"url": "u"}])) + END
    assert [{"referenceList": [{"url": "u", "text": None, "abstract": None}]}] == told(
        decode(decoder(), [body])
    )


@pytest.mark.parametrize("data", [{"items": None}, {"items": [{"originUrl": "u"}]}])
def test_other_components_are_passed_on(data):
    """Pictures, whose items may be null, cards and the like."""
    piece = component("image-generate", **data)
    assert [{"component": "image-generate", "data": data}] == told(
        decode(decoder(), [packet(piece) + END])
    )


def test_parallel_answers_are_choices():
    """Their deltas are kept apart."""
    body = (
        packet(markdown("a"), compareIdx=0)
        + packet(markdown("B"), compareIdx=1)
        + packet(markdown("b"), compareIdx=0)
        + END
    )
    events = same_however_cut(decoder, body)
    assert ("ab", "B") == (folded(events).text(), folded(events).text(1))
    assert [BlockStart(0, "text"), BlockStart(1, "text", choice=1)] == [
        event for event in events if isinstance(event, BlockStart)
    ]


@pytest.mark.parametrize("flag", [{"antiFlag": 1}, {"isSafe": 0}, {"isSafe": False}])
def test_moderation_takes_the_text_back(flag):
    """The text becomes nothing, no more is taken, and the finish says why."""
    events = same_however_cut(
        decoder,
        OWN.removesuffix(END) + packet(markdown("no") | flag) + packet(markdown("more")) + END,
    )
    assert TextRewrite(0, 0, "") in events
    assert ("", "content_filter") == (folded(events).text(), folded(events).finish.reason)
    assert UPSTREAM.rewrites


@pytest.mark.parametrize(
    "flag", [{"antiFlag": 0}, {"isSafe": True}, {"isSafe": 1}, {}, {"antiFlag": "0"}]
)
def test_what_is_safe_stays(flag):
    """The flags of every ordinary packet."""
    assert "a" == folded(decode(decoder(), [packet(old("a") | flag) + END])).text()


def test_other_errors():
    """Any status but 0."""
    error = decode(decoder(), [packet(status=1234, hint="sorry", state="generate-complete") + END])[
        -1
    ].error
    assert ("upstream_error", "1234", True) == (error.kind, error.code, "sorry" in error.message)


BASEDATA = b'event:basedata\ndata:{"status":0,"chatHitKunlun":"kunlun_popup"}\n\n'


@pytest.mark.parametrize("rest", [b"", END])
def test_risk_control_with_nothing_behind_it(rest):
    """The verdict in basedata is the error, unless a packet says more."""
    error = decode(decoder(), [BASEDATA + rest])[-1].error
    assert ("rate_limited", "1005", False) == (error.kind, error.code, error.retryable)


def test_risk_control_that_let_the_answer_through():
    """Then there is an answer."""
    assert "Héllo\n" == folded(decode(decoder(), [BASEDATA + OWN])).text()


def test_a_body_without_its_end_was_cut():
    """Wherever the cut is, in the 2026 form."""
    every_cut_is_an_error(decoder, OWN[: -len("}}}}\n\n")])


def test_the_last_event_may_lack_its_blank_line():
    """Or even its line end."""
    assert isinstance(decode(decoder(), [OWN.rstrip()])[-1], StreamEnd)


def test_2023_is_cut_while_its_text_is_not_finished():
    """`isFinished` belongs to the last text, not to an earlier one."""
    going = packet(old("a")) + packet(old("b", finished=True))
    assert isinstance(decode(decoder(), [going])[-1], StreamEnd)
    assert "upstream_truncated" == decode(decoder(), [going + packet(old("c"))])[-1].error.kind
    assert (
        "upstream_truncated"
        == decode(decoder(), [packet(component("card") | {"isFinished": True})])[-1].error.kind
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "upstream_truncated"),
        (b"<html>captcha</html>", "upstream_malformed"),
        (b'{"status":1001,"msg":"busy"}', "upstream_error"),
        (b"event:message\ndata:{x\n\n", "upstream_malformed"),
        (b'event:message\ndata:{"status":"0"}\n\n', "upstream_truncated"),
        (
            b'event:message\ndata:{"data":{"message":{"content":{"generator":{"component":"markdown","data":[]}}}}}\n\n',
            "upstream_malformed",
        ),
    ],
)
def test_what_is_no_answer(body, kind):
    """A captcha page, JSON in place of the stream, garbage, nothing."""
    assert kind == decode(decoder(), [body])[-1].error.kind


def test_waiting_sources_are_bounded():
    """A vendor that sends sources without end does not fill the memory: what does not fit goes out
    as vendor events."""
    new = UPSTREAM.decoder(2000, {})
    events = []
    for number in range(50):
        events += new.feed(
            packet(component("thinkingSteps", referenceList=[{"url": f"{number}" + "x" * 500}]))
        )
    assert len(told(events)) >= 45
    assert sum(len(source.url) for source in new._sources[0]) < 3000


@unhurried
@given(
    spoiled(
        [
            OWN,
            BASEDATA
            + packet(
                component("thinkingSteps", reasoningContentArr=["h"], referenceList=[{"url": "u"}])
            )
            + OWN,
            packet(old("a", finished=True)),
        ]
    )
)
def test_garbage_never_raises(body):
    """Whatever comes, the grammar is kept and there is one end."""
    assert isinstance(decode(decoder(), [body])[-1], StreamEnd | StreamError)


def test_text_is_delivered_with_its_packet():
    """Nothing waits for the next one."""
    assert TextDelta(0, "Hé") == decoder().feed(packet(markdown("Hé")))[-1]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b"", "upstream_status"),
        (403, b"<html>", "upstream_status"),
        (500, b'{"status":9,"msg":"x"}', "upstream_status"),
        (200, b'{"status":1005}', "rate_limited"),
    ],
)
def test_http_errors(status, body, kind):
    """A stale cookie, a challenge, a failure, an error under 200."""
    assert kind == UPSTREAM.parse_error(status, {}, body).kind
    assert UPSTREAM.parse_error(200, {}, b'{"status":0}') is None


def test_the_words_of_an_error_are_those_for_people():
    """Whatever the status: of a packet in place of the stream its hints are shown, and not the JSON
    around them."""
    packet = b'{"status":1001,"data":{"message":{"content":{"hints":{"parts":[{"type":"tokenFail","text":"Come again."}]}}}}}'
    for status in (200, 401, 500):
        why = UPSTREAM.parse_error(status, {}, packet)
        assert why.code == "1001"
        assert "Come again." in why.message
        assert "{" not in why.message
