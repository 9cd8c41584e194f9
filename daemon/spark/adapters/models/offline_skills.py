"""What the offline model can do: one generator per skill, and the words that find it. Pure.

A skill yields the calls that it needs, is sent their outputs, and returns a report of what really came out of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from spark.adapters.models import offline_assets
from spark.adapters.models.offline_assets import Call
from spark.adapters.models.offline_language import unquoted
from spark.adapters.models.offline_outcomes import changed_by, error_of, hits_in, paths_in, result_of
from spark.adapters.models.offline_scripts import ScriptWish, find_script, input_note, template_titles
from spark.engines.unity.templates import TEMPLATES, fill

INTRODUCTION: Final = (
    "I am SPARK's offline model: fixed rules on this machine, no language model. Nothing is sent anywhere, and no tokens "
    "are used."
)
CONNECT: Final = """\
To connect a real model:
- OpenAI: run `spark key set openai`
- Ollama: set SPARK_MODEL_BACKEND=chat, SPARK_MODEL_URL=http://127.0.0.1:11434/v1 and SPARK_MODEL=<a model you pulled>
- LM Studio: set SPARK_MODEL_BACKEND=chat, SPARK_MODEL_URL=http://127.0.0.1:1234/v1 and SPARK_MODEL=<a loaded model>
then start SPARK again: `spark down`, `spark up`."""

_LISTED: Final = (
    (
        "generateUnityScript",
        f"write a script from a fixed template ({template_titles()}): create a health script called EnemyHealth",
    ),
    ("applyCodePatch", 'find and replace in a file: replace "speed = 6f" with "speed = 9f" in Hero.cs'),
    *offline_assets.LISTED,
    ("listAssets", "list assets: list scripts in Assets/Scripts"),
    ("readFile", "read a file: read Hero.cs"),
    ("searchProject", 'search: search for "OnTriggerEnter"'),
    ("undoTurn", "undo: undo the last turn"),
    ("restoreVersion", "restore a version: restore version <id>"),
)
_SHOWN_LINES: Final = 200
_SHOWN_PATHS: Final = 50

_FILE: Final = r"(?:the\s+)?(?:file\s+|script\s+)?(?P<{0}>\"[^\"]+\"|'[^']+'|`[^`]+`|[\w./-]*\w)(?:\s+(?:file|script))?"
_PART: Final = r"(?P<{0}>\"[^\"]*\"|'[^']*'|`[^`]*`|“[^”]*”|.+?)"
_REPLACE: Final = re.compile(
    rf"(?:in\s+{_FILE.format('before')}[,:]?\s+)?"
    rf"(?:(?:find\s+and\s+)?(?:replace|change|rename|substitute)|(?P<find>find))\s+"
    rf"(?:(?P<all>all|every|each)\s+)?(?:(?:occurrences?\s+of|the\s+text)\s+)?{_PART.format('old')}\s+"
    rf"(?(find)and\s+replace\s+it\s+with|(?:with|by|to|into))\s+{_PART.format('new')}"
    rf"(?P<all_again>\s+everywhere)?(?:\s+in\s+{_FILE.format('after')})?(?P<all_at_end>\s+everywhere)?[.!]?",
    re.IGNORECASE | re.DOTALL,
)
_UNDO: Final = re.compile(
    r"(?:undo|revert|roll\s?back|take\s+(?:that|it|this)\s+back)\b\s*"
    r"(?:(?:that|it|this|everything|(?:the\s+|my\s+|your\s+)?(?:last|previous)?\s*(?:turn|prompt|change|changes|one|edit|step)?)\s*)?"
    r"(?P<id>turn_[A-Za-z0-9_-]+)?",
    re.IGNORECASE,
)
_RESTORE: Final = re.compile(r"restore\s+(?:the\s+)?(?:version\s+)?(?P<id>v[a-z]*_[A-Za-z0-9_-]+)", re.IGNORECASE)
_LIST: Final = re.compile(
    r"(?:list|show(?:\s+me)?|what|which)\s+(?:all\s+)?(?:the\s+|my\s+)?"
    r"(?P<kind>assets|files|scripts|prefabs|materials|scenes|textures|folders)"
    r"(?:\s+(?:are\s+there|do\s+(?:i|we)\s+have|exist))?"
    r"(?:\s+(?:in|under|below|of)\s+(?:the\s+)?(?:folder\s+|project$)?(?P<folder>[`\"']?[\w./ -]*[`\"']?))?",
    re.IGNORECASE,
)
_TYPES: Final[Mapping[str, str]] = {
    "scripts": "script",
    "prefabs": "prefab",
    "materials": "material",
    "scenes": "scene",
    "textures": "texture",
    "folders": "folder",
}
_SEARCH: Final = re.compile(
    rf"(?:search(?:\s+(?:the\s+)?project)?\s+for|search|find|look\s+for|grep(?:\s+for)?|where\s+is)\s+{_PART.format('what')}"
    r"(?:\s+in\s+(?P<folder>(?:Assets|Packages)[\w./-]*))?(?:\s+in\s+the\s+project)?",
    re.IGNORECASE,
)
_READ: Final = re.compile(rf"(?:read|show(?:\s+me)?|open|print|display|cat)\s+{_FILE.format('file')}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a skill may know: the prompt, the instructions, the offered functions, the last turn that changed something."""

    prompt: str
    instructions: str
    tools: frozenset[str]
    last_turn: str | None


SkillRun = Generator[Call, Any, str]


def listed_skills(tools: frozenset[str]) -> str:
    """The skills whose functions are offered in this conversation, one a line."""
    lines = [f"- {text}" for name, text in _LISTED if name in tools]
    if "generateUnityScript" not in tools or "applyCodePatch" not in tools:
        lines.append("- (this conversation offers no functions that write, so nothing can be changed in it)")
    return "\n".join(lines)


def is_replacement(text: str) -> bool:
    """Whether a whole prompt is one find-and-replace: its parts may hold words that would cut it."""
    return _REPLACE.fullmatch(text.strip()) is not None and "\n" not in text.strip()


def find_skill(clause: str, heard: Heard) -> SkillRun | None:
    """The skill that a clause asks for; None where there is none."""
    clause = clause.strip().rstrip(".!?")
    matchers: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Heard], SkillRun]], ...] = (
        (_UNDO, _undo),
        (_RESTORE, _restore),
        (_REPLACE, _replace),
        (_LIST, _list),
        (_SEARCH, _search),
        (_READ, _read),
    )
    wish = find_script(clause, heard.instructions)
    if wish is not None:
        return _script(wish, heard)
    for pattern, name, asset_skill in _ASSETS:
        match = pattern.fullmatch(clause)
        if match is not None:
            return _asset(asset_skill(match, heard.instructions), name, heard)
    for pattern, skill in matchers:
        match = pattern.fullmatch(clause)
        if match is not None:
            return skill(match, heard)
    return None


_ASSETS: Final = (
    (offline_assets.PREFAB, "createPrefab", offline_assets.prefab),
    (offline_assets.MATERIAL, "createMaterial", offline_assets.material),
    (offline_assets.RECOLOUR, "editMaterial", offline_assets.recolour),
    (offline_assets.SCENE, "createAsset", offline_assets.scene),
)


# --- skills


def _asset(run: SkillRun, name: str, heard: Heard) -> SkillRun:
    if name not in heard.tools:
        return _not_offered(name, heard)
    return (yield from run)


def _not_offered(name: str, heard: Heard) -> str:
    if "read-only conversation" in heard.instructions:
        why = "this is a read-only conversation (mode readOnly), in which nothing is changed"
        return f"Nothing was done: {why}. Ask again in the mode ask or auto (`spark ask --mode ask`) for {name}."
    return f"Nothing was done: this conversation does not offer the function {name}."


def _script(wish: ScriptWish, heard: Heard) -> SkillRun:
    if "generateUnityScript" not in heard.tools:
        return _not_offered("generateUnityScript", heard)
    template = TEMPLATES[wish.template]
    source = fill(wish.template, wish.class_name, namespace=wish.namespace)
    arguments: dict[str, Any] = {"className": wish.class_name, "source": source}
    if len(heard.prompt) >= 10:
        arguments["prompt"] = heard.prompt[:10_000]
    places = {"namespace": wish.namespace, "folder": wish.folder}
    arguments |= {name: value for name, value in places.items() if value}
    output = yield Call("generateUnityScript", arguments)
    problem = error_of(output)
    if problem:
        return f"{wish.class_name} was not written: {problem}"
    path = result_of(output).get("path") or changed_by(output)
    written = f"Wrote {wish.class_name} to {path}, from my fixed template “{template.title}”. "
    lines = [f"{written}Whatever the prompt asked beyond the class name, the namespace and the folder is not in it."]
    note = input_note(wish)
    if note:
        lines.append(note)
    findings = result_of(output).get("diagnostics")
    if isinstance(findings, list) and findings:
        lines.append(f"Findings: {'; '.join(str(_message(finding)) for finding in findings[:5])}")
    return "\n".join(lines)


def _message(finding: Any) -> Any:
    return finding.get("message", finding) if isinstance(finding, Mapping) else finding


def _find_file(name: str) -> Generator[Call, Any, str]:
    """The path of a file that was named; a report that starts with `!` where it is not one."""
    if name.startswith(("Assets/", "Packages/", "ProjectSettings/")):
        return name
    base = name.rsplit("/", 1)[-1]
    if "." not in base:
        base += ".cs"
    output = yield Call("listAssets", {"name": base})
    problem = error_of(output)
    if problem:
        return f"!I could not look for {base}: {problem}"
    wanted = base.lower()
    tail = "/" + (name if "." in name else f"{name}.cs").lower()
    found = sorted(
        {
            path
            for path in paths_in(result_of(output))
            if path.lower().endswith(tail) and path.lower().rsplit("/", 1)[-1] == wanted
        }
    )
    if not found:
        note = result_of(output).get("note")
        return f"!I found no file named {base} in the project{f' ({note})' if note else ''}. Nothing was changed."
    if len(found) > 1:
        return f"!There are {len(found)} files named {base}: {', '.join(found[:10])}. Say which one, with its path."
    return found[0]


def _replace(match: re.Match[str], heard: Heard) -> SkillRun:
    if "applyCodePatch" not in heard.tools:
        return _not_offered("applyCodePatch", heard)
    old, new = unquoted(match["old"]), unquoted(match["new"])
    named = match["after"] or match["before"]
    if not old:
        return "Which text shall be replaced? Between the quotes stands none. Nothing was changed."
    if not named:
        return f'In which file? Say for example: replace "{old}" with "{new}" in Hero.cs. Nothing was changed.'
    path = yield from _find_file(unquoted(named))
    if path.startswith("!"):
        return path[1:]
    replace_all = bool(match["all"] or match["all_again"] or match["all_at_end"])
    output = yield Call("readFile", {"path": path})
    problem = error_of(output)
    if problem:
        return f"{path} was not changed, because it could not be read: {problem}"
    refusal = _why_not(result_of(output), old, path, replace_all=replace_all)
    if refusal:
        return refusal
    arguments: dict[str, Any] = {"filePath": path, "patchType": "replace", "oldContent": old, "newContent": new}
    if replace_all:
        arguments["replaceAll"] = True
    if isinstance(result_of(output).get("sha256"), str):
        arguments["expectedSha256"] = result_of(output)["sha256"]
    output = yield Call("applyCodePatch", arguments)
    problem = error_of(output)
    if problem:
        return f"{path} was not changed: {problem}"
    return f"Replaced “{old}” with “{new}” in {path}{' everywhere' if replace_all else ''}."


def _why_not(result: Mapping[str, Any], old: str, path: str, *, replace_all: bool) -> str:
    """Why a replacement cannot be made, where the whole content is known; else an empty string."""
    content = result.get("content")
    if not isinstance(content, str) or result.get("next") is not None:
        return ""
    count = content.replace("\r\n", "\n").count(old.replace("\r\n", "\n"))
    if count == 0:
        return f"“{old}” does not stand in {path}. Nothing was changed."
    if count > 1 and not replace_all:
        return (
            f"“{old}” stands {count} times in {path}. Say “replace all …”, or name a longer text. Nothing was changed."
        )
    return ""


def _read(match: re.Match[str], heard: Heard) -> SkillRun:
    path = yield from _find_file(unquoted(match["file"]))
    if path.startswith("!"):
        return path[1:].replace(" Nothing was changed.", "")
    output = yield Call("readFile", {"path": path})
    problem = error_of(output)
    if problem:
        return f"{path} could not be read: {problem}"
    lines = str(result_of(output).get("content", "")).splitlines()
    total = result_of(output).get("totalLines", len(lines))
    shown = "\n".join(lines[:_SHOWN_LINES])
    rest = (
        f"\n(the first {min(len(lines), _SHOWN_LINES)} of {total} lines)"
        if isinstance(total, int) and total > min(len(lines), _SHOWN_LINES)
        else ""
    )
    return f"{path}:\n````\n{shown}\n````{rest}"


def _list(match: re.Match[str], heard: Heard) -> SkillRun:
    kind = match["kind"].lower()
    arguments: dict[str, Any] = {"type": _TYPES[kind]} if kind in _TYPES else {}
    folder = unquoted(match["folder"] or "").strip().rstrip("/")
    if folder and folder.lower() not in ("project", "the project"):
        arguments["folder"] = folder
    output = yield Call("listAssets", arguments)
    problem = error_of(output)
    if problem:
        return f"Nothing to list: {problem}"
    paths = sorted(set(paths_in(result_of(output))))
    more = ""
    if result_of(output).get("note"):
        more += f"\nNote: {result_of(output)['note']}."
    where = f" in {arguments['folder']}" if "folder" in arguments else ""
    if not paths:
        return f"There are no {kind}{where}.{more}"
    shown = paths[:_SHOWN_PATHS]
    listed = "\n".join(f"- {path}" for path in shown)
    if result_of(output).get("next"):
        # Only a first page: how many there are in all is not known.
        return f"The first {len(shown)} of more than {len(paths)} {kind}{where}:\n{listed}{more}"
    of_all = f"The first {len(shown)} of " if len(paths) > len(shown) else ""
    return f"{of_all}{len(paths)} {kind}{where}:\n{listed}{more}"


def _search(match: re.Match[str], heard: Heard) -> SkillRun:
    what = unquoted(match["what"])
    arguments: dict[str, Any] = {"query": what, "kind": "text"}
    if match["folder"]:
        arguments["folder"] = match["folder"].rstrip("/.")
    output = yield Call("searchProject", arguments)
    problem = error_of(output)
    if problem:
        return f"The search failed: {problem}"
    hits = list(hits_in(result_of(output)))
    if not hits:
        return f"“{what}” was not found."
    shown = "\n".join(f"- {hit}" for hit in hits[:_SHOWN_PATHS])
    rest = f"\n… and {len(hits) - _SHOWN_PATHS} more" if len(hits) > _SHOWN_PATHS else ""
    at_least = "at least " if result_of(output).get("next") else ""
    return f"“{what}” was found {at_least}{len(hits)} times:\n{shown}{rest}"


def _undo(match: re.Match[str], heard: Heard) -> SkillRun:
    if "undoTurn" not in heard.tools:
        return _not_offered("undoTurn", heard)
    turn_id = match["id"] or heard.last_turn
    if turn_id is None:
        return "There is no earlier turn in this conversation that changed files, so there is nothing to undo."
    output = yield Call("undoTurn", {"turnId": turn_id})
    problem = error_of(output)
    if problem:
        return f"The turn {turn_id} was not undone: {problem}"
    changed = changed_by(output)
    return f"Undid the turn {turn_id}" + (f": {changed}." if changed else "; no file had to change.")


def _restore(match: re.Match[str], heard: Heard) -> SkillRun:
    if "restoreVersion" not in heard.tools:
        return _not_offered("restoreVersion", heard)
    output = yield Call("restoreVersion", {"versionId": match["id"]})
    problem = error_of(output)
    if problem:
        return f"The version {match['id']} was not restored: {problem}"
    return f"Restored the version {match['id']}: {changed_by(output) or 'no file had to change'}."
