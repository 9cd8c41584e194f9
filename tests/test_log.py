"""The log: private files, scrubbed records, rotation, and reading it back."""

from __future__ import annotations

import io
import json
import logging
import resource
import stat
from collections.abc import Callable, Iterator
from functools import partial
from logging.handlers import RotatingFileHandler
from pathlib import Path

import pytest

from spark import log as log_module
from spark.log import OpenLog, configure_log, follow_log, format_record, read_log

log = logging.getLogger("spark.test")


@pytest.fixture
def stderr() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def opened(tmp_path: Path, stderr: io.StringIO) -> Iterator[OpenLog]:
    levels = logging.getLogger().level, logging.getLogger("spark").level
    opened = configure_log(tmp_path, stderr=stderr)
    yield opened
    opened.close()
    logging.getLogger().setLevel(levels[0])
    logging.getLogger("spark").setLevel(levels[1])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_user_may_read_it(tmp_path: Path, opened: OpenLog) -> None:
    """The folder is 0700 and every file 0600, also after a rotation."""
    log.info("hello")
    assert mode(tmp_path / "log") == 0o700
    log_module_bytes = log_module.FILE_BYTES
    for _ in range(log_module_bytes // 15_000 + 10):
        log.info("x" * 15_000)
    files = sorted((tmp_path / "log").iterdir())
    assert len(files) == 2
    assert {mode(path) for path in files} == {0o600}
    assert all(path.stat().st_size <= log_module_bytes for path in files)


def test_records_are_json_with_fields(tmp_path: Path, opened: OpenLog) -> None:
    """One object a line: time, level, logger, message and the fields given as `extra`."""
    log.info("call %s finished", "echo", extra={"call_id": "call_1", "duration_ms": 1.5})
    (line,) = opened.path.read_text("ascii").splitlines()
    record = json.loads(line)
    assert record.pop("at").endswith("Z")
    assert record == {
        "level": "info",
        "logger": "spark.test",
        "message": "call echo finished",
        "call_id": "call_1",
        "duration_ms": 1.5,
    }


def test_nothing_leaves_unscrubbed(tmp_path: Path, opened: OpenLog, stderr: io.StringIO) -> None:
    """Secrets in message, arguments, fields and tracebacks reach neither the file nor the terminal."""
    secret = "sk-proj-" + "a1B2" * 10
    try:
        raise RuntimeError(f"refused {secret} for ada@example.com")
    except RuntimeError:
        log.exception("failed with %s", secret, extra={"api_key": "plain-secret", "where": "/home/ada/Game"})
    logging.getLogger("aiohttp").warning("header Authorization: Bearer %s", secret)
    text = opened.path.read_text("ascii") + stderr.getvalue()
    for planted in (secret, "ada@example.com", "plain-secret", "/home/ada"):
        assert planted not in text
    assert "RuntimeError" in text
    assert "Traceback" in text


def test_the_terminal_gets_short_single_lines(tmp_path: Path, opened: OpenLog, stderr: io.StringIO) -> None:
    """Only warnings and worse, one line each; control characters cannot paint the terminal."""
    log.info("quiet")
    log.warning("two\nlines \x1b[31mred", extra={"path": "Assets/A.cs"})
    assert stderr.getvalue() == "spark: warning two lines  [31mred path=Assets/A.cs\n"


def test_verbose_shows_everything_of_ours(tmp_path: Path, stderr: io.StringIO) -> None:
    """Debug lines of SPARK appear, those of libraries do not."""
    opened = configure_log(tmp_path, verbose=True, stderr=stderr)
    try:
        log.debug("detail")
        logging.getLogger("aiohttp").info("noise")
    finally:
        opened.close()
    assert stderr.getvalue() == "spark: debug detail\n"
    assert [record["message"] for record in read_log(tmp_path)] == ["detail"]


def test_a_wrong_format_string_is_still_logged(tmp_path: Path, opened: OpenLog) -> None:
    """Our own mistake in a log call neither raises nor loses the words."""
    # Handed over directly: pytest's own handler would raise.
    record = logging.LogRecord("spark.test", logging.WARNING, __file__, 1, "only %d", ("text",), None)
    opened._handlers[0].handle(record)
    assert "only %d" in read_log(tmp_path)[-1]["message"]


def test_a_full_disk_does_not_raise(tmp_path: Path, stderr: io.StringIO) -> None:
    """A write that fails is dropped, and nothing is printed in its place."""
    opened = configure_log(tmp_path, stderr=stderr)
    # A limit on this process's file sizes fails writes as a full disk does.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        log.warning("lost")
        opened.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        opened.close()
    assert stderr.getvalue() == "spark: warning lost\n"
    assert read_log(tmp_path) == []


def test_a_link_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """The log neither writes to a link's target nor changes its mode."""
    target = tmp_path / "target"
    target.write_text("keep")
    target.chmod(0o644)
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "daemon.log").symlink_to(target)
    with pytest.raises(OSError):
        configure_log(tmp_path)
    assert (target.read_text(), mode(target)) == ("keep", 0o644)


def test_reading_skips_torn_lines_and_spans_rotations(tmp_path: Path, opened: OpenLog) -> None:
    """The newest records come oldest first, from all files; what a crash cut off is left out."""
    folder = tmp_path / "log"
    (folder / "daemon.log.2").write_text('{"message":"a"}\n{"mess')
    (folder / "daemon.log.1").write_text('{"message":"b"}\nnull\n\xff\n', encoding="latin-1")
    log.info("c")
    assert [record["message"] for record in read_log(tmp_path)] == ["a", "b", "c"]
    assert [record["message"] for record in read_log(tmp_path, limit=2)] == ["b", "c"]
    assert read_log(tmp_path / "none") == []


def test_following_gives_new_records_across_a_rotation(tmp_path: Path, opened: OpenLog) -> None:
    """Only what comes after the start, each record once, also when the file is exchanged, until the caller ends it."""
    log.info("before")

    def rotate() -> None:
        handler = opened._handlers[0]
        assert isinstance(handler, RotatingFileHandler)
        handler.doRollover()
        log.info("two")

    steps: Iterator[Callable[[], None]] = iter(
        [
            partial(log.info, "one"),
            lambda: opened.path.open("ab").close(),
            rotate,
            partial(log.info, "three"),
        ]
    )

    def wait() -> bool:
        step = next(steps, None)
        if step is not None:
            step()
        return step is not None

    assert [record["message"] for record in follow_log(tmp_path, wait=wait)] == ["one", "two", "three"]


def test_following_waits_for_the_first_file(tmp_path: Path) -> None:
    """A log that does not exist yet is waited for."""
    (tmp_path / "log").mkdir()
    waits = iter([True, False])

    def wait() -> bool:
        (tmp_path / "log" / "daemon.log").write_text('{"message":"first"}\n')
        return next(waits)

    assert [record["message"] for record in follow_log(tmp_path, wait=wait)] == ["first"]


def test_a_record_as_one_line() -> None:
    """Time, level, logger, message, fields, and the last line of an error."""
    record = {"at": "T", "level": "error", "logger": "spark.x", "message": "m", "n": 1, "error": "Traceback\nE: why\n"}
    assert format_record(record) == "T error spark.x m n=1 (E: why)"
