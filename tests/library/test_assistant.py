"""The server for assistants, asked by a real client over standard input and output."""

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from chipweir import assistant, library


def session(ask: Callable[[Client], Awaitable[Any]], *options: str) -> Any:
    """What `ask` finds in a session with a server of its own."""
    parameters = StdioServerParameters(command=sys.executable, args=["-m", "chipweir", "mcp", *options])

    async def asked() -> Any:
        with anyio.fail_after(250):
            async with Client(stdio_client(parameters)) as client:
                return await ask(client)

    # A browser's tests keep a loop running in this thread, so the session has a thread of its own.
    with start_blocking_portal() as portal:
        return portal.call(asked)


QUESTIONS: dict[str, dict[str, Any]] = {
    "facts": {"name": "SMIC", "measure": "수율", "lang": "ko"},
    "licence": {"item": "H20", "to": "CN", "on": "2025-05-01"},
    "classify": {"tpp": 4800, "die_mm2": 800},
    "estimate": {"model": "DeepSeek-V3", "on": "Huawei CloudMatrix 384"},
    "match": {"a": "H20", "b": "H100", "model": "DeepSeek-V3"},
    "check": {"text": "SMIC's 7nm yield is 40%.", "published": "2025-12-01"},
}


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """The answers to all questions that need no simulation, and the list of tools, from one session."""

    async def ask(client: Client) -> dict[str, Any]:
        found: dict[str, Any] = {"tools": await client.list_tools()}
        for name, arguments in QUESTIONS.items():
            found[name] = await client.call_tool(name, arguments)
        found["unknown"] = await client.call_tool("licence", {"item": "H2000", "to": "CN"})
        found["wrong"] = await client.call_tool("estimate", {"model": "DeepSeek-V3", "on": "H100", "chips": -3})
        found["nothing"] = await client.call_tool("classify", {})
        found["after"] = await client.call_tool("licence", QUESTIONS["licence"])
        return found

    answered: dict[str, Any] = session(ask)
    return answered


def test_all_tools_are_listed_with_what_they_take(answers: dict[str, Any]) -> None:
    tools = {tool.name: tool for tool in answers["tools"].tools}
    assert list(tools) == ["facts", "licence", "classify", "estimate", "match", "compare", "advise", "check"]
    for tool in tools.values():
        assert len(tool.description) > 40
        assert tool.annotations.read_only_hint
        assert "lang" in tool.input_schema["properties"]
    assert set(tools["licence"].input_schema["required"]) == {"item", "to"}
    assert not any(
        "path" in name or "file" in name for tool in tools.values() for name in tool.input_schema["properties"]
    )


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_holds_numbers_sources_and_limits(answers: dict[str, Any], name: str) -> None:
    answer = answers[name]
    assert not answer.is_error
    found = answer.structured_content
    assert found == json.loads(answer.content[0].text)
    assert found["answer"]
    assert found["sources"]
    assert found["limits"]
    assert any(source.get("url", "").startswith("https://") for source in found["sources"])


def test_the_numbers_are_those_of_the_library(answers: dict[str, Any]) -> None:
    ours = library.licence("H20", to="CN", on="2025-05-01").to_dict()
    assert answers["licence"].structured_content == ours
    tokens = answers["estimate"].structured_content["quantities"]["output_tok_s_chip"]
    own = library.estimate("DeepSeek-V3", "Huawei CloudMatrix 384").quantities["output_tok_s_chip"]
    assert tokens == pytest.approx(own)


def test_a_wrong_question_gets_one_line_and_the_server_goes_on(answers: dict[str, Any]) -> None:
    for name, said in (("unknown", "did you mean"), ("nothing", "name a chip"), ("wrong", "chips")):
        assert answers[name].is_error
        assert said in answers[name].content[0].text
        assert "Traceback" not in answers[name].content[0].text
    assert not answers["after"].is_error


def test_own_facts_are_in_force(tmp_path: Path) -> None:
    (tmp_path / "chip_values.csv").write_text(
        "chip,quantity,central,unit,source,preferred\nnvidia-h20,tpp,9000,bit*TOP/s,my-meter,yes\n", encoding="utf-8"
    )
    (tmp_path / "sources.csv").write_text("id,title,cls\nmy-meter,My own measurement,own\n", encoding="utf-8")
    found = session(lambda client: client.call_tool("classify", {"item": "H20"}), "--facts", str(tmp_path))
    assert found.structured_content["tpp"] == 9000


def test_long_lists_are_cut_and_say_so() -> None:
    found = assistant.shortened({"facts": list(range(100)), "answer": "x"})
    assert found["facts"] == list(range(assistant.MOST_ROWS))
    assert found["left_out"] == {"facts": 100 - assistant.MOST_ROWS}
    assert "left_out" not in assistant.shortened({"facts": [1]})


@pytest.mark.slow
def test_a_comparison_is_simulated() -> None:
    question = {"a": "baseline", "b": "blockade", "members": 4}
    found = session(lambda client: client.call_tool("compare", question)).structured_content
    assert {row["key"] for row in found["differences"]} > {"compute", "smuggled_units"}
    assert found["seed"] == 1
    assert found["sources"]
