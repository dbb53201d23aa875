"""Frameworks for agents in Python: each runs a tool loop through Mainstem, most over an upstream of
another dialect than their own."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.e2e.proxy_process import running_proxy
from tests.needs import requires
from tests.programs.test_coding_agents import config
from tests.programs.vendor import DONE, Call, scripted

pytestmark = [requires("frameworks"), pytest.mark.slow, pytest.mark.timeout(120)]

HERE = Path(__file__).parent
PYTHON = HERE / ".venv" / "bin" / "python"
RUN_S = 90
# The framework, with what it speaks where it can speak several, and the upstream's dialect.
PAIRS = (
    ("langchain:openai", "anthropic"),
    ("langchain:anthropic", "gemini"),
    ("llm", "anthropic"),
    ("openai-agents", "openai_responses"),
    ("openai-agents", "openai_chat"),
    ("pydantic-ai:openai", "gemini"),
    ("pydantic-ai:anthropic", "openai_chat"),
    ("pydantic-ai:google", "anthropic"),
)


@pytest.mark.parametrize(("framework", "upstream"), PAIRS)
async def test_a_tool_loop_ends_well(framework: str, upstream: str, tmp_path: Path) -> None:
    """The tool ran with the vendor's arguments, and the answer after it is the vendor's."""
    file = tmp_path / "a.txt"
    async with scripted(upstream, Call("write_file", {"text": "hello"})) as vendor:
        async with running_proxy(config(vendor, upstream)) as proxy:
            process = await asyncio.create_subprocess_exec(
                PYTHON,
                HERE / "loops.py",
                framework,
                proxy,
                file,
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(tmp_path)},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            try:
                printed, _ = await asyncio.wait_for(process.communicate(), RUN_S)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
    said = printed.decode(errors="replace")
    assert file.is_file(), said[-3000:]
    assert "hello" == file.read_text()
    assert DONE in said, said[-3000:]
