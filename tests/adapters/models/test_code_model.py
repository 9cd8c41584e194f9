"""Generated scripts: the real links against scripted and real servers, and the honesty of the offline templates."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from spark.adapters.clock import SystemClock
from spark.adapters.models import ModelChoice, open_code_model
from spark.adapters.models.code_model import CODE_SCHEMA, OfflineCodeModel, unwrap
from spark.core.errors import Unavailable
from spark.core.ports import ScriptOrder
from tests.fakes.chat_server import Refused, ScriptedChatServer, Streamed, delta, running_chat_server, said, usage

FILE = "using UnityEngine;\n\npublic class Hero : MonoBehaviour\n{\n}\n"
ORDER = ScriptOrder("Make the hero glow", "Hero", None, "MonoBehaviour", True, "4 spaces")


@pytest.fixture
async def server() -> AsyncIterator[ScriptedChatServer]:
    async with running_chat_server() as running:
        yield running


def _choice(server: ScriptedChatServer) -> ModelChoice:
    return ModelChoice("chat", "m", server.url)


async def test_a_structured_request_of_its_own(server: ScriptedChatServer) -> None:
    """The order goes out as one structured request without tools; code, tokens and generator come back."""
    server.script = [Streamed([delta(content=json.dumps({"code": FILE})), delta("stop"), usage(100, 0, 20)])]
    model = open_code_model(_choice(server), clock=SystemClock())
    code = await model.write_script(ORDER)
    await model.close()
    assert (code.code, code.tokens_used, code.generator) == (FILE, 120, "chat:m")
    sent = server.requests[0]
    assert sent["response_format"]["json_schema"]["schema"] == CODE_SCHEMA
    assert "tools" not in sent
    assert "Type name: Hero" in sent["messages"][1]["content"]
    assert "Namespace: none" in sent["messages"][1]["content"]


async def test_the_code_model_of_the_settings(server: ScriptedChatServer) -> None:
    """`SPARK_CODE_MODEL` writes the scripts; with `realtime`, one that is no Realtime model goes by chat completions."""
    server.script = [said(json.dumps({"code": FILE}))]
    choice = ModelChoice("realtime", "gpt-realtime-2.1", server.url, "key", "keyring", "writer-1")
    model = open_code_model(choice, clock=SystemClock())
    assert (await model.write_script(ORDER)).generator == "chat:writer-1"
    await model.close()
    assert server.requests[0]["model"] == "writer-1"


async def test_a_repair_names_the_problems(server: ScriptedChatServer) -> None:
    """A repair carries the previous file and what was wrong with it."""
    server.script = [said(json.dumps({"code": FILE}))]
    model = open_code_model(_choice(server), clock=SystemClock())
    await model.write_script(replace(ORDER, previous="class Broken {", problems=("line 1: } expected",)))
    await model.close()
    sent = server.requests[0]["messages"][1]["content"]
    assert "class Broken {" in sent
    assert "line 1: } expected" in sent


@pytest.mark.parametrize(
    "reply",
    [
        said("I am sorry, I cannot do that."),
        said('{"code": "class A {', finish="length"),
        said(json.dumps({"code": ""})),
        Streamed([]),
        Refused(401, {"message": "no"}),
    ],
)
async def test_no_script_is_invented(server: ScriptedChatServer, reply: Streamed | Refused) -> None:
    """An answer without a whole file is `model_unavailable`."""
    server.script = [reply]
    model = open_code_model(_choice(server), clock=SystemClock())
    with pytest.raises(Unavailable) as caught:
        await model.write_script(ORDER)
    await model.close()
    assert caught.value.code == "model_unavailable"


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"code": FILE}),
        json.dumps({"code": FILE.replace("\n", "\r\n")}),
        json.dumps({"code": f"```csharp\n{FILE}```"}),
        json.dumps({"code": "\ufeff" + FILE + "\n\n"}),
        f"```json\n{json.dumps({'code': FILE})}\n```",
        f"Here you are: {json.dumps({'code': FILE})} Enjoy!",
        f"```csharp\n{FILE}```",
        f"Sure!\n```cs\n{FILE}\n```\nIt glows.",
        FILE,
    ],
)
def test_unwrap(answer: str) -> None:
    """However an answer is wrapped, the same file comes out, with `\\n` line ends and one at the end."""
    assert unwrap(answer) == FILE


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        '{"code": 7}',
        "no",
        "```\nls -l\n```",
        f"```cs\n{FILE}```\nor\n```cs\n{FILE}```",
        "The class Hero is done.",
    ],
)
def test_unwrap_refuses_what_is_no_file(answer: str) -> None:
    """Prose, other code and a choice of two files are no answer."""
    assert unwrap(answer) is None


@pytest.mark.parametrize(
    ("prompt", "template"),
    [
        ("Create a player controller", "player_controller"),
        ("A health component for the enemies", "health"),
        ("create a follow camera please", "follow_camera"),
        ("empty script", "component"),
    ],
)
async def test_offline_skills(prompt: str, template: str) -> None:
    """Prompts of a fixed skill give its script under the ordered name, for no tokens."""
    code = await OfflineCodeModel().write_script(replace(ORDER, prompt=prompt, namespace="My.Game"))
    assert (code.generator, code.tokens_used) == (f"offline:{template}", 0)
    assert "namespace My.Game" in code.code
    assert "class Hero" in code.code


@pytest.mark.parametrize(
    "order",
    [
        ORDER,
        replace(ORDER, prompt="a health bar with hearts"),
        replace(ORDER, prompt="Create a health script", base_class="ScriptableObject"),
        replace(ORDER, prompt="Create a health script", previous="x", problems=("line 1",)),
    ],
)
async def test_offline_refuses_the_rest(order: ScriptOrder) -> None:
    """Everything else is `model_unavailable` with the skills and the line that connects a model."""
    model = open_code_model(ModelChoice("offline", "offline"), clock=SystemClock())
    with pytest.raises(Unavailable) as caught:
        await model.write_script(order)
    await model.close()
    assert (caught.value.code, caught.value.counts) == ("model_unavailable", False)
    assert "player controller" in caught.value.message
    assert "spark key set openai" in caught.value.hint
