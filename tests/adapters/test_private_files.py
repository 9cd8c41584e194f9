"""Small files of a project are read as plain files only: it may come from a stranger."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spark.adapters.identity import ensure_project_id
from spark.adapters.private_files import read_plain
from spark.core.errors import FatalError


def test_plain_files_are_read_and_nothing_else(tmp_path: Path) -> None:
    """Missing: None; a link, a pipe, a folder and a file over the limit are refused, none is waited for."""
    plain = tmp_path / "plain"
    plain.write_bytes(b"x" * 10)
    assert read_plain(plain) == b"x" * 10
    assert read_plain(tmp_path / "none") is None
    (tmp_path / "link").symlink_to(plain)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "pipe", "folder"):
        with pytest.raises(OSError):
            read_plain(tmp_path / name)
    with pytest.raises(OSError):
        read_plain(plain, limit_bytes=9)


def test_a_linked_settings_file_is_refused_and_its_target_is_not_copied(tmp_path: Path) -> None:
    """A project whose Spark.json links to a private file of the user's gets neither its content nor an id into it."""
    secret = tmp_path / "config.json"
    secret.write_text('{"auths": "secret"}')
    (tmp_path / "Game/ProjectSettings").mkdir(parents=True)
    link = tmp_path / "Game/ProjectSettings/Spark.json"
    link.symlink_to(secret)
    with pytest.raises(FatalError) as refused:
        ensure_project_id(tmp_path / "Game")
    assert refused.value.exit_status == 2
    assert link.is_symlink()
    assert secret.read_text() == '{"auths": "secret"}'
