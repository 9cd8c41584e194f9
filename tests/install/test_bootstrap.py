"""The bootstrap: old interpreters get a line that mends them, and its decisions are right without any download."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "install" / "bootstrap.py"


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The script as a module, with a clone of its own whose path has spaces and umlauts."""
    module = load()
    root = tmp_path / "Ünï cöde clone"
    root.mkdir()
    for name in ("requirements.lock", "requirements-dev.lock"):
        (root / name).write_text(f"# {name}\n", encoding="utf-8")
    monkeypatch.setattr(module, "ROOT", str(root))
    monkeypatch.setattr(module, "VENV", str(root / ".venv"))
    return module


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("spark_bootstrap", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_parses_on_python_3_6() -> None:
    """The text is valid for Python 3.6, so an old interpreter never answers with a syntax error."""
    source = SCRIPT.read_text("utf-8")
    ast.parse(source, feature_version=(3, 6))
    assert "from __future__" not in source


def test_only_the_standard_library() -> None:
    """Nothing but the standard library is imported."""
    tree = ast.parse(SCRIPT.read_text("utf-8"))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("platform", "programs", "line"),
    [
        ("linux", {"python3.12", "uv", "apt-get"}, "python3.12 install/bootstrap.py run X"),
        ("linux", {"uv", "apt-get"}, "uv run --no-project --python 3.12 install/bootstrap.py run X"),
        ("linux", {"apt-get"}, "sudo apt-get install python3.11 python3.11-venv"),
        ("darwin", set(), "brew install python@3.12"),
        ("win32", set(), "winget install Python.Python.3.12"),
        ("linux", set(), "install Python 3.11 or newer"),
    ],
)
def test_the_line_that_mends_an_old_python(bootstrap: Any, platform: str, programs: set[str], line: str) -> None:
    """An interpreter that is too old names one line that fits this platform and what is on it."""
    text = bootstrap.old_python_advice((3, 8, 10), platform, programs.__contains__, "run X")
    assert "this is 3.8.10" in text
    assert text.splitlines()[1].strip().startswith(line)
    assert len(text.splitlines()) == 2


def test_an_old_python_ends_before_anything_happens() -> None:
    """Run under an old version the script only prints that line, with status 2."""
    code = (
        "import runpy, sys\n"
        "sys.version_info = (3, 8, 10, 'final', 0)\n"
        f"sys.argv = [{str(SCRIPT)!r}, 'run']\n"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "needs Python 3.11 or newer, this is 3.8.10" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["run", "no such folder"], ["uninstall", "x"]])
def test_wrong_usage(arguments: list[str]) -> None:
    """What it cannot take is status 2, and nothing is made."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr


def test_a_stamp_holds_for_lock_place_and_python(bootstrap: Any) -> None:
    """An environment is whole only for the locks, the folder and the Python that it was made with."""
    stamp = bootstrap.wanted_stamp(["b", "a"], "/clone", (3, 11, 7))
    assert bootstrap.is_whole(stamp, "a", "/clone", (3, 11, 9))
    assert not bootstrap.is_whole(stamp, "c", "/clone", (3, 11, 7))
    assert not bootstrap.is_whole(stamp, "a", "/moved", (3, 11, 7))
    assert not bootstrap.is_whole(stamp, "a", "/clone", (3, 12, 0))
    broken_stamps: list[object] = [None, {}, [], {"locks": "a"}]
    for broken in broken_stamps:
        assert not bootstrap.is_whole(broken, "a", "/clone", (3, 11, 7))


def test_the_stamp_survives_a_round_trip(bootstrap: Any, tmp_path: Path) -> None:
    """What is written is read again; half a stamp counts as none."""
    stamp = bootstrap.wanted_stamp(["a"], "/clone", (3, 11))
    bootstrap.write_stamp(str(tmp_path), stamp)
    assert bootstrap.read_stamp(str(tmp_path)) == stamp
    (tmp_path / bootstrap.STAMP).write_text('{"locks": [', encoding="utf-8")
    assert bootstrap.read_stamp(str(tmp_path)) is None


def test_a_foreign_environment_is_never_touched(bootstrap: Any) -> None:
    """A `.venv` that somebody else made is neither used nor removed."""
    venv = Path(bootstrap.VENV)
    venv.mkdir()
    (venv / "mine").write_text("mine", encoding="utf-8")
    with pytest.raises(bootstrap.Problem, match="not made by this script"):
        bootstrap.make_environment("requirements.lock")
    with pytest.raises(bootstrap.Problem, match="not made by this script"):
        bootstrap.uninstall([])
    assert (venv / "mine").is_file()


def test_an_interrupted_environment_is_made_anew(bootstrap: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a stamp the environment is made from the start; with a whole one nothing is done; an old lock is installed over."""
    done: list[str] = []

    def installs(python: str, lock: str) -> None:
        done.append(f"packages of {Path(lock).name}")

    monkeypatch.setattr(bootstrap, "install_packages", installs)
    monkeypatch.setattr(bootstrap, "install_spark", lambda python: done.append("spark"))
    venv = Path(bootstrap.VENV)
    venv.mkdir()
    (venv / bootstrap.MARK).write_text("", encoding="utf-8")
    (venv / "half-installed").write_text("", encoding="utf-8")

    python = bootstrap.make_environment("requirements.lock")
    assert not (venv / "half-installed").exists()
    assert bootstrap.works(python)
    assert done == ["packages of requirements.lock", "spark"]

    bootstrap.make_environment("requirements.lock")
    assert len(done) == 2, "a whole environment is left as it is"

    bootstrap.make_environment("requirements-dev.lock")
    bootstrap.make_environment("requirements.lock")
    assert done[2:] == ["packages of requirements-dev.lock", "spark"], "the test lock holds the other one"

    (Path(bootstrap.ROOT) / "requirements.lock").write_text("# newer\n", encoding="utf-8")
    bootstrap.make_environment("requirements.lock")
    assert done[4:] == ["packages of requirements.lock", "spark"]

    monkeypatch.setattr(bootstrap, "install_packages", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    (Path(bootstrap.ROOT) / "requirements.lock").write_text("# newest\n", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        bootstrap.make_environment("requirements.lock")
    assert bootstrap.read_stamp(bootstrap.VENV) is None, "what was interrupted is not whole"

    assert bootstrap.uninstall([]) == 0
    assert not venv.exists()


def test_the_launcher_runs_from_a_path_with_umlauts(bootstrap: Any, tmp_path: Path) -> None:
    """The command `spark` works from such a path, passes every argument on, and imports nothing from the current folder."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bootstrap.VENV], check=True, timeout=100)
    package = Path(bootstrap.ROOT) / "daemon" / "spark"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "__main__.py").write_text("import json, sys\nprint(json.dumps(sys.argv[1:]))\n", encoding="utf-8")
    (tmp_path / "json.py").write_text("raise SystemExit('imported from here')", encoding="utf-8")
    bootstrap.install_spark(bootstrap.venv_python(bootstrap.VENV))
    path, _ = bootstrap.launcher(bootstrap.VENV, sys.platform)
    arguments = ["ask", 'a "prompt" with $HOME', "it's", ""]
    done = subprocess.run([path, *arguments], cwd=tmp_path, capture_output=True, timeout=60, check=True)
    assert json.loads(done.stdout) == arguments


def test_children_stay_in_the_environment(bootstrap: Any) -> None:
    """What would lead pip or Python out of the environment is taken out; proxies and pip's other settings stay."""
    given = {
        "PYTHONPATH": "x",
        "PYTHONHOME": "y",
        "PIP_USER": "1",
        "PIP_TARGET": "z",
        "HTTPS_PROXY": "p",
        "PIP_CERT": "c",
    }
    kept = bootstrap.child_environment(given)
    assert kept == {"HTTPS_PROXY": "p", "PIP_CERT": "c", "PIP_USER": "0"}


def test_missing_programs_name_their_packages(bootstrap: Any) -> None:
    """What tests need and do not find is named by package."""
    assert bootstrap.missing_programs(bootstrap.TEST_PROGRAMS, {"git": "/usr/bin/git"}.get) == ["strace", "acl", "attr"]


def test_how_spark_is_called(bootstrap: Any) -> None:
    """`run` ends with the whole path and the activation, quoted for paths with spaces."""
    text = bootstrap.how_to_call("/a b/.venv", "linux")
    assert '"/a b/.venv/bin/spark" --help' in text
    assert '. "/a b/.venv/bin/activate"' in text
    assert "activate.bat" in bootstrap.how_to_call("C:\\a b\\.venv", "win32")


def test_ci_calls_exactly_the_readmes_command() -> None:
    """`.ci/run` is executable and calls the test command of the README and nothing else."""
    script = REPOSITORY / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = [
        line for line in script.read_text("utf-8").splitlines() if line and not line.startswith(("#", "set ", "cd "))
    ]
    assert lines == ["export SPARK_REQUIRE_ALL=1", "exec python3 install/bootstrap.py test"]


@pytest.fixture
def installed(bootstrap: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment whose interpreter notes its arguments in the file that is returned, and a history."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(bootstrap.sys, "platform", "linux")
    (tmp_path / "data" / "spark" / "checkouts" / "a").mkdir(parents=True)
    python = Path(bootstrap.venv_python(bootstrap.VENV))
    python.parent.mkdir(parents=True)
    (Path(bootstrap.VENV) / bootstrap.MARK).write_text("", encoding="utf-8")
    noted = tmp_path / "noted"
    version = "{}.{}".format(*sys.version_info[:2])
    python.write_text(
        f'#!/bin/sh\nif [ "$1" = -c ]; then printf {version}; exit; fi\necho "$@" >> "{noted}"\n'
        f'test ! -e "{noted}.fails" || exit 4\n',
        encoding="utf-8",
    )
    python.chmod(0o755)
    return noted


def test_uninstall_says_that_histories_stay(
    bootstrap: Any, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The environment goes; before that SPARK names what stays, and how to remove that too is said."""
    assert bootstrap.uninstall([]) == 0
    assert installed.read_text("utf-8") == "-P -m spark uninstall\n"
    assert not Path(bootstrap.VENV).exists()
    said = capsys.readouterr().out
    assert "uninstall --purge" in said
    assert str(installed.with_name("data") / "spark" / "checkouts") in said
    assert "spark-demo/" in said
    assert said.index("histories") < said.index("removed")


def test_uninstall_purge_removes_the_histories_first(bootstrap: Any, installed: Path) -> None:
    """`--purge` is done by SPARK while it is there; where that is refused nothing is removed, without it the folder is named."""
    refuses = installed.with_name("noted.fails")
    refuses.touch()
    with pytest.raises(bootstrap.Problem) as refused:
        bootstrap.uninstall(["--purge"])
    assert refused.value.status == 4
    assert Path(bootstrap.VENV).exists()
    refuses.unlink()
    assert bootstrap.uninstall(["--purge"]) == 0
    assert installed.read_text("utf-8") == "-P -m spark uninstall --purge --yes\n" * 2
    assert not Path(bootstrap.VENV).exists()
    with pytest.raises(bootstrap.Problem, match="checkouts"):
        bootstrap.uninstall(["--purge"])


def test_histories_lie_where_the_installed_spark_puts_them(bootstrap: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that is named without an environment is the one that the package uses."""
    from spark.adapters.data_folders import checkouts_folder

    for value in ("/somewhere/data", ""):
        monkeypatch.setenv("XDG_DATA_HOME", value)
        assert bootstrap.histories_folder(sys.platform, os.environ) == str(checkouts_folder())
