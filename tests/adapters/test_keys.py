"""Keys: where they are looked for, where they are kept, and that they are never shown."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

from spark.adapters.keys import FILE_NAME, FoundKey, clear_key, find_key, key_status, set_key
from spark.core.errors import ToolRejected

KEY = "sk-test-0123456789abcdef-last"


class FakeKeyring(KeyringBackend):
    """A keyring that keeps its passwords in memory."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.kept:
            raise PasswordDeleteError("not there")
        del self.kept[service, username]


class LockedKeyring(FakeKeyring):
    """A keyring that the user does not unlock."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("locked")


class BrokenKeyring(FakeKeyring):
    """A keyring whose daemon is gone."""

    def get_password(self, service: str, username: str) -> str | None:
        raise ConnectionRefusedError("no bus")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise ConnectionRefusedError("no bus")


@pytest.fixture
def ring() -> Iterator[FakeKeyring]:
    yield from _in_use(FakeKeyring())


@pytest.fixture(params=[fail.Keyring, null.Keyring, LockedKeyring, BrokenKeyring])
def no_ring(request: pytest.FixtureRequest) -> Iterator[KeyringBackend]:
    yield from _in_use(request.param())


R = TypeVar("R", bound=KeyringBackend)


def _in_use(backend: R) -> Iterator[R]:
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_the_order_of_places(ring: FakeKeyring, tmp_path: Path) -> None:
    """Environment before keyring before file, and of the two variables the Realtime one first."""
    assert find_key("openai", {}, folder=tmp_path) is None
    (tmp_path / FILE_NAME).write_text(json.dumps({"openai": "from-file"}))
    assert find_key("openai", {}, folder=tmp_path) == FoundKey("from-file", f"file {tmp_path / FILE_NAME}")
    assert set_key("openai", "from-ring", folder=tmp_path) == "keyring"
    assert find_key("openai", {}, folder=tmp_path) == FoundKey("from-ring", "keyring")
    env = {"OPENAI_API_KEY": "general"}
    assert find_key("openai", env, folder=tmp_path) == FoundKey("general", "OPENAI_API_KEY (environment)")
    env["OPENAI_REALTIME_API_KEY"] = " realtime "
    assert find_key("openai", env, folder=tmp_path) == FoundKey("realtime", "OPENAI_REALTIME_API_KEY (environment)")
    assert find_key("chat", env, folder=tmp_path) is None


def test_the_keyring_keeps_it(ring: FakeKeyring, tmp_path: Path) -> None:
    """With a keyring the file only notes that it is there, an older key in it is taken out, and clearing removes both."""
    (tmp_path / FILE_NAME).write_text(json.dumps({"openai": "old"}))
    assert set_key("openai", f" {KEY}\n", folder=tmp_path) == "keyring"
    assert ring.kept == {("spark-unity", "openai"): KEY}
    assert json.loads((tmp_path / FILE_NAME).read_text()) == {"openai": {"in": "keyring"}}
    assert clear_key("openai", folder=tmp_path) == ["keyring"]
    assert list(tmp_path.iterdir()) == []
    assert clear_key("openai", folder=tmp_path) == []


def test_a_keyring_is_not_asked_for_a_key_it_was_never_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Looking for a key of somebody who stored none loads no keyring at all: it may be slow, locked, or ask questions."""

    def asked() -> KeyringBackend:
        raise AssertionError("the keyring was asked")

    monkeypatch.setattr(keyring, "get_keyring", asked)
    assert find_key("openai", {}, folder=tmp_path) is None


def test_without_a_keyring_the_file_keeps_it(no_ring: KeyringBackend, tmp_path: Path) -> None:
    """Absent, disabled, locked and broken keyrings all lead to the file, and the answer says so; it can be cleared."""
    folder = tmp_path / "config" / "spark"
    said = set_key("openai", KEY, folder=folder)
    assert said.startswith(f"file {folder / FILE_NAME}")
    assert "keyring" in said
    assert KEY not in said
    assert find_key("openai", {}, folder=folder) == FoundKey(KEY, f"file {folder / FILE_NAME}")
    set_key("chat", "another", folder=folder)
    assert clear_key("openai", folder=folder) == [f"file {folder / FILE_NAME}"]
    assert find_key("chat", {}, folder=folder) is not None
    clear_key("chat", folder=folder)
    assert not (folder / FILE_NAME).exists()


def test_rights_of_the_file(no_ring: KeyringBackend, tmp_path: Path) -> None:
    """Folder 0700 and file 0600 whatever the umask says; rights that became wider are narrowed; nothing stays behind."""
    folder = tmp_path / "spark"
    before = os.umask(0)
    try:
        set_key("openai", KEY, folder=folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    (folder / FILE_NAME).chmod(0o644)
    assert find_key("openai", {}, folder=folder) is not None
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_a_link_is_not_followed(no_ring: KeyringBackend, tmp_path: Path) -> None:
    """A key file that is a link is refused, with the line that mends it, and its target is neither read nor written."""
    target = tmp_path / "target"
    target.write_text(json.dumps({"openai": "theirs"}))
    folder = tmp_path / "spark"
    folder.mkdir()
    (folder / FILE_NAME).symlink_to(target)
    with pytest.raises(ToolRejected) as caught:
        find_key("openai", {}, folder=folder)
    assert str(folder / FILE_NAME) in caught.value.hint
    with pytest.raises(ToolRejected):
        set_key("openai", KEY, folder=folder)
    assert json.loads(target.read_text()) == {"openai": "theirs"}


@pytest.mark.parametrize("content", ["", "no json", "[1]", "7"])
def test_a_broken_file_is_named(no_ring: KeyringBackend, tmp_path: Path, content: str) -> None:
    """A file that cannot be read is refused with its path, and never overwritten silently."""
    (tmp_path / FILE_NAME).write_text(content)
    for action in (lambda: find_key("openai", {}, folder=tmp_path), lambda: set_key("openai", KEY, folder=tmp_path)):
        with pytest.raises(ToolRejected) as caught:
            action()
        assert str(tmp_path / FILE_NAME) in caught.value.hint
    assert (tmp_path / FILE_NAME).read_text() == content


def test_a_folder_that_cannot_be_made(no_ring: KeyringBackend, tmp_path: Path) -> None:
    """Where nothing can be written the refusal says what would work, and holds no key."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolRejected) as caught:
        set_key("openai", KEY, folder=tmp_path / "file" / "spark")
    assert KEY not in str(caught.value.to_wire())


def test_status_never_shows_the_key(ring: FakeKeyring, tmp_path: Path) -> None:
    """Status names the place in use, the places that are not, and at most four characters of a long key."""
    assert key_status("openai", {}, folder=tmp_path).source is None
    set_key("openai", KEY, folder=tmp_path)
    status = key_status("openai", {"OPENAI_API_KEY": "short"}, folder=tmp_path)
    assert (status.source, status.ending, status.shadowed) == ("OPENAI_API_KEY (environment)", "", ("keyring",))
    status = key_status("openai", {}, folder=tmp_path)
    assert (status.source, status.ending) == ("keyring", "last")
    assert KEY not in repr(status)


def test_status_says_why_a_keyring_was_not_asked(no_ring: KeyringBackend, tmp_path: Path) -> None:
    """A keyring that could not be asked is a problem that is told, not an empty answer."""
    assert "keyring" in key_status("openai", {}, folder=tmp_path).problem


def test_a_keyring_setting_that_names_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A keyring configuration that cannot be loaded does not stop anything."""

    def broken() -> KeyringBackend:
        raise ModuleNotFoundError("no such backend")

    monkeypatch.setattr(keyring, "get_keyring", broken)
    (tmp_path / FILE_NAME).write_text(json.dumps({"openai": {"in": "keyring"}}))
    assert find_key("openai", {}, folder=tmp_path) is None
    assert "ModuleNotFoundError" in key_status("openai", {}, folder=tmp_path).problem


@pytest.mark.parametrize("name", ["", "Open AI", "../x", "a" * 33, "1x"])
def test_names(name: str, tmp_path: Path) -> None:
    """A name that cannot be one is refused, with what would be."""
    with pytest.raises(ToolRejected) as caught:
        find_key(name, {}, folder=tmp_path)
    assert caught.value.code == "invalid_arguments"
    assert "openai" in caught.value.details["fields"]["name"]


@pytest.mark.parametrize("value", ["", "  ", "two words", "line\nbreak", "k\x00", "schlüssel", "x" * 5000])
def test_values(ring: FakeKeyring, value: str, tmp_path: Path) -> None:
    """What cannot be a key is refused and kept nowhere, and the refusal does not repeat it."""
    with pytest.raises(ToolRejected) as caught:
        set_key("openai", value, folder=tmp_path)
    assert ring.kept == {}
    assert not value.strip() or value not in str(caught.value.to_wire())
