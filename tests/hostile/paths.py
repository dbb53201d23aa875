"""Where a client of each dialect posts a request of its own form."""

PATHS = {
    "native": "/v1/stream",
    "openai_chat": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "plain": "/data",
    "sider": "/api/v1/completion/text",
    "chatglm": "/data",
    "baidu_chat": "/aichat/api/conversation",
    "yiyan": "/eb/chat/conversation/v2",
    "dify": "/v1/chat-messages",
    "cohere": "/v2/chat",
    "ollama": "/api/chat",
    "ai_sdk": "/v1/ai-sdk",
    "openai_responses": "/v1/responses",
    "openai_completions": "/v1/completions",
    "gemini": "/v1beta/models/m:streamGenerateContent",
}
