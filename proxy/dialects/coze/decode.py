"""Coze's events to ours, of a chat and of a workflow.

Answers come as deltas and once more whole; a message that had no delta is told from its whole. What
the bot does beside (its plugins' calls and results, cards, suggested questions, speech) goes on as
vendor events, for it runs those itself; only `requires_action` asks the client.
"""

from typing import Any, ClassVar

import msgspec

from proxy.codec.counts import count
from proxy.codec.cut_characters import RejoiningSSEDecoder
from proxy.codec.json_depth import shallow
from proxy.dialects.coze.errors import parse_error, problem_failure
from proxy.dialects.coze.wire import NAME, Chat, Message, Step
from proxy.errors import Failure
from proxy.events import NO_USAGE, Event, FinishReason, Tool, Usage, UsageEvent, Vendor
from proxy.framing.sse_frame import Frame

_MESSAGE = msgspec.json.Decoder(Message)
_CHAT = msgspec.json.Decoder(Chat)
_STEP = msgspec.json.Decoder(Step)
_ANY = msgspec.json.Decoder(Any)
_REASONS: dict[str, FinishReason] = {"completed": "stop", "requires_action": "tool_calls"}
_MOST_KNOWN = 1024  # messages whose deltas are remembered; an answer has few


class CozeDecoder(RejoiningSSEDecoder):
    """The chat's state says why the answer ended; `done` that it did."""

    documents: ClassVar[bool] = True

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._usage = NO_USAGE
        self._reason: FinishReason | None = None
        self._raw: str | None = None
        self._begun = False  # the chat's ids were told
        self._told: set[str | None] = set()  # messages that had deltas

    @property
    def usage(self) -> Usage:
        return self._usage

    def _take(self, frame: Frame, out: list[Event]) -> None:
        match frame.event:
            case "conversation.message.delta":
                self._delta(frame, out)
            case "conversation.message.completed":
                self._message(frame, out)
            case "Message":
                self._step(frame, out)
            case "error" | "Error":
                self._problem(frame, out)
            case "done" | "Done":
                self._done(out)
            case "PING" | "ping":
                pass
            case "Interrupt":
                # a question to the user, who answers in another request
                self._reason, self._raw = "other", "Interrupt"
                self._vendor(frame, out)
            case name if name.startswith("conversation.chat."):
                self._chat(frame, out)
            case _ if frame.data:
                self._vendor(frame, out)

    def _delta(self, frame: Frame, out: list[Event]) -> None:
        message = self._read(_MESSAGE, frame.data, out)
        if message is None:
            return
        if message.type != "answer" or not _is_text(message.content_type):
            self._vendor(frame, out)
            return
        if len(self._told) < _MOST_KNOWN:
            self._told.add(message.id)
        self._say(message, out)

    def _say(self, message: Message, out: list[Event]) -> None:
        if message.reasoning_content:
            self._blocks.reasoning(out, message.reasoning_content)
        if message.content:
            self._blocks.text(out, message.content)

    def _message(self, frame: Frame, out: list[Event]) -> None:
        message = self._read(_MESSAGE, frame.data, out)
        if message is None:
            return
        if message.type != "answer" or not _is_text(message.content_type):
            self._vendor(frame, out)
        elif message.id not in self._told:
            self._say(message, out)

    def _step(self, frame: Frame, out: list[Event]) -> None:
        """A workflow node's output. Cards and the like are no text."""
        step = self._read(_STEP, frame.data, out)
        if step is None:
            return
        if not _is_text(step.content_type):
            self._vendor(frame, out)
        elif step.content:
            self._blocks.text(out, step.content)

    def _problem(self, frame: Frame, out: list[Event]) -> None:
        problem = self._read(_ANY, frame.data, out)
        if not self.done:
            self._fail(out, problem_failure(problem))

    def _chat(self, frame: Frame, out: list[Event]) -> None:
        chat = self._read(_CHAT, frame.data, out)
        if chat is None:
            return
        if not self._begun and chat.id:
            self._begun = True
            out.append(Vendor(NAME, {"chat_id": chat.id, "conversation_id": chat.conversation_id}))
        state = frame.event.rpartition(".")[2]
        if state in ("created", "in_progress"):
            return
        self._count(chat, out)
        if state == "failed":
            self._fail(out, problem_failure(chat.last_error))
            return
        self._reason, self._raw = _REASONS.get(state, "other"), chat.status or state
        if state == "requires_action":
            self._calls(chat, out)

    def _count(self, chat: Chat, out: list[Event]) -> None:
        if chat.usage is None:
            return
        self._usage = Usage(count(chat.usage.input_count), count(chat.usage.output_count))
        out.append(UsageEvent(self._usage.input_tokens, self._usage.output_tokens))

    def _calls(self, chat: Chat, out: list[Event]) -> None:
        action = (
            chat.required_action.submit_tool_outputs if chat.required_action is not None else None
        )
        for number, call in enumerate((action.tool_calls if action is not None else None) or ()):
            if call.function is None:
                continue
            self._blocks.open_call(
                out, number, Tool(call.id or f"call_{number}", call.function.name)
            )
            self._blocks.arguments(out, number, call.function.arguments)

    def _vendor(self, frame: Frame, out: list[Event]) -> None:
        said = self._read(_ANY, frame.data, out)
        if said is not None:
            out.append(Vendor(NAME, {"event": frame.event, "data": shallow(said)}))

    def _done(self, out: list[Event]) -> None:
        self._finish(out, self._reason or "stop", self._raw)

    def _ended(self, out: list[Event]) -> None:
        """The state is as good an end as `done`: a chat that waits for its tools may say no
        more.
        """
        if self._reason is not None:
            self._done(out)
        else:
            super()._ended(out)

    def _not_a_stream(self, body: bytes) -> Failure:
        return parse_error(200, {}, body) or super()._not_a_stream(body)


def _is_text(content_type: str | None) -> bool:
    return content_type in (None, "", "text")
