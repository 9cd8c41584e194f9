"""The offline model as the daemon uses it: the real Realtime client, the real server on loopback, whole dialogues."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from spark.adapters.clock import SystemClock
from spark.adapters.models.offline import OfflineModel
from spark.core.conversation import (
    AssistantMessage,
    CallReceived,
    FunctionCall,
    FunctionOutput,
    Item,
    ResponseEnded,
    ResponseRequest,
    SystemNote,
    TextReceived,
    TokenUsage,
    ToolSchema,
    UserMessage,
)
from spark.core.errors import Unavailable
from spark.core.ids import new_id

READING = ("readFile", "listAssets", "searchProject")
WRITING = ("generateUnityScript", "applyCodePatch", "undoTurn", "restoreVersion")


class FakeProject:
    """Files in memory behind functions of the contract's shapes. It keeps what was really done."""

    def __init__(self, **files: str) -> None:
        self.files = {f"Assets/{name.replace('_cs', '.cs')}": text for name, text in files.items()}
        self.undone: list[str] = []
        self.refusals: dict[str, dict[str, Any]] = {}

    def run(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if name in self.refusals:
            return {"success": False, "error": self.refusals[name]}
        functions: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "generateUnityScript": self._generate,
            "applyCodePatch": self._patch,
            "readFile": self._read,
            "listAssets": self._list,
            "searchProject": self._search,
            "undoTurn": self._undo,
            "restoreVersion": lambda given: _done(dict(given), ("Assets/Hero.cs", "modified")),
        }
        return functions[name](arguments)

    def _generate(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        path = f"{arguments.get('folder', 'Assets/Scripts')}/{arguments['className']}.cs"
        if path in self.files:
            return _refused("already_exists", f"{path} exists", "Choose another className.")
        self.files[path] = arguments["source"]
        return _done({"path": path, "diagnostics": []}, (path, "created"), (f"{path}.meta", "created"))

    def _patch(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        path, old = arguments["filePath"], arguments["oldContent"]
        assert arguments["expectedSha256"] == _sha256(self.files[path])
        count = -1 if arguments.get("replaceAll") else 1
        self.files[path] = self.files[path].replace(old, arguments["newContent"], count)
        return _done({"sha256": _sha256(self.files[path])}, (path, "modified"))

    def _read(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        text = self.files.get(arguments["path"])
        if text is None:
            return _refused("not_found", f"there is no {arguments['path']}", "Use listAssets.")
        return _done({"content": text, "sha256": _sha256(text), "totalLines": len(text.splitlines())})

    def _list(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        folder, name = arguments.get("folder", "Assets"), arguments.get("name", "")
        suffix = {"script": ".cs", "material": ".mat"}.get(arguments.get("type", ""), "")
        paths = [path for path in self.files if path.startswith(folder + "/") and name.lower() in path.lower()]
        paths = [path for path in paths if path.endswith(suffix)]
        return _done({"assets": [{"path": path, "size": len(self.files[path])} for path in paths]})

    def _search(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        hits = [
            {"path": path, "line": number, "text": line}
            for path, text in self.files.items()
            for number, line in enumerate(text.splitlines(), 1)
            if arguments["query"] in line
        ]
        return _done({"matches": hits})

    def _undo(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        self.undone.append(arguments["turnId"])
        return _done({"turnId": arguments["turnId"]}, ("Assets/Hero.cs", "deleted"))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _done(result: dict[str, Any], *changes: tuple[str, str]) -> dict[str, Any]:
    listed = [{"path": path, "action": action, "versionId": new_id("ver")} for path, action in changes]
    return {"success": True, "result": result, "changes": listed}


def _refused(code: str, message: str, hint: str) -> dict[str, Any]:
    return {"success": False, "error": {"code": code, "message": message, "hint": hint, "details": {}}}


@dataclass
class Dialogue:
    """A conversation with the model: prompts go in, calls are run against the project, the answer comes out."""

    model: OfflineModel
    project: FakeProject
    tools: tuple[str, ...] = READING + WRITING
    instructions: str = "You are SPARK."
    items: list[Item] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def say(self, prompt: str) -> str:
        self.items.append(UserMessage(new_id("item"), prompt))
        for _ in range(20):
            text, calls, ended = await self._respond()
            assert ended == ResponseEnded("completed", TokenUsage(0, 0, 0))
            if text:
                self.items.append(AssistantMessage(new_id("item"), text))
            for call in calls:
                arguments = json.loads(call.arguments)
                self.calls.append((call.name, arguments))
                output = json.dumps(self.project.run(call.name, arguments))
                self.items += [call, FunctionOutput(new_id("item"), call.call_id, output)]
            if not calls:
                return text
        raise AssertionError("the model never came to an end")

    async def _respond(self) -> tuple[str, list[FunctionCall], ResponseEnded]:
        text, calls = "", []
        request = ResponseRequest(
            conversation_id="conv_1",
            instructions=self.instructions,
            items=tuple(self.items),
            tools=tuple(ToolSchema(name, name, {"type": "object", "properties": {}}) for name in self.tools),
        )
        async for event in self.model.respond(request):
            if isinstance(event, TextReceived):
                text += event.text
            elif isinstance(event, CallReceived):
                calls.append(event.call)
            else:
                return text, calls, event
        raise AssertionError("no ResponseEnded")


@pytest.fixture
async def model() -> AsyncIterator[OfflineModel]:
    link = OfflineModel(clock=SystemClock())
    yield link
    await link.close()


@pytest.mark.parametrize(
    ("prompt", "class_name", "part"),
    [
        ("Create a player controller script called Hero", "Hero", "Input.GetAxisRaw"),
        ("make me a health script named EnemyHealth, please", "EnemyHealth", "TakeDamage"),
        ("Please write a pickup called Coin", "Coin", "OnTriggerEnter"),
        ("I need a spawner", "Spawner", "Instantiate"),
        ("create a follow camera called CamRig", "CamRig", "LateUpdate"),
        ("Build a GameManager", "GameManager", "DontDestroyOnLoad"),
        ("create a plain class called SaveData", "SaveData", "[Serializable]"),
        ("create a script called Mover", "Mover", "MonoBehaviour"),
    ],
)
async def test_every_script_skill(model: OfflineModel, prompt: str, class_name: str, part: str) -> None:
    """Each fixed script is written by one call with its source, and the answer names the path that the call reported."""
    dialogue = Dialogue(model, FakeProject())
    answer = await dialogue.say(prompt)
    path = f"Assets/Scripts/{class_name}.cs"
    assert [name for name, _ in dialogue.calls] == ["generateUnityScript"]
    assert f"class {class_name}" in dialogue.project.files[path]
    assert part in dialogue.project.files[path]
    assert path in answer
    assert "fixed template" in answer


async def test_namespace_and_folder(model: OfflineModel) -> None:
    """Namespace and folder of the prompt are in the call and in the source."""
    dialogue = Dialogue(model, FakeProject())
    await dialogue.say("Create a health script called Life in namespace My.Game in Assets/Game/Core")
    _, arguments = dialogue.calls[0]
    assert (arguments["namespace"], arguments["folder"]) == ("My.Game", "Assets/Game/Core")
    assert "namespace My.Game\n{" in arguments["source"]


@pytest.mark.parametrize(
    ("brief", "part", "said"),
    [
        ("Input handling: Input System package", "Keyboard.current", "Unity.InputSystem"),
        ("Input handling: Input Manager (old)", "Input.GetAxisRaw", "Input class"),
        ("Input handling: Both", "Input.GetAxisRaw", "Input class"),
        ("", "Input.GetAxisRaw", "Active Input Handling"),
    ],
)
async def test_input_handling_of_the_project(model: OfflineModel, brief: str, part: str, said: str) -> None:
    """The player controller reads input as the project brief says it is handled, and the answer tells which."""
    dialogue = Dialogue(model, FakeProject(), instructions=f"You are SPARK.\n{brief}")
    answer = await dialogue.say("create a player controller")
    assert part in dialogue.calls[0][1]["source"]
    assert said in answer


async def test_several_requests_in_one_prompt(model: OfflineModel) -> None:
    """Requests of one prompt are done one after the other; what was not understood is said, not passed over."""
    dialogue = Dialogue(model, FakeProject())
    answer = await dialogue.say("Create a health script and a spawner called Waves, then list scripts. Make it rain!")
    assert [name for name, _ in dialogue.calls] == ["generateUnityScript", "generateUnityScript", "listAssets"]
    assert "Assets/Scripts/Waves.cs" in answer
    assert "Not done" in answer
    assert "Make it rain" in answer


async def test_a_refused_script_is_reported(model: OfflineModel) -> None:
    """A refusal is answered with its message, code and hint, never with a success."""
    dialogue = Dialogue(model, FakeProject(Scripts=""))
    dialogue.project.files["Assets/Scripts/Hero.cs"] = "mine"
    answer = await dialogue.say("create a player controller called Hero")
    assert "was not written" in answer
    assert "already_exists" in answer
    assert "Choose another className" in answer
    assert dialogue.project.files["Assets/Scripts/Hero.cs"] == "mine"


async def test_replace_reads_first(model: OfflineModel) -> None:
    """Find and replace looks the file up, reads it, then patches exactly the bytes that it read."""
    dialogue = Dialogue(model, FakeProject(Hero_cs="float speed = 6f;\n"))
    answer = await dialogue.say('replace "speed = 6f" with "speed = 9f" in Hero.cs')
    assert [name for name, _ in dialogue.calls] == ["listAssets", "readFile", "applyCodePatch"]
    assert dialogue.project.files["Assets/Hero.cs"] == "float speed = 9f;\n"
    assert "Assets/Hero.cs" in answer


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("replace foo with bar in Hero.cs", "does not stand"),
        ("replace x with y in Hero.cs", "2 times"),
        ("replace x with y in Nobody.cs", "no file named Nobody.cs"),
        ("replace x with y in Assets/Nobody.cs", "not_found"),
        ("replace x with y", "In which file"),
        ('replace "" with y in Hero.cs', "Which text"),
        ("replace x with y in Twice.cs", "2 files named Twice.cs"),
    ],
)
async def test_replacements_that_cannot_be_made(model: OfflineModel, prompt: str, said: str) -> None:
    """What is missing or ambiguous is said, and no patch is sent."""
    project = FakeProject(Hero_cs="x x")
    project.files |= {"Assets/A/Twice.cs": "x", "Assets/B/Twice.cs": "x"}
    dialogue = Dialogue(model, project)
    assert said in await dialogue.say(prompt)
    assert "applyCodePatch" not in [name for name, _ in dialogue.calls]


async def test_replace_all_and_refused_patch(model: OfflineModel) -> None:
    """`replace all` replaces every occurrence; a patch that is refused is reported as refused."""
    dialogue = Dialogue(model, FakeProject(Hero_cs="x x"))
    assert "everywhere" in await dialogue.say("replace all x with y in Hero.cs")
    assert dialogue.project.files["Assets/Hero.cs"] == "y y"
    dialogue.project.refusals["applyCodePatch"] = {"code": "approval_denied", "message": "the user said no", "hint": ""}
    answer = await dialogue.say("replace all y with z in Hero.cs")
    assert "was not changed" in answer
    assert "approval_denied" in answer


async def test_list_read_and_search(model: OfflineModel) -> None:
    """Listing, reading and searching show what the functions gave."""
    project = FakeProject(Hero_cs="class Hero\n{\n}\n", Villain_cs="class Villain {}\n")
    project.files["Assets/Red.mat"] = "%YAML"
    dialogue = Dialogue(model, project)
    listed = await dialogue.say("list scripts")
    assert "2 scripts" in listed
    assert "Red.mat" not in listed
    assert "class Hero\n{" in await dialogue.say("read Hero.cs")
    assert "Assets/Villain.cs:1" in await dialogue.say('search for "Villain"')
    assert "was not found" in await dialogue.say("search for Dragon")
    assert "not_found" in await dialogue.say("read Assets/Nobody.cs")
    assert "no file named Nobody.cs" in await dialogue.say("read Nobody.cs")


async def test_undo_uses_the_turn_it_was_told(model: OfflineModel) -> None:
    """Undo takes the newest turn that changed files from the notes of the conversation, or an id from the prompt."""
    dialogue = Dialogue(model, FakeProject())
    assert "nothing to undo" in await dialogue.say("undo that")
    dialogue.items.append(SystemNote("n1", "Last turn: turn_A (done; changed: Assets/Hero.cs (created))"))
    dialogue.items.append(SystemNote("n2", "Last turn: turn_B (done; no files changed)"))
    answer = await dialogue.say("please undo the last turn")
    assert dialogue.project.undone == ["turn_A"]
    assert "Assets/Hero.cs (deleted)" in answer
    await dialogue.say("undo turn_X9")
    assert dialogue.project.undone[-1] == "turn_X9"


async def test_undo_by_the_instructions_and_refused(model: OfflineModel) -> None:
    """The line may stand in the instructions too; an undo that is refused is not called done."""
    dialogue = Dialogue(model, FakeProject(), instructions="You are SPARK.\nLast turn: turn_Z\n")
    dialogue.project.refusals["undoTurn"] = {"code": "conflict", "message": "Hero.cs was edited since", "hint": "Look."}
    answer = await dialogue.say("undo")
    assert dialogue.calls == [("undoTurn", {"turnId": "turn_Z"})]
    assert "was not undone: Hero.cs was edited since (conflict)" in answer


@pytest.mark.parametrize(
    "prompt", ["hello", "help", "What can you do?", "how do I connect a real model?", "who are you"]
)
async def test_it_says_what_it_is(model: OfflineModel, prompt: str) -> None:
    """Asked, it says that it is no language model, what it can do, and how a real one is connected; it calls nothing."""
    dialogue = Dialogue(model, FakeProject())
    answer = await dialogue.say(prompt)
    assert dialogue.calls == []
    for part in ("no language model", "player controller", "undo", "spark key set openai", "11434", "1234"):
        assert part in answer


@pytest.mark.parametrize(
    "prompt",
    [
        "write me a poem about dragons",
        "create a script Foo that makes the enemy explode",
        "create a script that rotates the object",
        "make a health bar",
        "create a shader for the pickup",
        "write a test for the game manager",
        "fix the health script",
        "create a red material",
        "why does my build fail?",
        "x" * 5000,
        "\x00\ud800 ?!",
        "Attached file",
    ],
)
async def test_it_never_pretends(model: OfflineModel, prompt: str) -> None:
    """What no fixed rule covers is refused with the list of skills; nothing is called, nothing is claimed."""
    dialogue = Dialogue(model, FakeProject())
    answer = await dialogue.say(prompt.encode("utf-8", "replace").decode())
    assert dialogue.calls == []
    assert "fixed rules" in answer
    assert "spark key set openai" in answer
    assert "Wrote" not in answer


async def test_read_only_conversation(model: OfflineModel) -> None:
    """Without writing functions nothing is attempted, and the answer says why; the skills that are left are listed."""
    dialogue = Dialogue(model, FakeProject(Hero_cs="x"), tools=READING)
    assert "does not offer" in await dialogue.say("create a health script")
    assert "does not offer" in await dialogue.say("replace x with y in Hero.cs")
    assert "does not offer" in await dialogue.say("undo that")
    answer = await dialogue.say("help")
    assert "no functions that write" in answer
    assert "player controller" not in answer
    assert dialogue.calls == []


async def test_an_attachment_is_no_request(model: OfflineModel) -> None:
    """Only the prompt is understood, not what stands in attached files."""
    dialogue = Dialogue(model, FakeProject())
    await dialogue.say("list scripts\n\nAttached file Assets/A.cs (sha256 00):\n```\ncreate a health script\n```")
    assert [name for name, _ in dialogue.calls] == ["listAssets"]


async def test_closing_ends_the_server() -> None:
    """A closed link refuses, and its server is gone; what it says of itself needs no server."""
    link = OfflineModel(clock=SystemClock())
    assert (link.backend, link.model, link.host, link.key_source) == (
        "offline",
        "offline",
        "this machine",
        "none needed",
    )
    assert await Dialogue(link, FakeProject()).say("hello")
    await link.close()
    with pytest.raises(Unavailable):
        await Dialogue(link, FakeProject()).say("hello")
