"""Every code that a finding may have, with what it means in one line: the rules of SARIF, and what the documentation lists.

A code is part of the public contract: baselines and change sets name it. None is ever given another meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "asmdef/name": "An assembly definition has no name.",
        "csharp/bracket": "Brackets do not pair.",
        "csharp/char": "A character literal is empty, too long or not closed.",
        "csharp/character": "A character that C# does not know.",
        "csharp/comment": "A comment is never closed.",
        "csharp/directive": "A preprocessor directive is wrong or not closed.",
        "csharp/elision": "Code was left out and a remark stands in its place.",
        "csharp/encoding": "A script is not UTF-8.",
        "csharp/escape": "An escape sequence that C# does not know.",
        "csharp/fence": "A Markdown fence stands in a script.",
        "csharp/merge-conflict": "A merge conflict was left in a script.",
        "csharp/nul": "A script holds NUL bytes.",
        "csharp/string": "A string literal is wrong or not closed.",
        "csharp/syntax": "The grammar of C# does not take this.",
        "csharp/top-level": "Statements stand outside of any type.",
        "json/syntax": "Not JSON.",
        "meta/case": "The name of a .meta differs from its asset's by upper and lower case.",
        "meta/format": "A .meta has no line fileFormatVersion.",
        "meta/guid": "A .meta has no single valid guid.",
        "meta/guid-changed": "The guid of an asset changed: whatever refers to it loses it.",
        "meta/guid-taken": "Two assets have the same guid.",
        "meta/importer": "The importer of a .meta is not one for files of this name.",
        "meta/merge-conflict": "A merge conflict was left in a .meta.",
        "meta/missing": "An asset has no .meta: Unity makes one with another guid on each machine.",
        "meta/orphan": "A .meta has no asset.",
        "meta/orphan-folder": "The .meta of a folder that is not there: git keeps no empty folders.",
        "meta/syntax": "A line of a .meta is not YAML as Unity reads it.",
        "reference/missing-asset": "A reference to an asset that the project does not have.",
        "reference/missing-object": "A reference to an object that its asset does not have.",
        "reference/missing-prefab": "An instance of a prefab that the project does not have.",
        "reference/missing-script": "A component or asset whose script the project does not have.",
        "reference/nested-in-itself": "A prefab holds an instance of itself, or of one that holds it.",
        "reference/package-not-on-disk": "References that may lead into a package that is not on disk: not judged.",
        "text/encoding": "The file is not UTF-8.",
        "text/lfs-pointer": "A pointer of Git LFS stands in place of the file: not judged.",
        "text/line-ends": "Line ends are mixed within one file.",
        "text/merge-conflict": "A merge conflict was left in the file.",
        "text/nul": "A text file holds NUL bytes.",
        "text/too-large": "The file is too large to be judged.",
        "text/unreadable": "The file could not be read.",
        "unity/class-name": "The class of a component or asset is not named like its file.",
        "unity/editor-code": "UnityEditor is used in code that the player compiles.",
        "unity/init-accessor": "An init accessor needs a type that Unity does not have.",
        "unity/language-version": "C# that is newer than what this Unity compiles.",
        "unity/name-clash": "Two names in one folder differ only by upper and lower case.",
        "yaml/component": "A game object and a component do not agree that they belong together, or a component has none.",
        "yaml/dangling-reference": "A reference inside of the file to an object that the file does not have.",
        "yaml/document-header": "The line that begins an object is damaged.",
        "yaml/double-key": "A field stands twice in one object; looked for in changes.",
        "yaml/duplicate-id": "Two objects of a file have the same file id.",
        "yaml/empty-document": "An object has no body.",
        "yaml/header": "The lines %YAML and %TAG of an asset are missing or damaged.",
        "yaml/hierarchy": "A parent and a child do not agree, or a transform is its own ancestor.",
        "yaml/no-document": "An asset holds no object.",
        "yaml/prefab-root": "A prefab has more than one root.",
        "yaml/reference": "A reference that Unity cannot read.",
        "yaml/scene-roots": "SceneRoots and the objects without a parent do not agree.",
        "yaml/syntax": "A line is not YAML as Unity reads it.",
        "yaml/tab": "A tab stands in the indentation.",
    }
)
