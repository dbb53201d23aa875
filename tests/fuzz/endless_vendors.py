"""Upstreams that never end, for the dialects without a client half and those with frames of many
kinds."""

import base64
from typing import Any

from tests import aws_frames
from tests.fuzz.wires import PAD, Endless, choice, data, json_of, named, once


def _event(event: str, value: Any) -> bytes:
    return b"event:%b\ndata:%b\n\n" % (
        event.encode(),
        value if isinstance(value, bytes) else json_of(value),
    )


def _line(**more: Any) -> bytes:
    return json_of({"done": False, **more}) + b"\n"


def _cohere(kind: str, index: int | None = 0, **message: Any) -> bytes:
    return named(kind, index=index, delta={"message": message})


def _item(kind: str, at: int, **item: Any) -> bytes:
    return named(f"response.output_item.{kind}", output_index=at, item=item)


def _delta(kind: str, at: int, text: str = "a", **more: Any) -> bytes:
    return named(f"response.{kind}.delta", output_index=at, content_index=0, delta=text, **more)


def _parts(*parts: Any, index: int = 0, **more: Any) -> bytes:
    return data({"candidates": [{"index": index, "content": {"parts": list(parts)}, **more}]})


def _partial(n: int, path: str, **more: Any) -> bytes:
    name = {"name": "f"} if n == 0 else {}
    return _parts(
        {
            "functionCall": {
                **name,
                "partialArgs": [{"jsonPath": path, **more}],
                "willContinue": True,
            }
        }
    )


def _output(**more: Any) -> bytes:
    return data({"output": {"choices": [{"finish_reason": "null", **more}]}, "request_id": "r"})


def _hunyuan(**delta: Any) -> bytes:
    return data({"Choices": [{"Index": 0, "FinishReason": "", "Delta": delta}]})


def _invoked(document: Any) -> bytes:
    return aws_frames.event("chunk", {"bytes": base64.b64encode(json_of(document)).decode()})


def _converse(kind: str, at: int, **more: Any) -> bytes:
    return aws_frames.event(kind, {"contentBlockIndex": at, **more})


VENDORS: dict[str, dict[str, Endless]] = {
    "coze": {
        "text": lambda n: _event(
            "conversation.message.delta", {"id": "m", "type": "answer", "content": PAD}
        ),
        "messages": lambda n: _event(
            "conversation.message.delta", {"id": f"m{n}{PAD}", "type": "answer", "content": "a"}
        ),
        "whole messages": lambda n: _event(
            "conversation.message.completed", {"id": f"m{n}", "type": "answer", "content": PAD}
        ),
        "turns": lambda n: _event(
            "conversation.message.delta",
            {"type": "answer", "content" if n % 2 else "reasoning_content": "a"},
        ),
        "calls": lambda n: _event(
            "conversation.chat.requires_action",
            {
                "status": f"s{n}",
                "required_action": {
                    "submit_tool_outputs": {
                        "tool_calls": [{"id": f"c{n}", "function": {"name": "f", "arguments": "{"}}]
                        * (n % 5)
                    }
                },
            },
        ),
        "chats": lambda n: _event(
            "conversation.chat.completed",
            {"id": f"c{n}", "status": f"{PAD}{n}", "usage": {"input_count": n}},
        ),
        "cards": lambda n: _event(
            "conversation.message.delta", {"type": "verbose", "content": PAD, f"k{n}": 1}
        ),
        "steps": lambda n: _event(
            "Message", {"content": PAD, "content_type": "text", "node_title": f"n{n}"}
        ),
        "unknown events": lambda n: _event(f"new{n}", {f"k{n}": 1}),
        "interrupts": lambda n: _event("Interrupt", {"n": n}),
    },
    "dify": {
        "text": lambda n: data({"event": "message", "answer": PAD}),
        "the same again": lambda n: data({"event": "message_replace", "answer": PAD}),
        "text and repetitions": lambda n: data(
            {"event": "agent_message" if n % 9 else "message", "answer": PAD}
        ),
        "ids": lambda n: data(
            {
                "event": "message",
                "task_id": f"t{n}",
                "message_id": PAD * n,
                "conversation_id": f"c{n}",
            }
        ),
        "thoughts": lambda n: data({"event": "agent_thought", "id": f"t{n}", "thought": PAD}),
        "reasoning": lambda n: data(
            {"event": "reasoning_chunk", "data": {"reasoning": PAD, "is_final": n % 2 == 0}}
        ),
        "nodes": lambda n: data(
            {"event": "node_finished", "data": {"id": f"n{n}", "outputs": {f"k{n}": PAD}}}
        ),
        "ends": lambda n: data(
            {
                "event": "message_end",
                "metadata": {"retriever_resources": [{"url": f"u{n}", "document_name": PAD}]},
            }
        ),
        "flapping": lambda n: data(
            {"event": "message_replace", "answer": PAD * 20 if n % 2 else "y"}
        ),
    },
    "dashscope": {
        "text": lambda n: _output(message={"content": PAD}),
        "choices": lambda n: _output(index=n, message={"content": PAD}),
        "choices to and fro": lambda n: _output(index=n % 100, message={"content": PAD * 3}),
        "long texts": lambda n: _output(index=n % 100, message={"content": PAD * 60}),
        "calls": lambda n: _output(
            message={
                "tool_calls": [
                    {"index": n, "id": f"c{n}", "function": {"name": "f", "arguments": "{"}}
                ]
            }
        ),
        "arguments without a name": lambda n: _output(
            message={"tool_calls": [{"index": 0, "function": {"arguments": PAD}}]}
        ),
        "turns": lambda n: _output(message={"content" if n % 2 else "reasoning_content": "a"}),
        "sources": lambda n: data(
            {"output": {"search_info": {"search_results": [{"url": f"u{n}{PAD}", "title": PAD}]}}}
        ),
        "log-probs": lambda n: _output(message={"content": "a"}, logprobs={"content": [n]}),
        "ids": lambda n: data({"output": {"text": "a"}, "request_id": PAD * n}),
    },
    "hunyuan": {
        "text": lambda n: _hunyuan(Content=PAD),
        "choices": lambda n: data({"Choices": [{"Index": n, "Delta": {"Content": "a"}}]}),
        "calls": lambda n: _hunyuan(
            ToolCalls=[{"Id": f"c{n}", "Index": n, "Function": {"Name": "f", "Arguments": "{"}}]
        ),
        "calls in one place": lambda n: _hunyuan(
            ToolCalls=[{"Id": f"c{n}", "Index": 0, "Function": {"Name": "f", "Arguments": "{"}}]
        ),
        "arguments without a name": lambda n: _hunyuan(
            ToolCalls=[{"Index": 0, "Function": {"Arguments": PAD}}]
        ),
        "calls without a name": lambda n: _hunyuan(
            ToolCalls=[{"Index": n, "Function": {"Arguments": PAD}}]
        ),
        "notes": lambda n: data({"Note": f"n{n}", "Choices": []}),
        "sources": lambda n: data(
            {"SearchInfo": {"SearchResults": [{"Url": f"u{n}{PAD}", "Title": PAD}]}}
        ),
    },
    "qianfan": {
        "text": lambda n: data({"id": "a", "result": PAD, "is_end": False}),
        "ids": lambda n: data({"id": PAD * n, "result": "a"}),
        "calls": lambda n: data({"function_call": {"name": f"f{n}", "arguments": "{"}}),
        "arguments": lambda n: data({"function_call": {"arguments": PAD}}),
        "thoughts": lambda n: data({"function_call": {"name": "f", "thoughts": f"t{n}{PAD}"}}),
        "plugins": lambda n: data(
            {"plugin_info": [{"n": n}], "usage": {"prompt_tokens": n, "plugins": [n]}}
        ),
        "sources": lambda n: data(
            {"search_info": {"search_results": [{"url": f"u{n}{PAD}", "title": PAD}]}}
        ),
    },
    "zhipu": {
        "text": lambda n: b"event:add\nid:1\ndata:%b\n\n" % PAD.encode(),
        "lines": lambda n: b"event:add\n" + b"data:\n" * 50 + b"\n",
        "meta": lambda n: b'event:add\ndata:a\nmeta:{"n":%d}\n\n' % n,
    },
    "minimax": {
        "text": lambda n: choice({"content": PAD}),
        "choices": lambda n: choice({"content": "a"}, n),
        "calls": lambda n: choice(
            {
                "tool_calls": [
                    {"index": n, "id": f"c{n}", "function": {"name": "f", "arguments": "{"}}
                ]
            }
        ),
        "arguments without a name": lambda n: choice(
            {"tool_calls": [{"index": 0, "function": {"arguments": PAD}}]}
        ),
        "pages": lambda n: choice({"role": "tool", "content": f'[{{"link":"l{n}"}}]'}),
        "speech": lambda n: choice({"audio_content": f"{n}{PAD}"}),
        "turns": lambda n: choice({"content" if n % 2 else "reasoning_content": "a"}),
    },
    "tgi": {
        "tokens": lambda n: data({"token": {"text": PAD, "special": False}}),
        "special tokens": lambda n: data({"token": {"text": PAD, "special": True}}),
        "top tokens": lambda n: data({"token": {"text": "a"}, "top_tokens": [{"id": n}]}),
    },
    "cohere": {
        "text": lambda n: _cohere("content-delta", content={"text": PAD}),
        "contents": lambda n: _cohere("content-start", n, content={"type": "text", "text": "a"}),
        "plans": lambda n: _cohere("tool-plan-delta", tool_plan=PAD),
        "calls": lambda n: _cohere(
            "tool-call-start",
            n,
            tool_calls={"id": f"c{n}", "function": {"name": "f", "arguments": "{"}},
        ),
        "calls without a number": lambda n: _cohere(
            "tool-call-start", None, tool_calls={"id": f"c{n}", "function": {"name": "f"}}
        ),
        "arguments": lambda n: _cohere(
            "tool-call-delta", 0, tool_calls={"function": {"arguments": PAD}}
        ),
        "arguments everywhere": lambda n: _cohere(
            "tool-call-delta", n, tool_calls={"function": {"arguments": PAD}}
        ),
        "citations": lambda n: _cohere(
            "citation-start",
            n,
            citations={"start": n, "end": n + 1, "text": PAD, "sources": [{"id": f"s{n}"}]},
        ),
        "turns": lambda n: _cohere("content-delta", content={"text" if n % 2 else "thinking": "a"}),
        "starts": lambda n: named("message-start", id=PAD * n),
    },
    "ollama": {
        "text": lambda n: _line(message={"content": PAD}),
        "responses": lambda n: _line(response=PAD),
        "turns": lambda n: _line(message={"content" if n % 2 else "thinking": "a"}),
        "calls": lambda n: _line(
            message={"tool_calls": [{"function": {"name": f"f{n}", "arguments": {}}}]}
        ),
        "calls left open": lambda n: _line(
            message={"tool_calls": [{"function": {"name": f"f{n}", "arguments": n}}]}
        ),
        "images": lambda n: _line(message={"images": [PAD]}, logprobs=[n]),
        "blank lines": lambda n: b"\n" * 100,
        "a line": once(b'{"message":{"content":"', lambda n: b"x" * 100),
    },
    "openai_responses": {
        "text": lambda n: _delta("output_text", 0, PAD),
        "text everywhere": lambda n: _delta("output_text", n),
        "parts": lambda n: named(
            "response.output_text.delta", output_index=0, content_index=n, delta="a"
        ),
        "refusals": lambda n: _delta("refusal", n % 2, PAD),
        "log-probs": lambda n: _delta("output_text", 0, logprobs=[{"token": f"t{n}"}]),
        "reasoning": lambda n: named(
            "response.reasoning_summary_text.delta", output_index=0, summary_index=n, delta=PAD
        ),
        "reasoning everywhere": lambda n: _delta("reasoning_text", n),
        "arguments without a name": lambda n: _delta("function_call_arguments", 0, PAD),
        "arguments everywhere": lambda n: _delta("function_call_arguments", n, PAD),
        "calls": lambda n: _item("added", n, type="function_call", call_id=f"c{n}", name="f"),
        "calls that are done": lambda n: _item(
            "done", n, type="function_call", call_id=f"c{n}", name="f", arguments="{}"
        ),
        "calls in one place": lambda n: _item(
            "added" if n % 2 else "done", 0, type="function_call", call_id=f"c{n}", name="f"
        ),
        "messages that are done": lambda n: _item("done", n, type="message", content=[]),
        "reasoning that is done": lambda n: _item(
            "done", n, type="reasoning", summary=[], encrypted_content=PAD
        ),
        "messages again": lambda n: _item(
            "done" if n % 2 else "added",
            0,
            type="message",
            content=[{"type": "output_text", "text": "a"}],
        ),
        "words of items": lambda n: _item("added", n, type="message", phase=f"p{n}"),
        "searches": lambda n: _item("added", n, type="web_search_call", id=f"w{n}"),
        "sources": lambda n: named(
            "response.output_text.annotation.added",
            output_index=0,
            content_index=0,
            annotation={"type": "url_citation", "url": f"u{n}"},
        ),
        "created": lambda n: named("response.created", response={"id": PAD * n}),
        "a document": once(b'{"object":"response","x":"', lambda n: b"x" * 100),
    },
    "openai_completions": {
        "text": lambda n: data({"choices": [{"index": 0, "text": PAD}]}),
        "choices": lambda n: data({"choices": [{"index": n, "text": "a"}]}),
        "models": lambda n: data({"model": f"m{n}", "choices": []}),
        "log-probs": lambda n: data({"choices": [{"text": "a", "logprobs": {"tokens": [f"{n}"]}}]}),
        "finishes": lambda n: data(
            {"choices": [{"index": n % 100, "text": "", "finish_reason": f"s{n}"}]}
        ),
    },
    "bedrock_converse": {
        "text": lambda n: _converse("contentBlockDelta", 0, delta={"text": PAD}),
        "blocks": lambda n: _converse("contentBlockDelta", n, delta={"text": "a"}),
        "blocks that stop": lambda n: (
            _converse("contentBlockDelta", n, delta={"text": "a"})
            + _converse("contentBlockStop", n)
        ),
        "calls": lambda n: _converse(
            "contentBlockStart", n, start={"toolUse": {"toolUseId": f"t{n}", "name": "f"}}
        ),
        "an opaque block": lambda n: _converse("contentBlockDelta", 0, delta={"new": PAD}),
        "opaque blocks": lambda n: _converse("contentBlockDelta", n, delta={"new": f"{n}"}),
        "signatures": lambda n: _converse(
            "contentBlockDelta", n, delta={"reasoningContent": {"signature": PAD}}
        ),
        "metadata": lambda n: aws_frames.event(
            "metadata", {"usage": {"inputTokens": n}, f"k{n}": PAD}
        ),
        "stops": lambda n: aws_frames.event(
            "messageStop", {"stopReason": f"s{n}", "additionalModelResponseFields": {f"k{n}": PAD}}
        ),
        "unknown events": lambda n: aws_frames.event(f"new{n}", {f"k{n}": 1}),
        "other headers": lambda n: aws_frames.message({":event-type": "new", f"h{n}": PAD}, b"{}"),
    },
    "bedrock_invoke": {
        "claude": lambda n: _invoked(
            {
                "type": "content_block_delta",
                "index": n,
                "delta": {"type": "text_delta", "text": PAD},
            }
        ),
        "nova": lambda n: _invoked(
            {"contentBlockDelta": {"contentBlockIndex": n, "delta": {"text": PAD}}}
        ),
        "llama": lambda n: _invoked({"generation": PAD, "prompt_token_count": n}),
        "choices": lambda n: _invoked({"choices": [{"index": n, "delta": {"content": PAD}}]}),
        "calls": lambda n: _invoked({"tool_calls": [{"name": f"f{n}", "parameters": {"a": PAD}}]}),
        "sources": lambda n: _invoked(
            {"citations": [{"start": n, "end": n, "text": PAD}], "documents": [n]}
        ),
        "metrics": lambda n: _invoked(
            {
                "outputText": "a",
                "amazon-bedrock-invocationMetrics": {"inputTokenCount": n, f"k{n}": 1},
            }
        ),
    },
    "gemini": {
        "text": lambda n: _parts({"text": PAD}),
        "candidates": lambda n: _parts({"text": "a"}, index=n),
        "thoughts": lambda n: _parts({"text": PAD, "thought": True}, {"text": "a"}),
        "signatures": lambda n: _parts({"text": "", "thoughtSignature": f"{n}{PAD}"}),
        "calls": lambda n: _parts({"functionCall": {"name": f"f{n}", "args": {"a": n}}}),
        "calls that go on": lambda n: _parts(
            {"functionCall": {"name": f"f{n}", "willContinue": True}}
        ),
        "arguments by key": lambda n: _partial(n, f"$.k{n}", numberValue=n),
        "arguments by number": lambda n: _partial(n, f"$.a[{n}]", stringValue=PAD),
        "one argument": lambda n: _partial(n, "$.a", stringValue=PAD),
        "arguments in depth": lambda n: _partial(n, "$" + ".a" * 40 + f".b{n}", numberValue=n),
        "images": lambda n: _parts({"inlineData": {"mimeType": "image/png", "data": PAD}, "n": n}),
        "sources": lambda n: _parts(
            {"text": "a"},
            groundingMetadata={"groundingChunks": [{"web": {"uri": f"u{n}{PAD}", "title": "t"}}]},
        ),
        "citations": lambda n: _parts(
            {"text": "a"},
            citationMetadata={"citations": [{"startIndex": 0, "endIndex": 1, "uri": f"u{n}"}]},
        ),
        "usage": lambda n: data({"usageMetadata": {"promptTokenCount": n, f"k{n}": n}}),
        "feedback": lambda n: data({"promptFeedback": {"n": n, "blockReason": f"b{n}"}}),
        "finishes": lambda n: _parts({"text": "a"}, index=n % 100, finishReason=f"F{n}"),
        "an array": once(
            b"[", lambda n: b'{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},\n'
        ),
    },
    "replicate": {
        "text": lambda n: b"event: output\nid: %d:0\ndata: %b\n\n" % (n, PAD.encode()),
        "logs": lambda n: _event("logs", PAD.encode()),
        "unknown events": lambda n: _event(f"new{n}", b"{}"),
    },
}
