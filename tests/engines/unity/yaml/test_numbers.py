"""Numbers as Unity writes them."""

from __future__ import annotations

import math
import re
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.engines.unity.yaml.numbers import double_text, float_text
from tests.engines.unity.yaml.samples import assets

FLOAT = struct.Struct("<f")
LITERAL = re.compile(rb": (-?\d+\.\d+(?:e[+-]\d+)?|-?\d+e[+-]\d+)(?=[,}\r\n])")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-12345.678, "-12345.678"),
        (1e9, "1000000000"),
        (1e10, "1e+10"),
        (1.5e11, "1.5e+11"),
        (0.000000059604645, "0.000000059604645"),
        (9.313226e-10, "9.313226e-10"),
        (3.4028235e38, "3.4028235e+38"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
        (16777216.0, "16777216"),
    ],
)
def test_floats(value: float, text: str) -> None:
    """Shortest digits, fixed up to nine powers of ten, else two digits of exponent with its sign."""
    assert float_text(value) == text


def test_a_number_that_no_float_holds_is_refused() -> None:
    """It is never written as infinity."""
    with pytest.raises(OverflowError):
        float_text(1e39)


@settings(deadline=None, max_examples=300)
@given(st.floats(width=32, allow_nan=False))
def test_a_float_reads_back_the_same(value: float) -> None:
    """The text gives the same 32 bits again, and no shorter decimal text does."""
    text = float_text(value).replace("Infinity", "inf")
    assert FLOAT.pack(float(text)) == FLOAT.pack(value)
    assert len(text.lstrip("-").replace(".", "").partition("e")[0].strip("0")) <= 9


@settings(deadline=None, max_examples=300)
@given(st.floats(allow_nan=False))
def test_a_double_reads_back_the_same(value: float) -> None:
    """The text gives the same 64 bits again."""
    text = double_text(value).replace("Infinity", "inf")
    assert (float(text), math.copysign(1, float(text))) == (value, math.copysign(1, value))


def test_the_numbers_of_real_files_are_reproduced() -> None:
    """At least 99.5 % of all literals follow the rule. The rest are doubles and were written before 2018; version names in
    ProjectSettings and import results in metas are no floats of Unity's."""
    files = [content for path, content in assets() if path.suffix != ".meta" and path.stem != "ProjectSettings"]
    literals = [literal for content in files for literal in LITERAL.findall(content)]
    same = sum(float_text(float(literal)).encode() == literal for literal in literals)
    assert same >= 0.995 * len(literals) > 0, (same, len(literals))
