"""One tool loop of a Python framework: python loops.py FRAMEWORK BASE_URL FILE. Prints the answer.

Runs in an environment of its own (`make agents`), which has the frameworks and nothing of the
project. The tool writes a file; each framework is used as its first page of documentation shows.
"""

import asyncio
import subprocess
import sys
from pathlib import Path

MODEL = "m"
PROMPT = "Mend the typo in a.txt."
KEY = "sk-test-0123456789"


def write_file(text: str) -> str:
    """Write this text into a.txt."""
    Path(sys.argv[3]).write_text(text)
    return "written"


def pydantic_ai(base: str, kind: str) -> str:
    from pydantic_ai import Agent

    if kind == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        model = AnthropicModel(MODEL, provider=AnthropicProvider(api_key=KEY, base_url=base))
    elif kind == "google":
        from pydantic_ai.models.google import GoogleModel
        from pydantic_ai.providers.google import GoogleProvider

        model = GoogleModel(MODEL, provider=GoogleProvider(api_key=KEY, base_url=base))
    else:
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider

        provider = OpenAIProvider(api_key=KEY, base_url=f"{base}/v1")
        model = OpenAIChatModel(MODEL, provider=provider)
    agent = Agent(model, tools=[write_file])

    async def streamed() -> str:
        async with agent.run_stream(PROMPT) as run:
            return await run.get_output()

    return asyncio.run(streamed())


def openai_agents(base: str, _kind: str) -> str:
    from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
    from openai import AsyncOpenAI

    set_tracing_disabled(True)
    client = AsyncOpenAI(api_key=KEY, base_url=f"{base}/v1", max_retries=0)
    model = OpenAIResponsesModel(model=MODEL, openai_client=client)
    agent = Agent(name="a", model=model, tools=[function_tool(write_file)])
    return str(asyncio.run(Runner.run(agent, PROMPT)).final_output)


def langchain(base: str, kind: str) -> str:
    from langchain_core.messages import HumanMessage, ToolMessage

    if kind == "anthropic":
        from langchain_anthropic import ChatAnthropic

        chat = ChatAnthropic(model=MODEL, api_key=KEY, base_url=base, max_tokens=1000)
    else:
        from langchain_openai import ChatOpenAI

        chat = ChatOpenAI(model=MODEL, api_key=KEY, base_url=f"{base}/v1", max_retries=0)
    bound = chat.bind_tools([write_file])
    history = [HumanMessage(PROMPT)]
    while True:
        pieces = list(bound.stream(history))
        answer = pieces[0]
        for piece in pieces[1:]:
            answer += piece
        history.append(answer)
        if not answer.tool_calls:
            return answer.text if isinstance(answer.text, str) else answer.text()
        history += [
            ToolMessage(write_file(**call["args"]), tool_call_id=call["id"])
            for call in answer.tool_calls
        ]


def llm(base: str, _kind: str) -> str:
    """The command, with a model of the user's own (extra-openai-models.yaml) and a tool."""
    home = Path(sys.argv[3]).parent / "llm"
    home.mkdir()
    (home / "extra-openai-models.yaml").write_text(
        f"- model_id: {MODEL}\n  model_name: {MODEL}\n  api_base: {base}/v1\n"
        "  supports_tools: true\n"
    )
    tool = (
        "def write_file(text: str) -> str:\n"
        '    """Write this text into a.txt."""\n'
        "    import pathlib\n"
        f"    pathlib.Path({sys.argv[3]!r}).write_text(text)\n"
        "    return 'written'\n"
    )
    program = Path(sys.executable).with_name("llm")
    command = [program, "-m", MODEL, "--key", KEY, "--functions", tool, "--no-log", PROMPT]
    done = subprocess.run(
        [str(word) for word in command],
        env={"LLM_USER_PATH": str(home), "PATH": str(program.parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout if done.returncode == 0 else done.stdout + done.stderr


FRAMEWORKS = {
    "langchain": langchain,
    "llm": llm,
    "openai-agents": openai_agents,
    "pydantic-ai": pydantic_ai,
}


if __name__ == "__main__":
    framework, _, kind = sys.argv[1].partition(":")
    print(FRAMEWORKS[framework](sys.argv[2], kind))
