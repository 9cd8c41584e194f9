"""Unity's YAML: fidelity over real files, and CPU time against plain reading and splitting and against unityparser.

Over the fixture projects where they are at hand (see `tests.engines.unity.corpus`), else over the own files. unityparser 4.0.0
is needed by this bench alone and pins another PyYAML than the project: `pip install --no-deps unityparser==4.0.0`. Its own file
reading and writing is taken off its time; ours is measured from bytes to bytes. All other figures read and write files.
"""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from spark.engines.unity.yaml.asset import AssetFile
from spark.engines.unity.yaml.mode import mode_of
from spark.engines.unity.yaml.paths import Step
from spark.engines.unity.yaml.split import is_yaml, split
from spark.engines.unity.yaml.tree import NULL, Node, parse
from spark.engines.unity.yaml.write import body_bytes
from tests.engines.unity.corpus import corpus_files
from tests.engines.unity.yaml.samples import NOT_CANONICAL, OWN, TEXT_REPLACED, assets, bodies, opened

SCENE_BYTES = 20_000_000
GROWN_BYTES = 30_000
ROUNDS = 5
TEXT_REPLACED_DOCUMENTS = 14
_HEADER = b"\n--- !u!"
Edit = tuple[int, tuple[Step, ...], str]


def run() -> list[dict[str, Any]]:
    rows = [_round_trip(), _canonical()]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        files = _files(Path(folder))
        edits = [(path, content, _first_scalar(content)) for path, content in files]
        whole = _median(lambda: [_saved(path, edit, out) for path, _, edit in edits])
        floor = _median(lambda: [_floor(path, out) for path, _, _ in edits])
        rows.append(_against_unityparser(edits, out))
        rows.append(_row("open, set and save against the floor", whole / floor, 4.0))
        scene = Path(folder) / "scene.unity"
        scene.write_bytes(
            _repeated([content for path, content in files if path.suffix == ".unity"] or [files[0][1]], SCENE_BYTES)
        )
        edit = _first_scalar(scene.read_bytes())
        ratio = _median(lambda: [_saved(scene, edit, out)]) / _median(lambda: [_floor(scene, out)])
        rows.append(_row("the same in a scene of 20 MB", ratio, 2.5))
    return rows


def _round_trip() -> dict[str, Any]:
    """Files that are not saved as they were opened, with every document looked at."""
    changed = 0
    for path, content in assets():
        file = opened(path, content)
        untouched = file.to_bytes() == content
        for document in file.documents:
            assert document.fields is not None
        changed += not (untouched and file.to_bytes() == content)
    return _row(f"files of {len(assets())} changed by open and save", changed, 0, "files")


def _canonical() -> dict[str, Any]:
    """Documents that the writer does not give again from plain values and the mode of their file."""
    wrong, replaced, documents = 0, 0, 0
    for path, content in assets():
        if path.name in NOT_CANONICAL:
            continue
        mode = mode_of(content)
        parts = bodies(content)
        for number, body in enumerate(parts):
            documents += 1
            made = body_bytes(parse(body).root.plain(), mode)
            if number == len(parts) - 1 and not mode.final_newline:
                made = made.removesuffix(mode.newline.encode())
            if made != body and path.name in TEXT_REPLACED:
                replaced += 1
            elif made != body:
                wrong += 1
    name = f"documents of {documents} not written as they stand (+ {replaced} text-replaced)"
    return _row(name, wrong + max(replaced - TEXT_REPLACED_DOCUMENTS, 0), 0, "documents")


def _against_unityparser(edits: list[tuple[Path, bytes, Edit | None]], out: Path) -> dict[str, Any]:
    """Over the files that it can load and dump."""
    name = "CPU time of unityparser 4.0.0 to ours, open, set and save"
    if importlib.util.find_spec("unityparser") is None:
        return {"name": f"{name}: not installed", "value": 0.0, "limit": 400.0, "unit": "x, least", "ok": False}
    total_s = input_s = 0.0
    loaded: list[tuple[bytes, Edit | None]] = []
    for path, content, edit in edits:
        start = time.process_time()
        if not _set_by_unityparser(path, out):
            continue
        total_s += time.process_time() - start
        loaded.append((content, edit))
        start = time.process_time()
        out.write_bytes(path.read_bytes())
        input_s += time.process_time() - start
    own_s = _median(lambda: [_edited(content, edit) for content, edit in loaded])
    ratio = (total_s - input_s) / own_s
    name += f" ({len(loaded)} of {len(edits)} files)"
    return {"name": name, "value": ratio, "limit": 400.0, "unit": "x, least", "ok": ratio >= 400.0}


def _set_by_unityparser(path: Path, out: Path) -> bool:
    from unityparser import UnityDocument  # type: ignore[import-not-found, import-untyped, unused-ignore]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            document = UnityDocument.load_yaml(str(path))
            for entry in document.entries:
                names = [name for name, value in vars(entry).items() if isinstance(value, str) and "anchor" not in name]
                if names:
                    setattr(entry, names[0], "17")
                    break
            document.dump_yaml(str(out))
        except (yaml.YAMLError, ValueError, AttributeError, TypeError, KeyError):
            return False
    return True


def _first_scalar(content: bytes) -> Edit | None:
    """The first document with a scalar, the path of its first one, and a new value."""
    for number, span in enumerate(split(content).documents):
        root = parse(content[span.body_start : span.end]).root
        steps = next((steps for _, fields in root.entries() if (steps := _scalar(fields))), ())
        if steps:
            return number, steps, "17"
    return None


def _scalar(node: Node) -> tuple[Step, ...]:
    for key, value in node.entries():
        if value.is_scalar and value.kind != NULL:
            return (key.text,)
        below = _scalar(value)
        if below:
            return (key.text, *below)
    return ()


def _edited(content: bytes, edit: Edit | None) -> bytes:
    file = AssetFile.open(content, "asset")
    if edit is not None:
        number, steps, value = edit
        file.set(file.documents[number], steps, value)
    return file.to_bytes()


def _saved(path: Path, edit: Edit | None, out: Path) -> int:
    content = path.read_bytes()
    changed = _edited(content, edit)
    hashlib.sha256(content).digest()
    hashlib.sha256(changed).digest()
    return out.write_bytes(changed)


def _floor(path: Path, out: Path) -> int:
    """Read, split, two hashes, write."""
    content = path.read_bytes()
    parts = content.split(_HEADER)
    hashlib.sha256(content).digest()
    hashlib.sha256(content).digest()
    return out.write_bytes(_HEADER.join(parts))


def _files(folder: Path) -> list[tuple[Path, bytes]]:
    """The assets to edit: real ones, or own ones grown to the size of real ones."""
    if corpus_files():
        return [(path, content) for path, content in assets() if is_yaml(content) and path.parent != OWN]
    grown = []
    for path, content in assets():
        if is_yaml(content) and path.name not in NOT_CANONICAL:
            large = folder / path.name
            large.write_bytes(_repeated([content], GROWN_BYTES))
            grown.append((large, large.read_bytes()))
    return grown


def _repeated(contents: list[bytes], size: int) -> bytes:
    """The documents of files over and over with new file ids."""
    chosen = random.Random(11)
    parts = [b"%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n"]
    for content in itertools.cycle(contents):
        for span in split(content).documents:
            flag = b" stripped" if span.stripped else b""
            body = content[span.body_start : span.end]
            parts.append(b"--- !u!%d &%d%s\n" % (span.class_id, chosen.getrandbits(62), flag) + body)
            size -= len(body)
        if not parts[-1].endswith(b"\n"):
            parts[-1] += b"\n"
        if size < 0:
            return b"".join(parts)
    return b""


def _median(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def _row(name: str, value: float, limit: float, unit: str = "x") -> dict[str, Any]:
    return {"name": name, "value": value, "limit": limit, "unit": unit, "ok": value <= limit}
