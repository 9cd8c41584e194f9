"""The files that the tests of the YAML room run over: own ones always, real ones where they are at hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from spark.engines.unity.yaml.asset import AssetFile
from spark.engines.unity.yaml.split import is_yaml, split
from tests.engines.unity.corpus import corpus_files

OWN = Path(__file__).resolve().parents[3] / "fixtures" / "unity" / "yaml"
HEADER = b"%YAML 1.1\n%TAG !u! tag:unity3d.com,2011:\n"

TEXT_REPLACED = (
    "MagicWindowExample.prefab",
    "pen.prefab",
    "ClippingExamples.unity",
    "DwellExample.unity",
    "TextPrefabExamples.unity",
    "EyeTrackingExampleNavigationExample.unity",
    "AudioTheming.unity",
)
"""Files of MixedRealityToolkit in which a shorter name was put in the place of a longer one after Unity had written them: 14
documents have their folds where the longer name had them."""
NOT_CANONICAL = ("odd.asset",)
"""The own file that nothing of Unity's wrote."""


@cache
def assets() -> list[tuple[Path, bytes]]:
    """Every text asset and `.meta`, own ones first."""
    own = sorted(path for path in OWN.iterdir() if path.suffix != ".md")
    files = [(path, path.read_bytes()) for path in (*own, *corpus_files())]
    return [(path, content) for path, content in files if path.suffix == ".meta" or is_yaml(content)]


def opened(path: Path, content: bytes) -> AssetFile:
    return AssetFile.open(content, path.name) if is_yaml(content) else AssetFile.open_meta(content, path.name)


def bodies(content: bytes) -> list[bytes]:
    if not is_yaml(content):
        return [content.removeprefix(b"\xef\xbb\xbf")]
    return [content[document.body_start : document.end] for document in split(content).documents]


def asset(body: str, name: str = "x.asset") -> AssetFile:
    """One document with class MonoBehaviour and the given fields, each line indented as it stands."""
    text = "--- !u!114 &11400000\nMonoBehaviour:\n" + body
    return AssetFile.open(HEADER + text.encode(), name)
