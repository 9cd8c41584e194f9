"""The head of a `.shader` file: `Shader "Name" { Properties { … } … }`, and the keywords that its pragmas declare.

Reads ShaderLab as Unity does, as far as a material needs it; passes and code are skipped. Takes time in proportion to the
text, whatever the text is, and raises `ShaderError` and nothing else.
"""

from __future__ import annotations

import re
from typing import Final

from spark.engines.unity.shaders.model import Attribute, PropertyKind, ShaderError, ShaderHead, ShaderProperty

MAX_BYTES: Final = 4 * 1024 * 1024
_SPACE: Final = re.compile(r"(?:\s|//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z))*+")
_STRING: Final = re.compile(r'"([^"\n]*)"')
_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TYPE: Final = re.compile(r"(?:2[dD]Array|2[dD]|3[dD]|[A-Za-z]\w*)")
_ATTRIBUTE: Final = re.compile(r"\[\s*([A-Za-z_]\w*)\s*(?:\(([^\]\n]*)\))?\s*\]")
_CODE_END: Final = re.compile(r"\bEND(?:CG|HLSL|GLSL)\b")
_KINDS: Final[dict[str, PropertyKind]] = {
    "float": "float",
    "int": "int",
    "integer": "integer",
    "color": "color",
    "vector": "vector",
}
_DIMENSIONS: Final = {
    "2d": "2D",
    "3d": "3D",
    "cube": "Cube",
    "2darray": "2DArray",
    "cubearray": "CubeArray",
    "any": "Any",
    "rect": "2D",
}
_COMMENT_OR_STRING: Final = re.compile(r'//[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)|"[^"\n]*"')
_PRAGMA: Final = re.compile(
    r"^[ \t]*#[ \t]*pragma[ \t]+"
    r"(?:shader_feature|multi_compile|dynamic_branch)(?:_local)?(?:_(?:vertex|fragment|hull|domain|geometry|raytracing))?"
    r"[ \t]+([^\n]*)",
    re.MULTILINE,
)
_MORE_KEYWORDS: Final = re.compile(r"#[ \t]*include_with_pragmas\b|\bUsePass\b|\b[Ff]all[Bb]ack\b\s*\"")
_CUSTOM_EDITOR: Final = re.compile(r'\bCustomEditor\s*"([^"\n]*)"')


def shader_name(content: bytes) -> str:
    """The name alone. Raises `ShaderError`."""
    return _Reader(_text(content)).name()


def parse_shader(content: bytes) -> ShaderHead:
    """Name, properties and keywords. Raises `ShaderError` with the line."""
    text = _text(content)
    reader = _Reader(text)
    name = reader.name()
    properties = reader.properties()
    bare = _COMMENT_OR_STRING.sub(lambda match: match[0] if match[0][0] == '"' else " ", text[reader.at :])
    keywords = {
        word
        for match in _PRAGMA.finditer(bare)
        for word in re.findall(r"\w+", match[1])
        if word.strip("_") and not word[0].isdigit()
    }
    editor = _CUSTOM_EDITOR.search(bare)
    return ShaderHead(
        name,
        tuple(properties),
        frozenset(keywords),
        all_keywords=_MORE_KEYWORDS.search(bare) is None,
        custom_editor=editor[1] if editor else "",
    )


def _text(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise ShaderError(f"larger than {MAX_BYTES} bytes")
    if b"\x00" in content:
        raise ShaderError("holds NUL bytes")
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def error(self, wanted: str) -> ShaderError:
        return ShaderError(f"{wanted} was expected", self.text.count("\n", 0, self.at) + 1)

    def skip(self) -> str:
        """To the next sign that means something; answers it, empty at the end."""
        match = _SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.text[self.at : self.at + 1]

    def take(self, pattern: re.Pattern[str], wanted: str) -> re.Match[str]:
        self.skip()
        match = pattern.match(self.text, self.at)
        if match is None:
            raise self.error(wanted)
        self.at = match.end()
        return match

    def sign(self, sign: str) -> None:
        if self.skip() != sign:
            raise self.error(repr(sign))
        self.at += 1

    def name(self) -> str:
        if self.take(_WORD, 'Shader "Name"')[0].lower() != "shader":
            raise self.error('Shader "Name"')
        name = self.take(_STRING, "the shader's name in quotes")[1]
        if not name:
            raise self.error("a name that is not empty")
        self.sign("{")
        return name

    def properties(self) -> list[ShaderProperty]:
        """Those of the first `Properties` block; includes may stand before it."""
        while (sign := self.skip()) and sign != "}":
            word = self.take(_WORD, "Properties, SubShader or the like")[0].lower()
            if word == "properties":
                self.sign("{")
                return self.declarations()
            if word in ("cginclude", "hlslinclude", "glslinclude"):
                end = _CODE_END.search(self.text, self.at)
                if end is None:
                    raise self.error("the end of the included code")
                self.at = end.end()
            elif word in ("customeditor", "customeditorforrenderpipeline", "fallback", "dependency"):
                while self.skip() in ('"', "="):
                    self.at = _end_of(_STRING, self)
            else:
                return []
        return []

    def declarations(self) -> list[ShaderProperty]:
        found: list[ShaderProperty] = []
        while (sign := self.skip()) != "}":
            if not sign:
                raise self.error("the closing brace of Properties")
            found.append(self.declaration())
        self.at += 1
        return found

    def declaration(self) -> ShaderProperty:
        attributes: list[Attribute] = []
        while self.skip() == "[":
            match = self.take(_ATTRIBUTE, "an attribute such as [HDR]")
            given = tuple(part.strip() for part in match[2].split(",")) if match[2] is not None else ()
            attributes.append(Attribute(match[1], given))
        name = self.take(_WORD, "a property's name")[0]
        self.sign("(")
        label = self.take(_STRING, "a property's label in quotes")[1]
        self.sign(",")
        word = self.take(_TYPE, "a property's type")[0].lower()
        low = high = None
        if word == "range":
            low, high = self.range()
        elif word not in _KINDS and word not in _DIMENSIONS:
            raise self.error("a type such as Float, Range, Color, Vector or 2D")
        self.sign(")")
        has_default = self.skip() == "="
        if has_default:
            self.at += 1
        given_attributes = tuple(attributes)
        if word in _DIMENSIONS:
            texture = self.texture() if has_default else ""
            return ShaderProperty(
                name, "texture", label, dimension=_DIMENSIONS[word], texture=texture, attributes=given_attributes
            )
        if word in ("color", "vector"):
            numbers = self.vector(word) if has_default else ()
            return ShaderProperty(name, _KINDS[word], label, numbers, attributes=given_attributes)
        kind: PropertyKind = "range" if word == "range" else _KINDS[word]
        numbers = (self.number(),) if has_default else (0.0,)
        return ShaderProperty(name, kind, label, numbers, low, high, attributes=given_attributes)

    def number(self) -> float:
        value = float(self.take(_NUMBER, "a number")[0])
        if self.text[self.at : self.at + 1] in ("f", "F"):
            self.at += 1
        return value

    def range(self) -> tuple[float, float]:
        self.sign("(")
        low = self.number()
        self.sign(",")
        high = self.number()
        self.sign(")")
        return low, high

    def vector(self, word: str) -> tuple[float, ...]:
        """Four numbers. A colour may leave out its alpha; what a vector leaves out is not known here (nothing then)."""
        self.sign("(")
        numbers = [self.number()]
        while self.skip() == ",":
            self.at += 1
            numbers.append(self.number())
        self.sign(")")
        if len(numbers) == 3 and word == "color":
            numbers.append(1.0)
        return tuple(numbers) if len(numbers) == 4 else ()

    def texture(self) -> str:
        name = self.take(_STRING, "the name of a default texture in quotes")[1]
        if self.skip() == "{":
            end = self.text.find("}", self.at)
            if end < 0:
                raise self.error("the closing brace of a texture's default")
            self.at = end + 1
        return name


def _end_of(pattern: re.Pattern[str], reader: _Reader) -> int:
    if reader.text[reader.at] == "=":
        return reader.at + 1
    return reader.take(pattern, "a text in quotes").end()
