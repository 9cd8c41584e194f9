"""The check as the daemon answers it."""

from __future__ import annotations

import asyncio

import pytest

from spark.adapters.file_index import finish
from spark.core.errors import ToolRejected
from tests.fakes.scripted_model import ScriptedModel
from tests.relay.conftest import Start


async def test_the_check_of_the_daemon(start: Start) -> None:
    """The sample project is good; a file, a folder and everything are checked; what is not there is refused."""
    async with start(ScriptedModel()) as scene:
        relay, parts = scene.relay, scene.parts
        everything = await relay.check()
        assert everything["findings"] == []
        assert everything["checked"] == len(parts.index)
        assert set(everything) == {"findings", "checked"}
        assert await relay.check(".") == everything
        (scene.root / "Assets" / "Bad.cs").write_text("class Bad {\n", encoding="utf-8")
        finish(parts.index.full_scan())  # type: ignore[attr-defined]
        found = await relay.check("Assets/Bad.cs")
        assert [(one["code"], one["path"]) for one in found["findings"]] == [
            ("meta/missing", "Assets/Bad.cs"),
            ("csharp/bracket", "Assets/Bad.cs"),
        ]
        assert (await relay.check("Assets/"))["findings"] == found["findings"]
        assert (await relay.check("ProjectSettings"))["findings"] == []
        for path, code in (("Assets/none", "not_found"), ("../x", "path_outside_project")):
            with pytest.raises(ToolRejected) as refused:
                await relay.check(path)
            assert refused.value.code == code


async def test_the_loop_stays_free_while_files_are_checked(start: Start) -> None:
    """Other requests are answered meanwhile."""
    async with start(ScriptedModel()) as scene:
        checking = asyncio.create_task(scene.relay.check())  # noqa: TID251 awaited below
        await asyncio.sleep(0)
        assert not checking.done()
        assert scene.relay.status()["version"]
        await checking
