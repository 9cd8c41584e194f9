"""`install mergedriver` and `uninstall mergedriver`: git calls `spark merge` for Unity's YAML of one project.

Two things are set: lines in the project's `.gitattributes` (commit them), and the driver's command in the repository's own
configuration (each clone needs it: git takes no commands from files that are committed).
"""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spark.cli import exits
from spark.cli.context import Context
from spark.core.errors import FatalError, ToolRejected

DRIVER: Final = "spark-unity-yaml"
KINDS: Final = (
    *("unity", "prefab", "asset", "mat", "anim", "controller", "overrideController", "mask", "playable", "lighting"),
    *("mixer", "preset", "renderTexture", "physicMaterial", "physicsMaterial2D", "shadervariants", "terrainlayer"),
    *("flare", "cubemap", "giparams", "spriteatlas", "brush", "signal", "fontsettings", "guiskin", "scenetemplate"),
    *("vfx", "meta"),
)
_NAME: Final = "Unity YAML by document and property (spark merge)"
_COMMENT: Final = "# Unity's YAML is merged by `spark merge`; each clone needs: spark install mergedriver"
_MADE: Final = " (this file was made for it)"
_NO_END: Final = " (the line above had no end)"
_LEFT_ALONE: Final = frozenset({"lfs", "binary", "unset", "set", "text", "union"})
_GIT_TIMEOUT_S: Final = 30.0
_SCRUBBED: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


def install(context: Context) -> int:
    """`install WHAT`; there is one WHAT yet."""
    root = context.root()
    git = _Git(root, context.env)
    git.check_repository()
    attributes = root / ".gitattributes"
    _check_ours(attributes)
    _check_readable(git)
    routed = git.merge_attributes()
    _refuse_other_drivers(git, root, routed)
    before = git.driver()
    wanted = {"name": _NAME, "driver": driver_line(sys.executable, windows=os.name == "nt"), "recursive": "binary"}
    for key, value in wanted.items():
        if before.get(key) != value:
            git.run("config", "--local", f"merge.{DRIVER}.{key}", value)
    missing = [kind for kind in KINDS if routed[kind] == "unspecified"]
    left = {f"*.{kind}": routed[kind] for kind in KINDS if routed[kind] in _LEFT_ALONE}
    added = [_line(kind) for kind in missing]
    if added:
        _write(attributes, _with_lines(_read(attributes), added))
    not_effective = [f"*.{kind}" for kind, value in git.merge_attributes().items() if value == "unspecified"]
    if context.out.as_json:
        context.out.document(
            {
                "success": True,
                "attributes": str(attributes),
                "added": added,
                "leftAlone": left,
                "notEffective": not_effective,
                "driver": wanted["driver"],
                "driverChanged": before != wanted,
            }
        )
        return exits.DONE
    context.out.text(f"{attributes}: {_told(added)}")
    for pattern, value in left.items():
        context.out.text(f"  {pattern} stays as it is: its merge attribute is {value}")
    for pattern in not_effective:
        context.out.text(f"  {pattern} is not merged by it: another .gitattributes takes the attribute away")
    said = "was set already" if before == wanted else "set in this repository's own configuration"
    context.out.text(f"merge.{DRIVER}: {said}: {wanted['driver']}")
    context.out.text(
        "Commit .gitattributes. Each clone runs `spark install mergedriver` once; where nobody did, git merges these files\n"
        "by lines as before. `spark uninstall mergedriver` takes both out."
    )
    return exits.DONE


def uninstall_mergedriver(context: Context) -> int:
    if context.args.purge:
        raise FatalError(exits.USAGE, "--purge removes histories; the merge driver has none", hint="Leave --purge out.")
    root = context.root()
    git = _Git(root, context.env)
    attributes = root / ".gitattributes"
    _check_ours(attributes)
    content = _read(attributes)
    kept = None if content is None else without_lines(content)
    removed = content is not None and kept != content
    if removed:
        if kept is None:
            attributes.unlink()
        else:
            _write(attributes, kept)
    configured = git.is_repository() and bool(git.driver())
    if configured:
        for key in git.driver():
            git.run("config", "--local", "--unset-all", f"merge.{DRIVER}.{key}")
        git.run("config", "--local", "--remove-section", f"merge.{DRIVER}", fails=True)
    if context.out.as_json:
        context.out.document(
            {"success": True, "attributes": str(attributes), "linesRemoved": removed, "driverRemoved": configured}
        )
        return exits.DONE
    context.out.text(f"{attributes}: {'the lines were removed' if removed else 'no line of it is there'}")
    context.out.text(
        f"merge.{DRIVER}: {'removed from' if configured else 'not set in'} this repository's configuration"
    )
    return exits.DONE


def driver_line(executable: str, *, windows: bool) -> str:
    """The command as git hands it to a shell (Git for Windows brings one, which wants slashes). git puts file names in for
    %O (base), %A (ours and result), %B (theirs) and, quoted, %P (the path); %% is a percent sign."""
    path = executable.replace("\\", "/") if windows else executable
    return f"{shlex.quote(path).replace('%', '%%')} -P -m spark merge %O %A %B -o %A --path %P"


def is_installed(root: Path, env: Mapping[str, str]) -> bool:
    """Whether the repository around a project has the driver."""
    git = _Git(root, env)
    return git.is_repository() and bool(git.driver())


@dataclass(frozen=True, slots=True)
class _Git:
    """git in the project's folder. Raises `FatalError` with git's own words."""

    root: Path
    env: Mapping[str, str]

    def run(self, *args: str, stdin: str = "", fails: bool = False) -> str | None:
        """What git printed; None where it fails and `fails` allows that."""
        env = {key: value for key, value in self.env.items() if key not in _SCRUBBED} | {"LC_ALL": "C"}
        command = ["git", "-C", str(self.root), *args]
        try:
            done = subprocess.run(
                command, input=stdin.encode(), capture_output=True, env=env, timeout=_GIT_TIMEOUT_S, check=False
            )
        except FileNotFoundError as error:
            if fails:
                return None
            raise FatalError(exits.UNAVAILABLE, "git was not found", hint="Install git, then again.") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise FatalError(exits.UNAVAILABLE, f"git {args[0]} did not end: {error}") from error
        if done.returncode == 0:
            return done.stdout.decode("utf-8", "surrogateescape")
        if fails:
            return None
        said = done.stderr.decode("utf-8", "replace").strip()
        raise FatalError(exits.UNAVAILABLE, f"git {args[0]} failed: {said}")

    def is_repository(self) -> bool:
        return (self.run("rev-parse", "--is-inside-work-tree", fails=True) or "").strip() == "true"

    def check_repository(self) -> None:
        self.run("--version")
        if not self.is_repository():
            raise FatalError(
                exits.USAGE,
                f"{self.root} lies in no git repository (or git refuses it), so there is nothing to install a driver into",
                hint="Run `git init` there, or `git status` to see what git says.",
            )

    def driver(self) -> dict[str, str]:
        """What is set of the driver in the repository's configuration."""
        listed = self.run("config", "--local", "-z", "--get-regexp", rf"^merge\.{DRIVER}\.", fails=True) or ""
        pairs = (entry.partition("\n") for entry in listed.split("\0") if entry)
        return {key.rpartition(".")[2]: value for key, _, value in pairs}

    def merge_attributes(self) -> dict[str, str]:
        """What git does with each kind now, by its own reading of all attribute files."""
        probes = {f"Assets/spark-probe.{kind}": kind for kind in KINDS}
        told = self.run("check-attr", "-z", "--stdin", "merge", stdin="\0".join([*probes, ""])) or ""
        fields = told.split("\0")
        return {probes[path]: value for path, value in zip(fields[::3], fields[2::3], strict=False) if path in probes}

    def attribute_files(self) -> list[Path]:
        """Those that say what `merge_attributes` asks for, nearest first."""
        top = Path((self.run("rev-parse", "--show-toplevel") or "").rstrip("\n"))
        common = Path((self.run("rev-parse", "--git-common-dir") or "").rstrip("\n"))
        folders = [
            self.root / "Assets",
            self.root,
            *(folder for folder in self.root.parents if folder.is_relative_to(top)),
        ]
        return [*(folder / ".gitattributes" for folder in folders), self.root / common / "info" / "attributes"]


def _refuse_other_drivers(git: _Git, root: Path, routed: Mapping[str, str]) -> None:
    others = sorted({value for value in routed.values() if value not in (*_LEFT_ALONE, "unspecified", DRIVER)})
    if not others:
        return
    named = re.compile(rb"\bmerge=(?:" + b"|".join(re.escape(o.encode()) for o in others) + rb")(?=\s|$)")
    lines = [
        f"{path}:{number}: {line.decode('utf-8', 'replace').strip()}"
        for path in git.attribute_files()
        for number, line in enumerate((_read(path) or b"").splitlines(), 1)
        if named.search(line)
    ]
    listed = "".join(f"\n  {line}" for line in lines[:20])
    raise ToolRejected(
        "already_exists",
        f"git already merges some of these files with {', '.join(others)}; nothing was changed{listed}",
        hint=f"To have SPARK merge them, take merge={others[0]} out of these lines, then run this again.",
        details={"path": str(root), "drivers": others, "lines": lines},
    )


# -- .gitattributes, as bytes: what is not ours stays as it is -------------------------------------------------------------


def _line(kind: str) -> str:
    return f"*.{kind} merge={DRIVER}"


def _with_lines(content: bytes | None, lines: Sequence[str]) -> bytes:
    newline = "\r\n" if content and b"\r\n" in content else "\n"
    comment, before = _COMMENT, content or b""
    if content is None:
        comment += _MADE
    elif content and not content.endswith(b"\n"):
        comment += _NO_END
        before += newline.encode()
    return before + "".join(line + newline for line in (comment, *lines)).encode()


def without_lines(content: bytes) -> bytes | None:
    """The file as it was before: without the comment and the lines that follow it somewhere. None where it was made for
    them and holds nothing else."""
    ours = {_line(kind).encode() for kind in KINDS}
    comments = {(_COMMENT + tail).encode(): tail for tail in ("", _MADE, _NO_END)}
    kept: list[bytes] = []
    begun = made = open_end = False
    for line in content.splitlines(keepends=True):
        bare = line.rstrip(b"\r\n")
        if bare in comments:
            begun = True
            made |= comments[bare] == _MADE
            open_end = comments[bare] == _NO_END
        elif not (begun and bare in ours):
            kept.append(line)
            open_end = False
    if made and not kept:
        return None
    left = b"".join(kept)
    return left.removesuffix(b"\n").removesuffix(b"\r") if open_end else left


def _check_ours(path: Path) -> None:
    """A link may lead out of the project, and git does not follow one; anything else but a file has no lines."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise FatalError(exits.UNAVAILABLE, f"{path} cannot be read ({error.strerror})") from error
    if stat.S_ISREG(mode):
        return
    what = "a link, which git does not follow" if stat.S_ISLNK(mode) else "no regular file"
    raise FatalError(
        exits.USAGE,
        f"{path} is {what}; nothing was changed",
        hint="Put a regular file in its place (or nothing), then run this again. `git config --local --remove-section "
        f"merge.{DRIVER}` takes out the driver's command alone.",
    )


def _check_readable(git: _Git) -> None:
    """git waits for ever for a writer where a file of attributes is a pipe."""
    for path in git.attribute_files():
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if not stat.S_ISREG(mode):
            raise FatalError(
                exits.USAGE,
                f"{path} is no regular file, and git would read it; nothing was changed",
                hint="Put a regular file in its place (or nothing), then run this again.",
            )


def _read(path: Path) -> bytes | None:
    from spark.cli.merge import read_whole

    try:
        return read_whole(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FatalError(exits.UNAVAILABLE, f"{path} cannot be read ({error.strerror})") from error


def _write(path: Path, content: bytes) -> None:
    """`path` itself is replaced: a link that somebody puts there now is not followed."""
    from spark.cli.merge import write_whole

    write_whole(path, content)


def _told(added: Sequence[str]) -> str:
    return "".join(f"\n  + {line}" for line in added) if added else "all lines are there already"
