"""Requests that say as much as their dialect can: for each client dialect one or more, as some
parameters cannot stand beside others. Sources: the vendors' API references and SDK types.

Each value is one that asks for something: none is the vendor's default, which would be no loss.
"""

from typing import Any

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKJSVFT0Y="
WAV = "UklGRiQAAABXQVZFZm10IA=="
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Where."}},
    "required": ["city"],
}

OPENAI_CHAT: list[dict[str, Any]] = [
    {
        "model": "m",
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
            {
                "role": "user",
                "name": "ada",
                "content": [
                    {"type": "text", "text": "Look."},
                    {
                        "type": "image_url",
                        "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "high"},
                    },
                    {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}},
                    {
                        "type": "file",
                        "file": {
                            "filename": "a.pdf",
                            "file_data": f"data:application/pdf;base64,{PDF}",
                        },
                    },
                ],
            },
            {
                "role": "assistant",
                "content": "I look it up.",
                "reasoning_content": "It is a place.",
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city":"Rome"}'},
                    },
                    {"id": "call_2", "type": "custom", "custom": {"name": "sh", "input": "ls -l"}},
                ],
            },
            {
                "role": "tool",
                "tool_call_id": "call_1",
                "content": [
                    {"type": "text", "text": "sunny"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_2", "content": "a.txt"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "Weather.",
                    "parameters": SCHEMA,
                    "strict": True,
                },
            },
            {
                "type": "custom",
                "custom": {
                    "name": "sh",
                    "description": "Shell.",
                    "format": {
                        "type": "grammar",
                        "grammar": {"syntax": "lark", "definition": "start: /.+/"},
                    },
                },
            },
        ],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
        "max_completion_tokens": 100,
        "temperature": 0.3,
        "top_p": 0.8,
        "n": 2,
        "stop": ["END"],
        "seed": 7,
        "frequency_penalty": 0.5,
        "presence_penalty": 0.4,
        "logit_bias": {"50256": -100},
        "logprobs": True,
        "top_logprobs": 2,
        "user": "u-1",
        "safety_identifier": "s-1",
        "prompt_cache_key": "k-1",
        "prompt_cache_retention": "24h",
        "metadata": {"team": "x"},
        "store": True,
        "service_tier": "flex",
        "verbosity": "low",
        "modalities": ["text", "audio"],
        "audio": {"voice": "alloy", "format": "pcm16"},
        "prediction": {"type": "content", "content": "x"},
        "web_search_options": {"search_context_size": "low"},
        "top_k": 20,
        "an_unknown_key": 1,
        "stream": True,
    },
    {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "reasoning_effort": "high",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": SCHEMA, "strict": True},
        },
        "stream": True,
    },
]

ANTHROPIC: list[dict[str, Any]] = [
    {
        "model": "m",
        "max_tokens": 100,
        "system": [
            {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "Be kind."},
        ],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look."},
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                    },
                    {
                        "type": "document",
                        "title": "A paper",
                        "context": "Found in the attic.",
                        "citations": {"enabled": True},
                        "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                        "cache_control": {"type": "ephemeral", "ttl": "1h"},
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look it up."},
                    {
                        "type": "tool_use",
                        "id": "toolu_1",
                        "name": "weather",
                        "input": {"city": "Rome"},
                    },
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_1",
                        "is_error": True,
                        "content": [
                            {"type": "text", "text": "sunny"},
                            {
                                "type": "image",
                                "source": {
                                    "type": "base64",
                                    "media_type": "image/png",
                                    "data": PNG,
                                },
                            },
                        ],
                    },
                    {"type": "text", "text": "So?"},
                ],
            },
        ],
        "tools": [
            {
                "name": "weather",
                "description": "Weather.",
                "input_schema": SCHEMA,
                "strict": True,
                "cache_control": {"type": "ephemeral"},
            },
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        ],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "temperature": 0.3,
        "top_p": 0.8,
        "top_k": 20,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u-1"},
        "service_tier": "standard_only",
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
        "container": "c-1",
        "mcp_servers": [{"type": "url", "url": "https://a.example/mcp", "name": "m"}],
        "an_unknown_key": 1,
        "stream": True,
    },
    {
        "model": "m",
        "max_tokens": 20_000,
        "thinking": {"type": "enabled", "budget_tokens": 4000},
        "messages": [
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "SIG"},
                    {"type": "redacted_thinking", "data": "ENC"},
                    {"type": "text", "text": "Hello."},
                ],
            },
            {"role": "user", "content": "and?"},
        ],
        "stream": True,
    },
    {
        "model": "m",
        "max_tokens": 20_000,
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
    },
]

OPENAI_RESPONSES: list[dict[str, Any]] = [
    {
        "model": "m",
        "instructions": "Be brief.",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look."},
                    {
                        "type": "input_image",
                        "image_url": f"data:image/png;base64,{PNG}",
                        "detail": "high",
                    },
                    {
                        "type": "input_file",
                        "filename": "a.pdf",
                        "file_data": f"data:application/pdf;base64,{PDF}",
                    },
                ],
            },
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "Hm."}],
                "encrypted_content": "ENC",
            },
            {
                "type": "function_call",
                "call_id": "call_1",
                "name": "weather",
                "arguments": '{"city":"Rome"}',
            },
            {"type": "custom_tool_call", "call_id": "call_2", "name": "sh", "input": "ls -l"},
            {
                "type": "function_call_output",
                "call_id": "call_1",
                "output": [
                    {"type": "input_text", "text": "sunny"},
                    {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
                ],
            },
            {"type": "custom_tool_call_output", "call_id": "call_2", "output": "a.txt"},
        ],
        "tools": [
            {
                "type": "function",
                "name": "weather",
                "description": "Weather.",
                "parameters": SCHEMA,
                "strict": True,
            },
            {
                "type": "custom",
                "name": "sh",
                "description": "Shell.",
                "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"},
            },
            {"type": "web_search", "search_context_size": "low"},
        ],
        "tool_choice": {"type": "function", "name": "weather"},
        "parallel_tool_calls": False,
        "max_output_tokens": 100,
        "max_tool_calls": 3,
        "temperature": 0.3,
        "top_p": 0.8,
        "top_logprobs": 2,
        "include": ["file_search_call.results"],
        "reasoning": {"effort": "high", "summary": "detailed"},
        "text": {
            "verbosity": "low",
            "format": {"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": True},
        },
        "user": "u-1",
        "safety_identifier": "s-1",
        "prompt_cache_key": "k-1",
        "metadata": {"team": "x"},
        "store": True,
        "service_tier": "flex",
        "truncation": "auto",
        "an_unknown_key": 1,
        "stream": True,
    }
]

GEMINI: list[dict[str, Any]] = [
    {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "Look."},
                    {"inlineData": {"mimeType": "image/png", "data": PNG}},
                    {"inlineData": {"mimeType": "application/pdf", "data": PDF}},
                    {"inlineData": {"mimeType": "audio/wav", "data": WAV}},
                ],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "Hm.", "thought": True},
                    {
                        "functionCall": {"id": "c1", "name": "weather", "args": {"city": "Rome"}},
                        "thoughtSignature": "U0lH",
                    },
                ],
            },
            {
                "role": "user",
                "parts": [
                    {
                        "functionResponse": {
                            "id": "c1",
                            "name": "weather",
                            "response": {"result": "sunny"},
                        }
                    }
                ],
            },
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "weather",
                        "description": "Weather.",
                        "parametersJsonSchema": SCHEMA,
                    }
                ]
            },
            {"googleSearch": {}},
        ],
        "toolConfig": {
            "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}
        },
        "generationConfig": {
            "maxOutputTokens": 100,
            "temperature": 0.3,
            "topP": 0.8,
            "topK": 20,
            "stopSequences": ["END"],
            "seed": 7,
            "candidateCount": 2,
            "frequencyPenalty": 0.5,
            "presencePenalty": 0.4,
            "responseLogprobs": True,
            "logprobs": 2,
            "responseMimeType": "application/json",
            "responseJsonSchema": SCHEMA,
            "thinkingConfig": {"thinkingBudget": 4000, "includeThoughts": False},
            "responseModalities": ["TEXT", "IMAGE"],
            "mediaResolution": "MEDIA_RESOLUTION_LOW",
        },
        "safetySettings": [
            {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}
        ],
        "labels": {"team": "x"},
        "anUnknownKey": 1,
    }
]

COHERE: list[dict[str, Any]] = [
    {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look."},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                ],
            },
            {
                "role": "assistant",
                "tool_plan": "I look it up.",
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city":"Rome"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "W.", "parameters": SCHEMA},
            }
        ],
        "strict_tools": True,
        "tool_choice": "REQUIRED",
        "documents": [{"id": "d1", "data": {"text": "Rome is sunny."}}],
        "citation_options": {"mode": "FAST"},
        "safety_mode": "STRICT",
        "max_tokens": 100,
        "temperature": 0.3,
        "p": 0.8,
        "k": 20,
        "stop_sequences": ["END"],
        "seed": 7,
        "frequency_penalty": 0.5,
        "presence_penalty": 0.4,
        "logprobs": True,
        "thinking": {"type": "enabled", "token_budget": 4000},
        "priority": 3,
        "an_unknown_key": 1,
        "stream": True,
    }
]

OLLAMA: list[dict[str, Any]] = [
    {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Look.", "images": [PNG]},
            {
                "role": "assistant",
                "content": "I look it up.",
                "thinking": "Hm.",
                "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Rome"}}}],
            },
            {"role": "tool", "tool_name": "weather", "content": "sunny"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "W.", "parameters": SCHEMA},
            }
        ],
        "think": "high",
        "format": SCHEMA,
        "keep_alive": "10m",
        "options": {
            "temperature": 0.3,
            "top_p": 0.8,
            "top_k": 20,
            "min_p": 0.1,
            "num_predict": 100,
            "num_ctx": 8192,
            "seed": 7,
            "stop": ["END"],
            "repeat_penalty": 1.2,
            "frequency_penalty": 0.5,
            "presence_penalty": 0.4,
        },
        "logprobs": True,
        "top_logprobs": 2,
        "an_unknown_key": 1,
        "stream": True,
    }
]

NATIVE: list[dict[str, Any]] = [
    {
        "model": "m",
        "system": [{"type": "text", "text": "Be brief.", "cache": {"ttl": "1h"}}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look.", "cache": {}},
                    {
                        "type": "image_url",
                        "url": f"data:image/png;base64,{PNG}",
                        "detail": "high",
                    },
                    {
                        "type": "document",
                        "url": f"data:application/pdf;base64,{PDF}",
                        "title": "A paper",
                        "citations": True,
                    },
                    {"type": "audio", "url": f"data:audio/wav;base64,{WAV}"},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look it up."},
                    {
                        "type": "tool_call",
                        "id": "call_1",
                        "name": "weather",
                        "arguments": '{"city":"Rome"}',
                        "signature": "U0lH",
                        "format": "google-gemini-v1",
                    },
                    {
                        "type": "tool_call",
                        "id": "call_2",
                        "name": "sh",
                        "arguments": '{"input":"ls"}',
                        "custom": True,
                    },
                ],
            },
            {
                "role": "tool",
                "content": [
                    {
                        "type": "tool_result",
                        "id": "call_1",
                        "is_error": True,
                        "content": [
                            {"type": "text", "text": "sunny"},
                            {"type": "image_url", "url": f"data:image/png;base64,{PNG}"},
                        ],
                    },
                    {"type": "tool_result", "id": "call_2", "content": "a.txt"},
                ],
            },
            {"role": "user", "content": "So?"},
        ],
        "tools": [
            {
                "name": "weather",
                "description": "Weather.",
                "parameters": SCHEMA,
                "strict": True,
                "cache": {},
            },
            {
                "name": "sh",
                "description": "Shell.",
                "custom": {
                    "type": "grammar",
                    "grammar": {"syntax": "lark", "definition": "start: /.+/"},
                },
            },
        ],
        "tool_choice": {"mode": "required", "parallel": False},
        "max_tokens": 100,
        "temperature": 0.3,
        "top_p": 0.8,
        "stop": ["END"],
        "seed": 7,
        "top_k": 20,
        "min_p": 0.1,
        "frequency_penalty": 0.5,
        "presence_penalty": 0.4,
        "repetition_penalty": 1.1,
        "logit_bias": {"50256": -100},
        "logprobs": True,
        "top_logprobs": 2,
        "verbosity": "low",
        "service_tier": "flex",
        "store": True,
        "cache_key": "k-1",
        "safety_identifier": "s-1",
        "user": "u-1",
        "metadata": {"team": "x"},
        "stream": True,
    },
    {
        "model": "m",
        "messages": [
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": [
                    {
                        "type": "reasoning",
                        "text": "Hm.",
                        "signature": "U0lH",
                        "format": "anthropic-claude-v1",
                    },
                    {
                        "type": "reasoning",
                        "text": "",
                        "signature": "RU5D",
                        "redacted": True,
                        "format": "anthropic-claude-v1",
                    },
                    {"type": "text", "text": "Hello."},
                ],
            },
            {"role": "user", "content": "and?"},
        ],
        "max_tokens": 20_000,
        "reasoning": {"effort": "high", "summary": "detailed"},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": SCHEMA, "strict": True},
        },
        "stream": True,
    },
]

AI_SDK: list[dict[str, Any]] = [
    {
        "id": "chat-1",
        "trigger": "submit-message",
        "model": "m",
        "system": "Be brief.",
        "messages": [
            {
                "id": "m1",
                "role": "user",
                "parts": [
                    {"type": "text", "text": "Look."},
                    {
                        "type": "file",
                        "mediaType": "image/png",
                        "url": f"data:image/png;base64,{PNG}",
                    },
                    {
                        "type": "file",
                        "mediaType": "application/pdf",
                        "filename": "a.pdf",
                        "url": f"data:application/pdf;base64,{PDF}",
                    },
                ],
            },
            {
                "id": "m2",
                "role": "assistant",
                "parts": [
                    {"type": "text", "text": "I look it up."},
                    {
                        "type": "tool-weather",
                        "toolCallId": "call_1",
                        "state": "output-available",
                        "input": {"city": "Rome"},
                        "output": "sunny",
                    },
                ],
            },
            {"id": "m3", "role": "user", "parts": [{"type": "text", "text": "So?"}]},
        ],
        "tools": {
            "weather": {"description": "Weather.", "inputSchema": SCHEMA, "strict": True},
        },
        "toolChoice": {"type": "tool", "toolName": "weather"},
        "maxOutputTokens": 100,
        "temperature": 0.3,
        "topP": 0.8,
        "topK": 20,
        "presencePenalty": 0.4,
        "frequencyPenalty": 0.5,
        "stopSequences": ["END"],
        "seed": 7,
        "responseFormat": {"type": "json", "schema": SCHEMA, "name": "a"},
        "user": "u-1",
        "anUnknownKey": 1,
    },
    {
        "model": "m",
        "messages": [
            {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "hi"}]},
            {
                "id": "m2",
                "role": "assistant",
                "parts": [
                    {
                        "type": "reasoning",
                        "text": "Hm.",
                        "providerMetadata": {"anthropic": {"signature": "U0lH"}},
                    },
                    {"type": "text", "text": "Hello."},
                ],
            },
            {"id": "m3", "role": "user", "parts": [{"type": "text", "text": "and?"}]},
        ],
        "maxOutputTokens": 20_000,
        "reasoning": {"effort": "high"},
    },
]

AG_UI: list[dict[str, Any]] = [
    {
        "threadId": "thread-1",
        "runId": "run-1",
        "parentRunId": "run-0",
        "protocolVersion": "1.0",
        "state": {"page": 1},
        "resume": [{"interruptId": "i-1", "status": "resolved"}],
        "messages": [
            {"id": "m1", "role": "developer", "content": "Be brief.", "name": "d"},
            {
                "id": "m2",
                "role": "user",
                "name": "u",
                "content": [
                    {"type": "text", "text": "Look."},
                    {
                        "type": "image",
                        "source": {"type": "data", "value": PNG, "mimeType": "image/png"},
                    },
                    {
                        "type": "document",
                        "source": {"type": "data", "value": PDF, "mimeType": "application/pdf"},
                    },
                    {
                        "type": "video",
                        "source": {"type": "url", "value": "https://a.example/a.mp4"},
                    },
                ],
            },
            {"id": "m3", "role": "reasoning", "content": "Hm.", "encryptedValue": "AA=="},
            {
                "id": "m4",
                "role": "assistant",
                "content": "I look it up.",
                "toolCalls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city":"Rome"}'},
                    }
                ],
            },
            {
                "id": "m5",
                "role": "tool",
                "toolCallId": "call_1",
                "content": "sunny",
                "error": "half of it",
            },
            {"id": "m6", "role": "activity", "activityType": "plan", "content": {"step": 1}},
            {"id": "m7", "role": "user", "content": "So?"},
        ],
        "tools": [
            {
                "name": "weather",
                "description": "Weather.",
                "parameters": SCHEMA,
                "metadata": {"a": "b"},
            },
        ],
        "context": [{"description": "The page", "value": "A map of Rome."}],
        "forwardedProps": {
            "model": "m",
            "temperature": 0.3,
            "topP": 0.8,
            "topK": 20,
            "maxTokens": 100,
            "stop": ["END"],
            "seed": 7,
            "presencePenalty": 0.4,
            "frequencyPenalty": 0.5,
            "toolChoice": "function",
            "toolChoiceFunctionName": "weather",
            "responseFormat": {
                "type": "json_schema",
                "json_schema": {"name": "a", "schema": SCHEMA},
            },
            "user": "u-1",
            "anUnknownProp": 1,
            "stream": True,
        },
        "anUnknownKey": 1,
    },
]

OPENAI_COMPLETIONS: list[dict[str, Any]] = [
    {
        "model": "m",
        "prompt": "Once upon a time",
        "suffix": "the end.",
        "max_tokens": 100,
        "temperature": 0.3,
        "top_p": 0.8,
        "n": 2,
        "best_of": 3,
        "echo": True,
        "stop": ["END"],
        "seed": 7,
        "frequency_penalty": 0.5,
        "presence_penalty": 0.4,
        "logit_bias": {"50256": -100},
        "logprobs": 2,
        "user": "u-1",
        "an_unknown_key": 1,
        "stream": True,
    }
]

DIFY: list[dict[str, Any]] = [
    {
        "model": "m",
        "query": "Look.",
        "inputs": {"city": "Rome"},
        "conversation_id": "c-1",
        "parent_message_id": "p-1",
        "workflow_id": "w-1",
        "trace_id": "t-1",
        "user": "u-1",
        "files": [
            {
                "type": "image",
                "transfer_method": "remote_url",
                "url": "https://a.example/a.png",
            },
            {"type": "video", "transfer_method": "local_file", "upload_file_id": "f-1"},
        ],
        "an_unknown_key": 1,
        "response_mode": "streaming",
    }
]

FULL: dict[str, list[dict[str, Any]]] = {
    "openai_chat": OPENAI_CHAT,
    "anthropic": ANTHROPIC,
    "openai_responses": OPENAI_RESPONSES,
    "gemini": GEMINI,
    "cohere": COHERE,
    "ollama": OLLAMA,
    "native": NATIVE,
    "ai_sdk": AI_SDK,
    "ag_ui": AG_UI,
    "openai_completions": OPENAI_COMPLETIONS,
    "dify": DIFY,
}
