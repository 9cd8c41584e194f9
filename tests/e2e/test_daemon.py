"""Real daemon processes: one per project, found, guarded, stopped in order, and none the worse for kill -9."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.e2e.conftest import ROOT, Spark, alive, wait_until

MOVER = "using UnityEngine;\n\npublic class Mover : MonoBehaviour\n{\n    public float speed = 1f;\n}\n"


def script(name: str = "Mover", code: str = MOVER) -> dict[str, Any]:
    return {"prompt": "a script that moves things", "className": name, "source": code.replace("Mover", name)}


def test_a_daemon_is_found_guarded_and_stopped(spark: Spark) -> None:
    """up --detach, discovery file of mode 0600, healthz open, the rest only with the token; down removes what it made."""
    address = spark.up()
    assert set(address) == {"protocol", "url", "token", "pid", "startedAt", "projectId", "checkoutId"}
    file = spark.project / "Library/Spark/daemon.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert address["url"].startswith("http://127.0.0.1:")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert json.loads(opener.open(address["url"] + "/healthz", timeout=10).read()) == {"status": "ok"}
    assert spark.request("GET", "/v1/status", headers={"Authorization": "Bearer wrong"})[0] == 401
    status, body = spark.request("GET", "/v1/status")
    assert status == 200
    assert body["healthy"] is True, body["reasons"]
    assert body["model"]["backend"] == "offline"
    committed = json.loads((spark.project / "ProjectSettings/Spark.json").read_text(encoding="utf-8"))
    assert committed["projectId"] == address["projectId"]
    spark.run("down")
    assert not file.exists()
    assert not alive(address["pid"])


def test_a_second_daemon_says_who_runs(spark: Spark) -> None:
    """up with --detach: exit 0 and the same daemon; without: exit 4 and its process id; also when Library/ was deleted."""
    first = spark.up()
    assert spark.up()["pid"] == first["pid"]
    second = spark.run("up", check=4)
    assert str(first["pid"]) in second.stderr
    for path in (spark.project / "Library/Spark/daemon.json",):
        path.unlink()
    assert str(first["pid"]) in spark.run("up", check=4).stderr


def test_a_deleted_library_folder_is_survived(spark: Spark) -> None:
    """The discovery file is back within two seconds, with the same token."""
    first = spark.up()
    file = spark.project / "Library/Spark/daemon.json"
    shutil.rmtree(spark.project / "Library")
    wait_until(file.exists, "a new discovery file", 5)
    assert spark.address() == first


def test_two_starters_at_once_give_one_daemon(spark: Spark) -> None:
    """A race of several `up --detach` ends with one process and all of them content."""
    command = [sys.executable, "-m", "spark", "up", "--detach", "--project", str(spark.project)]
    starters = [
        subprocess.Popen(command, env=spark.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)
    ]
    results = [(process.communicate(timeout=60), process.returncode) for process in starters]
    assert [code for _, code in results] == [0, 0, 0, 0], results
    assert alive(spark.address()["pid"])
    spark.run("down")
    running = [pid for pid in os.listdir("/proc") if pid.isdigit() and _is_ours(pid, spark.project)]
    assert running == []


def _is_ours(pid: str, project: Path) -> bool:
    try:
        command = Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return False
    return b"spark" in command and str(project).encode() in command and b"up" in command


def test_kill_9_in_the_middle_of_writes_loses_nothing(spark: Spark) -> None:
    """Every acknowledged write is on disk and in the history after kill -9 and restart; nothing is torn or half there."""
    spark.up()
    acknowledged: list[str] = []
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            name = f"Mover{number}"
            try:
                status, _ = spark.call("generateUnityScript", {**script(name), "folder": f"Assets/G{number % 3}"})
            except (OSError, ValueError):
                return
            if status == 200:
                acknowledged.append(name)

    thread = threading.Thread(target=write)
    thread.start()
    wait_until(lambda: len(acknowledged) >= 8, "some writes")
    spark.kill()
    stop.set()
    thread.join()
    spark.up()
    scripts = {path.stem: path for path in (spark.project / "Assets").rglob("Mover*.cs")}
    assert set(acknowledged) <= set(scripts)
    for name, path in scripts.items():
        assert path.read_text(encoding="utf-8") == MOVER.replace("Mover", name)
        assert path.with_name(path.name + ".meta").is_file()
    metas = {path.name for path in (spark.project / "Assets").rglob("Mover*.cs.meta")}
    assert metas == {f"{name}.cs.meta" for name in scripts}
    history = spark.json("history")["versions"]
    assert {f"{name}.cs" for name in scripts} <= {Path(version["path"]).name for version in history}
    stage = spark.project / ".spark/stage"
    wait_until(lambda: not list(stage.iterdir()), "an empty stage", 15)


def test_a_turn_that_a_crash_cut_off_is_shown_as_failed_and_its_files_can_be_undone(spark: Spark) -> None:
    """After kill -9 in an open turn: it is failed, what landed is listed, and its undo works."""
    spark.up()
    _, opened = spark.request("POST", "/v1/turns", {"text": "an agent's work", "external": True})
    assert spark.call("generateUnityScript", script(), turnId=opened["turnId"])[0] == 200
    spark.kill()
    spark.up()
    _, turn = spark.request("GET", f"/v1/turns/{opened['turnId']}")
    assert turn["status"] == "failed"
    spark.run("undo", opened["turnId"])
    assert not list((spark.project / "Assets").rglob("Mover.cs*"))


def test_an_idempotency_key_holds_across_kill_9(spark: Spark) -> None:
    """The same key after a crash answers the first answer; the call is not run again."""
    spark.up()
    key = {"Idempotency-Key": "one"}
    status, first = spark.request("POST", "/v1/tools/generateUnityScript", {"arguments": script()}, key)
    assert status == 200
    spark.kill()
    spark.up()
    assert spark.request("POST", "/v1/tools/generateUnityScript", {"arguments": script()}, key) == (200, first)
    status, mismatch = spark.request("POST", "/v1/tools/generateUnityScript", {"arguments": script("Other")}, key)
    assert (status, mismatch["error"]["code"]) == (409, "idempotency_mismatch")


def test_sigterm_ends_in_order_while_clients_are_connected(spark: Spark) -> None:
    """SIGTERM with an open socket and an open turn: the process ends, its files are gone, the turn is cancelled."""
    address = spark.up()
    _, opened = spark.request("POST", "/v1/turns", {"text": "agent", "external": True})
    port = int(address["url"].rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\n")
        os.kill(address["pid"], signal.SIGTERM)
        wait_until(lambda: not alive(address["pid"]), "the end of the daemon")
    assert not (spark.project / "Library/Spark/daemon.json").exists()
    spark.up()
    assert spark.request("GET", f"/v1/turns/{opened['turnId']}")[1]["status"] == "cancelled"


def test_the_users_own_edits_become_versions(spark: Spark) -> None:
    """A file that another editor saves is in the history, as the user's, with its bytes; also what changed while no daemon ran."""
    spark.up()
    wait_until(lambda: spark.request("GET", "/v1/status")[1]["index"]["complete"], "the first scan")
    path = spark.project / "Assets/Scripts/Mine.cs"
    path.write_text("class Mine {}\n", encoding="utf-8")
    version = wait_until(lambda: _versions(spark, "Assets/Scripts/Mine.cs"), "a version")[0]
    assert version["author"]["kind"] == "user"
    assert spark.run("show", version["versionId"]).stdout == "class Mine {}\n"
    spark.run("down")
    path.write_text("class Mine { int a; }\n", encoding="utf-8")
    os.utime(path, (time.time() + 5, time.time() + 5))
    spark.up()
    wait_until(lambda: len(_versions(spark, "Assets/Scripts/Mine.cs")) == 2, "the version of what changed meanwhile")


def _versions(spark: Spark, path: str) -> list[dict[str, Any]]:
    return spark.json("history", path)["versions"]  # type: ignore[no-any-return]


def test_a_branch_switch_is_one_event(spark: Spark) -> None:
    """git checkout of a branch that changes many files: one checkout row, no user edits."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t.invalid", "-C", str(spark.project)]

    def run(*arguments: str) -> None:
        subprocess.run([*git, *arguments], check=True, capture_output=True)

    folder = spark.project / "Assets/Many"
    folder.mkdir()
    for number in range(60):
        (folder / f"F{number}.txt").write_text(f"one {number}\n")
    run("init", "-q", "-b", "main")
    run("add", ".")
    run("commit", "-qm", "one")
    run("checkout", "-q", "-b", "other")
    for number in range(60):
        (folder / f"F{number}.txt").write_text(f"two {number}\n")
    run("commit", "-qam", "two")
    spark.up()
    wait_until(lambda: spark.request("GET", "/v1/status")[1]["index"]["complete"], "the first scan")
    run("checkout", "-q", "main")
    rows = wait_until(
        lambda: [v for v in spark.json("history")["versions"] if v["action"] == "checkout"], "the git event"
    )
    assert len(rows) == 1
    assert rows[0]["author"] == {"kind": "git", "name": "main"}
    assert [v for v in spark.json("history")["versions"] if v["author"]["kind"] == "user"] == []


def test_deleting_the_state_folder_of_the_project_loses_nothing(spark: Spark) -> None:
    """`.spark` holds no only copy: gone in mid-session, writes and undo go on."""
    spark.up()
    status, first = spark.call("generateUnityScript", script())
    assert status == 200
    subprocess.run(["rm", "-rf", str(spark.project / ".spark")], check=True)
    assert spark.call("generateUnityScript", script("Second"))[0] == 200
    assert (spark.project / ".spark/.gitignore").read_text() == "*\n"
    status, _ = spark.request("POST", f"/v1/turns/{first['turnId']}/undo", {})
    assert status == 200


def test_a_damaged_history_is_set_aside_loudly_and_the_daemon_starts(spark: Spark) -> None:
    """store.db overwritten with rubbish: kept under another name, said in status and log; calls are served."""
    spark.up()
    assert spark.call("generateUnityScript", script())[0] == 200
    spark.run("down")
    (store,) = (spark.home / "data").rglob("store.db")
    store.write_bytes(b"this is no database" * 1000)
    spark.up()
    body = spark.request("GET", "/v1/status")[1]
    assert body["healthy"] is False
    assert "corrupt" in " ".join(body["reasons"])
    assert list(store.parent.glob("store.db.corrupt.*"))
    assert spark.call("generateUnityScript", script("After"))[0] == 200


def test_the_first_calls_of_a_fresh_daemon_and_of_a_fresh_file_are_answered_truly(spark: Spark) -> None:
    """A deletion right after the start waits for the first scan; a file saved just before a call is listed."""
    folder = spark.project / "Assets/Fresh"
    folder.mkdir()
    (folder / "Old.txt").write_text("old\n")
    done = spark.run("call", "deleteAsset", json.dumps({"path": "Assets/Fresh/Old.txt"}))
    assert "Old.txt" in done.stdout + done.stderr
    for number in range(5):
        (folder / f"New{number}.txt").write_text("new\n")
        status, body = spark.call("listAssets", {"folder": "Assets/Fresh"})
        assert status == 200
        assert f"New{number}.txt" in json.dumps(body["result"])


def test_another_home_does_not_get_a_second_daemon_for_the_same_folder(spark: Spark) -> None:
    """Two data folders, one project: the second daemon is refused, naming the first one's process."""
    first = spark.up()
    other = Spark(spark.home.with_name("other home"), spark.project)
    other.home.mkdir()
    refused = other.run("up", check=4)
    assert str(first["pid"]) in refused.stderr
    assert spark.address() == first


def test_history_keeps_its_order_when_the_clock_was_ahead(spark: Spark) -> None:
    """A daemon with a clock two hours ahead, then one with the right clock: newest first stays newest first."""
    ahead = spark.home / "ahead"
    ahead.mkdir()
    (ahead / "sitecustomize.py").write_text(
        "import time\n_time, _ns = time.time, time.time_ns\n"
        "time.time = lambda: _time() + 7200\ntime.time_ns = lambda: _ns() + 7200 * 10**9\n"
    )
    path = "Assets/Order.txt"
    spark.extra = {"PYTHONPATH": f"{ROOT / 'daemon'}{os.pathsep}{ahead}"}
    spark.up()
    write = {"filePath": path, "patchType": "whole"}
    assert spark.call("applyCodePatch", {**write, "newContent": "one\n"})[0] == 200
    spark.run("down")
    spark.extra = {}
    spark.up()
    assert spark.call("applyCodePatch", {**write, "newContent": "two\n"})[0] == 200
    assert spark.call("applyCodePatch", {**write, "newContent": "three\n"})[0] == 200
    versions = _versions(spark, path)
    assert [spark.run("show", version["versionId"]).stdout for version in versions] == ["three\n", "two\n", "one\n"]
    assert {version["author"]["kind"] for version in versions} == {"tool"}


def test_what_lies_in_a_project_cannot_stop_the_daemon(spark: Spark) -> None:
    """`.spark` replaced by a file while it runs: calls are refused or work, the daemon stays and says so."""
    spark.up()
    pid = spark.address()["pid"]
    subprocess.run(["rm", "-rf", str(spark.project / ".spark")], check=True)
    (spark.project / ".spark").write_text("not a folder")
    status, body = spark.call("generateUnityScript", script())
    assert status >= 400
    assert body["error"]["code"] != ""
    (spark.project / ".spark").unlink()
    assert spark.call("generateUnityScript", script())[0] == 200
    assert alive(pid)


def test_a_project_that_is_renamed_while_its_daemon_runs_gets_no_false_history(spark: Spark) -> None:
    """The folder is gone for the daemon: no deletions and no branch switch are recorded; back again, all is as before."""
    spark.up()
    wait_until(lambda: spark.request("GET", "/v1/status")[1]["index"]["complete"], "the first scan")
    before = spark.json("history")["versions"]
    address = spark.address()
    away = spark.project.with_name("away")
    spark.project.rename(away)
    home = Spark(spark.home, away)
    wait_until(lambda: "not there" in str(home.request("GET", "/v1/status")[1]["reasons"]), "the report", 30)
    away.rename(spark.project)
    wait_until(lambda: spark.request("GET", "/v1/status")[1]["healthy"], "a healthy daemon", 30)
    assert spark.address()["pid"] == address["pid"]
    assert spark.json("history")["versions"] == before
