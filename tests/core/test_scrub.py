"""The scrubber: what it must take out, what it must leave, and that it never raises and stays linear."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spark.core.scrub import REDACTED, is_secret_name, scrub, scrub_fields

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nq1w2e3\n-----END RSA PRIVATE KEY-----"
ALPHANUMERIC = string.ascii_letters + string.digits


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("key sk-proj-abcDEF0123456789_-x used", "key [key] used"),
        ("sk-abcdefghijklmnop0123456789", "[key]"),
        (f"got {JWT}.", "got [token]"),
        ("Authorization: Bearer abc.def-ghi", f"Authorization: {REDACTED}"),
        ("sent bearer abcdefgh12345678 to it", "sent bearer [token] to it"),
        ("mail ada.l+x@example.co.uk now", "mail [email] now"),
        ("ghp_0123456789abcdefABCDEF0123456789abcd", "[key]"),
        ("github_pat_11ABCDEFG0abcdefghijkl_mnop", "[key]"),
        ("sb_secret_abcdefGHIJKL123", "[key]"),
        ("AKIAIOSFODNN7EXAMPLE!", "[key]!"),
        (f"a\n{PEM}\nb", "a\n[private-key]\nb"),
        ("-----BEGIN PRIVATE KEY-----\ncut off", "[private-key]"),
        ("postgres://user:pa:ss@db.example.com:5432/x", "postgres://[credentials]@db.example.com:5432/x"),
        ("https://tokenonly12345@github.com/a/b", "https://[credentials]@github.com/a/b"),
        ("from 10.20.30.40:5000, not 127.0.0.1:8080", "from [ip]:5000, not 127.0.0.1:8080"),
        ("192.168.0.1.", "[ip]."),
        ("/home/ada/My Game/Assets/A.cs", "~/My Game/Assets/A.cs"),
        ("/Users/ada: no", "~: no"),
        ("C:\\Users\\Ada Lovelace\\Game", "~\\Game"),
        ("c:/users/ada/Game", "~/Game"),
        ('"C:\\\\Users\\\\ada\\\\Game"', '"~\\\\Game"'),
        ("file:///home/ada/x and \\n/home/bob/y", "file://~/x and \\n~/y"),
        ("/root/.config", "~/.config"),
        ('{"password": "two words", "x": 1}', f'{{"password": {REDACTED}, "x": 1}}'),
        ('{\\"apiKey\\": \\"abc def\\"}', f'{{\\"apiKey\\": {REDACTED}\\"}}'),
        ("url?access_token=abc&x=1", f"url?access_token={REDACTED}&x=1"),
        ("OPENAI_API_KEY=abc cmd", f"OPENAI_API_KEY={REDACTED} cmd"),
        ("Cookie: a=b", f"Cookie: {REDACTED}"),
    ],
)
def test_known_secrets_are_taken_out(text: str, expected: str) -> None:
    """Each kind is replaced as a whole and the rest of the line stays readable."""
    assert scrub(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Assets/Scripts/Player.cs(12,5): error CS1002: ; expected",
        "risk-management of task-force-one",
        "inputTokens 5, tokensUsed: 12, keySource: environment",
        "Unity 2022.3.41f1, package 1.2.3, 127.0.0.1:5123, [::1]",
        "Assets/home/ada/x.cs and Packages/com.unity.Users/a",
        "turn_01HF3Z7QK8X2M4N6P8R0S2T4V6 call_01HF3Z7QK8X2M4N6P8R0S2T4V7",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "guid: 0123456789abcdef0123456789abcdef",
        "@selection @errors a@b",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Logs must stay useful: paths, positions, ids, hashes and counts are kept."""
    assert scrub(text) == text


secrets_planted = st.one_of(
    st.text(ALPHANUMERIC, min_size=40, max_size=60).map(lambda body: f"sk-{body}1"),
    st.text(ALPHANUMERIC + "_-", min_size=20, max_size=60).map(lambda body: f"sk-proj-{body}"),
    st.text(ALPHANUMERIC + "_-", min_size=43, max_size=43).map(lambda body: f"spk_{body}"),
    st.text(ALPHANUMERIC, min_size=36, max_size=36).map(lambda body: f"ghp_{body}"),
    st.text(string.ascii_uppercase + string.digits, min_size=16, max_size=16).map(lambda body: f"AKIA{body}"),
    st.text(ALPHANUMERIC, min_size=20, max_size=40).map(lambda body: f"sb_secret_{body}"),
    st.just(JWT),
    st.just(PEM),
)
contexts = st.text(max_size=30) | st.sampled_from(
    [
        "",
        " ",
        "\\n",
        "/home/ada/",
        "token=",
        '{"a": "',
        "x@",
        "https://",
        "Bearer ",
        "-----BEGIN ",
        "10.0.0.1",
        "sk-",
        "eyJ",
    ]
)


@given(before=contexts, secret=secrets_planted, after=contexts)
@settings(deadline=None, max_examples=300)
def test_planted_secrets_never_survive(before: str, secret: str, after: str) -> None:
    """Whatever stands around a secret, no long piece of it is left."""
    core = secret[-16:] if secret != PEM else "MIIEpAIBAAKCAQEA7"
    assume(core not in before and core not in after)
    left = scrub(before + secret + after)
    assert core not in left


@given(local=st.text(ALPHANUMERIC + "._-", min_size=1, max_size=20), before=st.sampled_from(["", " ", "<", "\\n", "a"]))
@settings(deadline=None, max_examples=100)
def test_planted_mail_addresses_never_survive(local: str, before: str) -> None:
    """An address goes as a whole, whatever its local part."""
    assert "example.com" not in scrub(f"{before}{local}@example.com ")


fragments = st.lists(
    st.one_of(
        contexts,
        secrets_planted,
        st.text(max_size=8),
        st.sampled_from(["@", "://", ":", "=", ".", "/Users/", "~", "["]),
    ),
    max_size=8,
).map("".join)


@given(text=fragments)
@settings(deadline=None, max_examples=400)
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    """The placeholders are no secrets, and no new ones arise."""
    once = scrub(text)
    assert scrub(once) == once


json_like: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | fragments | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10) | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(fields=st.dictionaries(st.text(max_size=10), json_like, max_size=5))
@settings(deadline=None, max_examples=100)
def test_fields_never_raise(fields: dict[str, Any]) -> None:
    """Any fields come out as a mapping with text keys."""
    assert all(isinstance(key, str) for key in scrub_fields(fields))


def test_fields_are_redacted_by_name_at_every_depth() -> None:
    """A secret that no pattern knows is taken out by its field's name; counts and sources stay."""
    fields = {
        "apiKey": "plain",
        "nested": [{"Set-Cookie": "a=b", "password": 1234}],
        "inputTokens": 12,
        "keySource": "environment",
        "token": None,
        "path": Path("/home/ada/Game"),
        "error": ValueError("sk-proj-abcdefgh12345678"),
        "content": b"secret bytes",
        "/home/ada/x": 1,
    }
    assert scrub_fields(fields) == {
        "apiKey": REDACTED,
        "nested": [{"Set-Cookie": REDACTED, "password": REDACTED}],
        "inputTokens": 12,
        "keySource": "environment",
        "token": None,
        "path": "~/Game",
        "error": "[key]",
        "content": "<12 bytes>",
        "~/x": 1,
    }


def test_fields_that_contain_themselves_end() -> None:
    """Cycles, depth and length are bounded."""
    loop: dict[str, Any] = {"many": list(range(5000))}
    loop["self"] = loop
    assert len(scrub_fields(loop)["many"]) == 1001
    assert "[…]" in str(scrub_fields(loop))


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("token", True),
        ("SPARK_SUPABASE_KEY", True),
        ("refreshToken", True),
        ("Authorization", True),
        ("openai-api-key", True),
        ("JWT", True),
        ("tokens", False),
        ("cachedTokens", False),
        ("keyboard", False),
        ("monkey", False),
        ("key_source", False),
        ("", False),
        ("...", False),
    ],
)
def test_secret_names(name: str, secret: bool) -> None:
    """The last word of a name decides."""
    assert is_secret_name(name) is secret


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "a.",
        "a@",
        "sk-",
        "eyJ",
        "eyJ.",
        "1.",
        "1.1.1.",
        "://",
        "://a",
        "token",
        "token:",
        'token:"',
        "token:\\",
        "/home/",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "bearer ",
        "bearer a",
        "C:\\Users\\",
        "a@a.",
        "%",
        "\\",
        '"',
        "gho_",
        "token   ",
        "sk-a-",
        "github_pat_",
        "AKIA",
        "Basic   ",
        "/Users/ ",
        "x@x.x",
        "\\n/home/a",
    ],
)
@pytest.mark.timeout(20)
def test_no_text_makes_it_slow(unit: str) -> None:
    """A third of a megabyte of the worst text ends in time: an alternative that looked twice would need hours."""
    assert isinstance(scrub(unit * (300_000 // len(unit))), str)
