"""Resources that every editor has, by name. Only names and ids that are certain: seen in files beside the name, or documented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from spark.engines.unity.yaml.values import Ref

DEFAULT_RESOURCES: Final = "0000000000000000e000000000000000"
EXTRA_RESOURCES: Final = "0000000000000000f000000000000000"


class Builtin(NamedTuple):
    file_id: int
    guid: str
    class_name: str

    @property
    def ref(self) -> Ref:
        return Ref(self.file_id, self.guid, 0)


def _rows(guid: str, class_name: str, **ids: int) -> dict[str, Builtin]:
    return {name: Builtin(file_id, guid, class_name) for name, file_id in ids.items()}


BUILTINS: Final[Mapping[str, Builtin]] = {
    **_rows(
        DEFAULT_RESOURCES, "Mesh", Cube=10202, Cylinder=10206, Sphere=10207, Capsule=10208, Plane=10209, Quad=10210
    ),
    # One font under two names: it was renamed in 2022.2.
    **_rows(DEFAULT_RESOURCES, "Font", LegacyRuntime=10102, Arial=10102),
    **_rows(
        EXTRA_RESOURCES,
        "Material",
        **{
            "Default-Material": 10303,
            "Default-Skybox": 10304,
            "Default-Particle": 10301,
            "Default-ParticleSystem": 10308,
            "Default-Line": 10306,
            "Sprites-Default": 10754,
        },
    ),
    **_rows(
        EXTRA_RESOURCES,
        "Sprite",
        Checkmark=10901,
        UISprite=10905,
        Background=10907,
        InputFieldBackground=10911,
        Knob=10913,
        DropdownArrow=10915,
        UIMask=10917,
    ),
    **_rows(
        EXTRA_RESOURCES,
        "Shader",
        **{
            "Standard": 46,
            "Standard (Specular setup)": 45,
            "Legacy Shaders/Diffuse": 7,
            "Skybox/Procedural": 106,
            "Unlit/Transparent": 10750,
            "Unlit/Texture": 10752,
            "Unlit/Color": 10755,
            "Sprites/Default": 10753,
            "UI/Default": 10770,
        },
    ),
}
_NAMES: Final = {(one.guid, one.file_id): name for name, one in BUILTINS.items() if name != "Arial"}


def is_builtin(guid: str) -> bool:
    return guid in (DEFAULT_RESOURCES, EXTRA_RESOURCES)


def builtin_name(ref: Ref) -> str | None:
    return _NAMES.get((ref.guid, ref.file_id))
