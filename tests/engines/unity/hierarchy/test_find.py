"""Looking for an id through nested instances ends, however often prefabs hold each other."""

from __future__ import annotations

import pytest

from spark.core.assets import NewObject, PropertyEdit
from spark.core.errors import ToolRejected
from spark.core.paths import ProjectPath
from spark.engines.unity.engine import Unity
from tests.engines.memory_project import FakeProject


@pytest.mark.timeout(60)
def test_an_id_that_is_nowhere_is_not_looked_for_for_ever() -> None:
    """Prefabs that hold the next one twice have exponentially many objects: the search stops and says what works."""
    project = FakeProject({"ProjectSettings/ProjectVersion.txt": "m_EditorVersion: 2022.3.41f1\n"})
    unity = Unity(project.files, project.index)
    inner = None
    for level in range(16, -1, -1):
        path = ProjectPath(f"Assets/L{level}.prefab")
        objects = [NewObject(f"L{level}")]
        objects += [NewObject(f"L{level}/{side}", inner) for side in ("a", "b") if inner]
        project.write(path.text, unity.new_prefab(path, objects, None).content)
        project.write(path.meta.text, unity.meta(path, unity.new_guid()))
        inner = path.text
    content = project.contents["Assets/L0.prefab"]
    with pytest.raises(ToolRejected) as refused:
        unity.edit_asset(ProjectPath("Assets/L0.prefab"), content, [PropertyEdit("m_Name", "x", file_id="987654321")])
    assert refused.value.code == "not_found"
    assert "by its path" in refused.value.hint
