"""The main job as a stranger does it: commands, prompts, files, history, undo; with the offline model and over the wire."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Spark, wait_until
from tests.e2e.realtime_process import realtime_server
from tests.fakes.realtime_server import Call, Refuse, Say, cut

MOVER = "using UnityEngine;\n\npublic class Mover : MonoBehaviour\n{\n    public float speed = 1f;\n}\n"


def test_demo_shows_the_whole_main_job_without_key_and_editor(spark: Spark) -> None:
    """spark demo: scripts with metas written by prompts, one patched, history with prompts, one prompt undone."""
    project = spark.home / "demo project"
    spark.project = project
    shown = spark.run("demo", timeout=120).stdout
    scripts = {path.name for path in (project / "Assets").rglob("*.cs")}
    metas = {path.name.removesuffix(".meta") for path in (project / "Assets").rglob("*.cs.meta")}
    assert scripts <= metas
    history = spark.json("history")["versions"]
    assert {"created", "modified"} <= {version["action"] for version in history}
    assert all(version["prompt"] for version in history if version["author"]["kind"] == "model")
    assert any(version["author"]["kind"] == "restore" for version in history)
    for version in history:
        if version["author"]["kind"] == "model":
            assert version["path"] in shown
    assert not (project / "Library/Spark/daemon.json").exists()


def test_ask_writes_patches_and_undoes(spark: Spark) -> None:
    """Prompts in words, the daemon started on the way: write, replace, list, read, undo."""
    spark.run("ask", "make a health script called Health", "--mode", "auto")
    path = next((spark.project / "Assets").rglob("Health.cs"))
    before = path.read_text(encoding="utf-8")
    word = next(word for word, times in Counter(re.findall(r"[A-Za-z]{6,}", before)).items() if times == 1)
    done = spark.run("ask", f"replace {word} with Fourtyseven in Health.cs", "--mode", "auto")
    assert path.read_text(encoding="utf-8") == before.replace(word, "Fourtyseven"), done.stdout
    spark.run("undo")
    assert path.read_text(encoding="utf-8") == before
    events = [
        json.loads(line)
        for line in spark.run("ask", "list the scripts", "--mode", "readOnly", "--json").stdout.splitlines()
    ]
    assert events[0]["type"] == "turnStarted"
    assert events[-1]["type"] == "turnFinished"
    assert events[-1]["status"] == "done"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert "Health" in "".join(event.get("text", "") for event in events[1:])


def test_undo_by_prompt(spark: Spark) -> None:
    """The model's own undoTurn takes back the last turn."""
    spark.run("ask", "make a spawner script called Spawner", "--mode", "auto")
    assert list((spark.project / "Assets").rglob("Spawner.cs"))
    done = spark.run("ask", "undo that", "--mode", "auto")
    assert not list((spark.project / "Assets").rglob("Spawner.cs")), done.stdout


def test_ask_without_a_terminal_wants_a_mode(spark: Spark) -> None:
    """Nobody could be asked: approval_required, exit 1, and nothing is written."""
    done = spark.run("ask", "make a health script called Health", check=1)
    assert "approval_required" in done.stderr
    assert not list((spark.project / "Assets").rglob("Health.cs"))


def test_what_the_offline_model_cannot_do_it_says(spark: Spark) -> None:
    """An honest answer with the skills and the line that connects a model; no file is made up."""
    before = sorted(path.name for path in (spark.project / "Assets").rglob("*"))
    done = spark.run("ask", "write me a multiplayer lobby with voice chat", "--mode", "auto")
    assert "spark key set" in done.stdout
    assert sorted(path.name for path in (spark.project / "Assets").rglob("*")) == before


def test_generate_without_source_uses_a_fixed_skill_or_says_model_unavailable(spark: Spark) -> None:
    """offline: a prompt of a skill gives that script with generator and no tokens; others are model_unavailable, exit 5 or 1."""
    arguments = {"prompt": "a health script for the player", "className": "Vitality"}
    answer = spark.json("call", "generateUnityScript", json.dumps(arguments))
    assert answer["result"]["generator"] == "offline:health"
    assert answer["result"]["tokensUsed"] == 0
    assert "class Vitality" in next((spark.project / "Assets").rglob("Vitality.cs")).read_text(encoding="utf-8")
    arguments = {"prompt": "a procedural dungeon generator", "className": "Dungeon"}
    refused = spark.run("call", "generateUnityScript", json.dumps(arguments), "--json", check=None)
    assert refused.returncode in (1, 5)
    body = json.loads(refused.stdout)
    assert body["error"]["code"] == "model_unavailable"
    assert "spark key set" in body["error"]["hint"]
    assert not list((spark.project / "Assets").rglob("Dungeon*"))


def test_bad_calls_are_refused_by_name_and_the_next_one_works(spark: Spark) -> None:
    """Each bad input has its code and field; nothing is written; then a good call succeeds."""
    spark.up()
    before = sorted(spark.project.rglob("Assets/**/*"))
    for name, arguments, status, code in (
        ("generateUnityScript", {"prompt": "short", "className": "A"}, 400, "invalid_arguments"),
        (
            "generateUnityScript",
            {"prompt": "long enough text", "className": "1A", "source": "x"},
            400,
            "invalid_arguments",
        ),
        (
            "generateUnityScript",
            {"prompt": "long enough text", "className": "A", "source": "class A {"},
            422,
            "invalid_script",
        ),
        ("readFile", {"path": "../secret"}, 403, "path_outside_project"),
        ("readFile", {"path": "/etc/passwd"}, 403, "path_outside_project"),
        ("readFile", {"path": "Assets/None.cs"}, 404, "not_found"),
        (
            "applyCodePatch",
            {"filePath": "ProjectSettings/ProjectSettings.asset", "patchType": "whole", "newContent": ""},
            403,
            "protected_path",
        ),
        ("moveAsset", {"from": "Assets/None.cs", "to": "Assets/B.cs"}, 404, "not_found"),
        ("deleteAsset", {"path": "Assets"}, 403, "protected_path"),
        ("undoTurn", {"turnId": "turn_nope"}, 404, "not_found"),
        ("restoreVersion", {"versionId": "v_nope"}, 404, "not_found"),
        ("makeCoffee", {}, 404, "unknown_tool"),
        ("listAssets", {"fodler": "Assets"}, 400, "invalid_arguments"),
    ):
        got, body = spark.call(name, arguments)
        assert (got, body["error"]["code"]) == (status, code), (name, arguments, body)
        assert body["success"] is False
        assert set(body["error"]) == {"code", "message", "hint", "details"}
    assert sorted(spark.project.rglob("Assets/**/*")) == before
    assert spark.call("listAssets", {})[0] == 200


def test_ctrl_c_cancels_lists_what_landed_and_exits_130(spark: Spark) -> None:
    """SIGINT during ask: the turn is cancelled, the daemon goes on."""
    spark.up()
    command = [
        sys.executable,
        "-m",
        "spark",
        "ask",
        "make a health script called Health",
        "--project",
        str(spark.project),
    ]
    process = subprocess.Popen(
        [*command, "--mode", "ask"],
        env=spark.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )
    turn = wait_until(lambda: _running(spark), "the turn")
    wait_until(lambda: spark.request("GET", f"/v1/turns/{turn}")[1]["calls"], "its call")
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    wait_until(lambda: spark.request("GET", f"/v1/turns/{turn}")[1]["status"] == "cancelled", "the cancelled turn")
    assert not list((spark.project / "Assets").rglob("Health.cs"))


def _running(spark: Spark) -> Any:
    turns = spark.request("GET", "/v1/status")[1]["session"]["runningTurns"]
    return turns[0]["turnId"] if turns else None


def test_history_show_diff_and_restore_agree_with_the_disk(spark: Spark) -> None:
    """Versions of one file: show gives each one's bytes, diff the change between them, restore brings the old bytes back."""
    spark.run("ask", "make a health script called Health", "--mode", "auto")
    path = next((spark.project / "Assets").rglob("Health.cs"))
    first_bytes = path.read_bytes()
    relative = path.relative_to(spark.project).as_posix()
    patch = {
        "filePath": relative,
        "patchType": "insertAfter",
        "oldContent": "using UnityEngine;\n",
        "newContent": "// new\n",
    }
    spark.json("call", "applyCodePatch", json.dumps(patch))
    newest, oldest = spark.json("history", relative)["versions"]
    assert spark.run("show", oldest["versionId"]).stdout.encode() == first_bytes
    assert spark.run("show", newest["versionId"]).stdout.encode() == path.read_bytes()
    assert "+// new" in spark.run("diff").stdout
    assert "+// new" in spark.run("diff", oldest["versionId"], newest["versionId"]).stdout
    spark.run("restore", oldest["versionId"])
    assert path.read_bytes() == first_bytes
    sizes = spark.json("history", "--size")
    assert sizes["versions"] >= 3


def test_a_conflicting_undo_is_refused_and_shown(spark: Spark) -> None:
    """The user rewrote the same line: exit 4 or 1, conflict with both sides, the file stays as the user left it."""
    spark.run("ask", "make a health script called Health", "--mode", "auto")
    path = next((spark.project / "Assets").rglob("Health.cs"))
    relative = path.relative_to(spark.project).as_posix()
    patch = {
        "filePath": relative,
        "patchType": "insertAfter",
        "oldContent": "using UnityEngine;\n",
        "newContent": "// model\n",
    }
    answer = spark.json("call", "applyCodePatch", json.dumps(patch))
    path.write_text(path.read_text().replace("// model", "// user"))
    mine = path.read_bytes()
    refused = spark.run("undo", answer["turnId"], "--json", check=None)
    assert refused.returncode in (1, 4)
    assert json.loads(refused.stdout)["error"]["code"] == "conflict"
    assert path.read_bytes() == mine


def test_prompts_over_a_real_realtime_server(spark: Spark) -> None:
    """SPARK_MODEL_BACKEND=realtime against a server on the wire: model and key source are shown, the usage is counted."""
    arguments = {"prompt": "a script that moves things", "className": "Mover", "source": MOVER}
    with realtime_server([Call("generateUnityScript", arguments), Say("Mover moves now.")]) as server:
        spark.extra = {
            "SPARK_MODEL_BACKEND": "realtime",
            "SPARK_MODEL_URL": server.url,
            "OPENAI_API_KEY": "test-key-123456",
        }
        done = spark.run("ask", "make a mover", "--mode", "auto", "--json")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert events[0]["keySource"].startswith("OPENAI_API_KEY")
        assert events[-1]["status"] == "done"
        assert events[-1]["usage"]["outputTokens"] > 0
        assert list((spark.project / "Assets").rglob("Mover.cs"))
        assert "test-key-123456" not in done.stdout + done.stderr
        assert "test-key-123456" not in _all_text(spark.home)
        usage = spark.json("usage")
        assert usage["usage"][0]["inputTokens"] > 0
        assert server.open_calls == []


def test_a_socket_that_is_cut_in_mid_call_is_survived(spark: Spark) -> None:
    """TCP abort while arguments stream: a new session is seeded and asked, the call runs once."""
    arguments = {"prompt": "a script that moves things", "className": "Mover", "source": MOVER}
    write = Call("generateUnityScript", arguments)
    with realtime_server([cut(write), write, Say("Done.")]) as server:
        spark.extra = {"SPARK_MODEL_BACKEND": "realtime", "SPARK_MODEL_URL": server.url, "OPENAI_API_KEY": "k" * 20}
        spark.run("ask", "make a mover", "--mode", "auto")
        assert len(server.handshakes) == 2
        assert len(spark.json("history")["versions"]) == 2


def test_a_refused_key_is_said_with_the_line_that_mends_it(spark: Spark) -> None:
    """401 at the handshake: exit 5, model_unavailable, one attempt; the daemon goes on."""
    with realtime_server([Refuse(401, "invalid_api_key")]) as server:
        spark.extra = {"SPARK_MODEL_BACKEND": "realtime", "SPARK_MODEL_URL": server.url, "OPENAI_API_KEY": "k" * 20}
        done = spark.run("ask", "hello", "--mode", "auto", check=5)
        assert "spark key set" in done.stderr + done.stdout
        assert len(server.handshakes) == 1
    assert spark.call("listAssets", {})[0] == 200


def _all_text(folder: Path) -> str:
    return "".join(path.read_bytes().decode("utf-8", "replace") for path in folder.rglob("*") if path.is_file())
