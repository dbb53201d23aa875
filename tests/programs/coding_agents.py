"""Coding agents: how each is run once, without a person, in a folder of its own, with a base URL.

They run as their users run them, from the packages that npm brings. Each gets a home of its own and
no name, key or proxy of this machine; what it would tell its maker is switched off.
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.programs.vendor import Call

MODULES = Path(__file__).parent / "node_modules"
TYPO, MENDED = "hello wrld\n", "hello world\n"
PROMPT = "Mend the typo in a.txt."
_KEY = "sk-test-0123456789"
_RUN_S = 90


class Agent(NamedTuple):
    """`dialect` is what it speaks, `call` the tool call that mends the file. `command` and `env`
    take the home and the base URL; `files` are written into the home first."""

    dialect: str
    call: Callable[[Path], Call]
    command: list[str]
    env: Callable[[str], Mapping[str, str]]
    files: Callable[[str], Mapping[str, str]]


def _mend(file: Path) -> str:
    """A shell command: programs write into a file that is there only once they have read it."""
    return f"printf 'hello world\\n' > {file}"


def _claude_code(base: str) -> Mapping[str, str]:
    return {
        "ANTHROPIC_BASE_URL": base,
        "ANTHROPIC_API_KEY": _KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "IS_SANDBOX": "1",  # it may run as root
    }


def _codex_config(base: str) -> Mapping[str, str]:
    config = f"""
model = "gpt-5.1-codex"
model_provider = "m"
[model_providers.m]
name = "m"
base_url = "{base}/v1"
env_key = "M_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""
    return {".codex/config.toml": config}


def _opencode_config(base: str) -> Mapping[str, str]:
    config = {
        "provider": {
            "m": {
                "npm": "@ai-sdk/openai-compatible",
                "name": "m",
                "options": {"baseURL": f"{base}/v1", "apiKey": _KEY},
                "models": {"coder": {"name": "m"}},
            }
        },
        "autoupdate": False,
        "share": "disabled",
    }
    return {".config/opencode/opencode.json": json.dumps(config)}


def _gemini_settings(_base: str) -> Mapping[str, str]:
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"disableAutoUpdate": True},
    }
    return {".gemini/settings.json": json.dumps(settings)}


def _nothing(_base: str) -> Mapping[str, str]:
    return {}


AGENTS: dict[str, Agent] = {
    "Claude Code": Agent(
        "anthropic",
        lambda file: Call("Bash", {"command": _mend(file), "description": "Mend the typo"}),
        [
            "@anthropic-ai/claude-code-*/claude",
            "-p",
            PROMPT,
            "--dangerously-skip-permissions",
            "--model",
            "claude-sonnet-4-5",
        ],
        _claude_code,
        _nothing,
    ),
    "Codex": Agent(
        "openai_responses",
        lambda file: Call("exec_command", {"cmd": _mend(file)}),
        [
            ".bin/codex",
            "exec",
            "--skip-git-repo-check",
            "--dangerously-bypass-approvals-and-sandbox",
            PROMPT,
        ],
        lambda _: {"M_KEY": _KEY},
        _codex_config,
    ),
    "Gemini CLI": Agent(
        "gemini",
        lambda file: Call("write_file", {"file_path": str(file), "content": MENDED}),
        [".bin/gemini", "--yolo", "--skip-trust", "-m", "gemini-2.5-pro", "-p", PROMPT],
        lambda base: {"GEMINI_API_KEY": _KEY, "GOOGLE_GEMINI_BASE_URL": base},
        _gemini_settings,
    ),
    "opencode": Agent(
        "openai_chat",
        lambda file: Call("bash", {"command": _mend(file), "description": "Mend the typo"}),
        ["opencode-*/bin/opencode", "run", "-m", "m/coder", PROMPT],
        _nothing,
        _opencode_config,
    ),
}


async def run(agent: Agent, base: str, home: Path, work: Path) -> str:
    """Runs it to its end, and gives all that it printed. Raises TimeoutError after a minute and a
    half."""
    for name, text in agent.files(base).items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "NO_COLOR": "1",
        "CI": "1",
        **agent.env(base),
    }
    # Some are in a package of the machine's kind, of which npm brings those that fit.
    program = min(MODULES.glob(agent.command[0]))
    process = await asyncio.create_subprocess_exec(
        program,
        *agent.command[1:],
        cwd=work,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), _RUN_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return said.decode(errors="replace")
