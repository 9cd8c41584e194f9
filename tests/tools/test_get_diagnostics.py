"""`getDiagnostics` over a file, a folder and the whole project, with what files have to do with each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from spark.core.errors import ToolRejected
from spark.engines.unity.engine import Unity
from spark.tools.get_diagnostics import GET_DIAGNOSTICS
from tests.engines.unity.checks.assets import PREFAB, behaviour, meta
from tests.fakes.project import FakeProject

LOST, GUID = "d4" * 16, "a1" * 16


@pytest.fixture
def game(project: FakeProject) -> FakeProject:
    """A project whose only prefab has lost its script."""
    project.write("Packages/manifest.json", "{}")
    project.write("Assets/Sub/A.prefab", PREFAB + behaviour(31, 0, LOST))
    project.write("Assets/Sub/A.prefab.meta", meta(GUID))
    project.write("Assets/Sub.meta", meta("b2" * 16))
    project.write("Assets/b.txt", "x")
    return project


async def ask(project: FakeProject, **arguments: Any) -> dict[str, Any]:
    """With the engine of Unity, over the ports of the project."""
    engine: Any = Unity(project.files, project.index)
    context = replace(project.context(), engine=engine)
    answer = await GET_DIAGNOSTICS.run(GET_DIAGNOSTICS.parse(arguments), context)
    return dict(answer.result)


@pytest.mark.parametrize(
    ("path", "scope", "checked", "codes"),
    [
        (".", "project", 5, ["reference/missing-script", "meta/missing"]),
        ("Assets", "folder", 4, ["reference/missing-script", "meta/missing"]),
        ("Assets/Sub/", "folder", 2, ["reference/missing-script"]),
        ("Assets/Sub/A.prefab", "file", 1, ["reference/missing-script"]),
        ("Assets/Sub/A.prefab.meta", "file", 1, []),
        ("Packages", "folder", 1, []),
    ],
)
async def test_scopes(game: FakeProject, path: str, scope: str, checked: int, codes: list[str]) -> None:
    """Each scope tells its own files, also what is wrong between them and others; the worst first."""
    result = await ask(game, path=path, sources=["check"])
    assert (result["scope"], result["checked"], result["complete"]) == (scope, checked, True)
    assert [finding["code"] for finding in result["findings"]] == codes
    assert result["total"] == len(codes)


async def test_nothing_changed_lately_is_not_everything(game: FakeProject) -> None:
    """Without a path only the files of this turn, or those changed last, are checked."""
    result = await ask(game)
    assert (result["scope"], result["checked"], result["findings"]) == ("recent", 0, [])


async def test_what_is_not_there_is_refused(game: FakeProject) -> None:
    """A path that names nothing is told as such."""
    with pytest.raises(ToolRejected) as refused:
        await ask(game, path="Assets/none.mat")
    assert refused.value.code == "not_found"
