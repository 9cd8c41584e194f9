"""Unity's version numbers and what follows from them: symbols that are defined, and the C# that is compiled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spark.engines.unity.words import words

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,3})(?:\.(\d{1,3}))?")
_STREAMS: Final = {2017: 4, 2018: 4, 2019: 4, 2020: 3, 2021: 3, 2022: 3, 2023: 3}
"""Minor versions of each year; 2023.3 became 6000.0 and its symbol lives on."""
_EDITOR: Final = frozenset({"UNITY_EDITOR", "UNITY_EDITOR_64", "UNITY_EDITOR_WIN"})
_COMMON: Final = words(
    "UNITY_STANDALONE UNITY_STANDALONE_WIN UNITY_64 ENABLE_MONO NET_STANDARD NET_STANDARD_2_0 NET_STANDARD_2_1 "
    "NETSTANDARD NETSTANDARD2_1 CSHARP_7_OR_LATER CSHARP_7_3_OR_NEWER DEBUG TRACE UNITY_ASSERTIONS "
    "ENABLE_UNITYWEBREQUEST UNITY_INCLUDE_TESTS DEVELOPMENT_BUILD"
)


@dataclass(frozen=True, slots=True, order=True)
class EditorVersion:
    """Major, minor and patch of `2022.3.40f1`; `assumed` where the project does not say and 2022.3 is taken."""

    major: int
    minor: int
    patch: int = 0
    assumed: bool = False

    @classmethod
    def parse(cls, text: str) -> EditorVersion:
        """The version named by a text; where there is none, 2022.3, marked as assumed."""
        match = _VERSION.match(text.strip())
        if match is None:
            return UNKNOWN
        return cls(int(match.group(1)), int(match.group(2)), int(match.group(3) or 0))

    @property
    def csharp(self) -> float:
        """The language version of Unity's compiler."""
        if (self.major, self.minor) >= (2021, 2):
            return 9
        return 8 if (self.major, self.minor) >= (2020, 2) else 7.3

    def symbols(self) -> frozenset[str]:
        """`UNITY_2022_3_OR_NEWER` and the like, and what Unity always defines. The platform is taken to be Windows
        everywhere, so that a check says the same on every machine."""
        own = {
            f"UNITY_{self.major}",
            f"UNITY_{self.major}_{self.minor}",
            f"UNITY_{self.major}_{self.minor}_{self.patch}",
        }
        return _EDITOR | _COMMON | own | frozenset(self._or_newer())

    def player_symbols(self) -> frozenset[str]:
        """The symbols of a release build."""
        return self.symbols() - _EDITOR - {"UNITY_INCLUDE_TESTS", "DEVELOPMENT_BUILD", "DEBUG", "UNITY_ASSERTIONS"}

    def _or_newer(self) -> Iterator[str]:
        for minor in range(3, 7):
            yield f"UNITY_5_{minor}_OR_NEWER"
        for year, last in _STREAMS.items():
            for minor in range(1, last + 1):
                if (year, minor) <= (self.major, self.minor):
                    yield f"UNITY_{year}_{minor}_OR_NEWER"
        for major in range(6000, min(self.major, 6100) + 1):
            for minor in range(min(self.minor, 99) + 1 if major == self.major else 10):
                yield f"UNITY_{major}_{minor}_OR_NEWER"


UNKNOWN: Final = EditorVersion(2022, 3, 0, assumed=True)
"""What is taken where a project names no version."""
