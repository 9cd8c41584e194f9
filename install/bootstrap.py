#!/usr/bin/env python3
"""Sets SPARK up in this clone: an environment in `.venv`, then the main job (`run`) or every test (`test`).

Standard library only. The text parses on Python 3.6, so that an old interpreter gets a line that mends it instead of a
syntax error; everything else needs 3.11. Safe to run again at any time: what is there and whole is left as it is, what
was interrupted is made anew. pip is used as the user has configured it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys

NEEDED = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
MARK = "made-by-spark-bootstrap"
STAMP = "spark-installed.json"
RUN_LOCK = "requirements.lock"
TEST_LOCK = "requirements-dev.lock"
# Programs that tests use as oracles, and the package that brings each.
TEST_PROGRAMS = (("git", "git"), ("strace", "strace"), ("setfacl", "acl"), ("setfattr", "attr"))
USAGE = """usage: python3 install/bootstrap.py COMMAND

  run [PROJECT] [PROMPT ...]   make the environment and do the main job; with PROJECT: there, with your prompts only
  test [PYTEST ARGUMENT ...]   make the environment and run every check and test
  uninstall [--purge]          remove the environment again; with --purge the histories of all projects too
"""


class Problem(Exception):
    """Something that the user has to mend; the text says how. `status` is the exit status."""

    def __init__(self, text, status=1):
        Exception.__init__(self, text)
        self.status = status


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


# --- Python itself


def old_python_advice(version, platform, which, command):
    """The one line that mends a Python that is too old. `which` finds a program, as `shutil.which`."""
    for minor in range(19, NEEDED[1] - 1, -1):
        name = "python3.{}".format(minor)
        if which(name):
            line = "{} install/bootstrap.py {}".format(name, command)
            break
    else:
        if which("uv"):
            line = "uv run --no-project --python 3.12 install/bootstrap.py {}".format(command)
        elif platform == "win32":
            line = "winget install Python.Python.3.12"
        elif platform == "darwin":
            line = "brew install python@3.12"
        elif which("apt-get"):
            line = "sudo apt-get install python3.11 python3.11-venv"
        else:
            line = "install Python 3.11 or newer with your system's package manager"
    found = ".".join(str(part) for part in version[:3])
    return "SPARK needs Python 3.11 or newer, this is {}. This line mends it:\n  {}".format(found, line.rstrip())


def venv_advice(platform, version):
    """The line that brings the module `venv` where the system left it out of Python."""
    if platform.startswith("linux"):
        return "sudo apt-get install python{}.{}-venv".format(version[0], version[1])
    return "install Python anew from your package manager; its module `ensurepip` is missing"


# --- the environment


def venv_python(venv, platform=sys.platform):
    if platform == "win32":
        return os.path.join(venv, "Scripts", "python.exe")
    return os.path.join(venv, "bin", "python")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def wanted_stamp(locks, root, version):
    """What the stamp of a whole environment says: which locks are in it, for which place and which Python."""
    return {"locks": sorted(locks), "root": root, "python": list(version[:2])}


def is_whole(stamp, lock, root, version):
    """Whether an environment with this stamp has everything of one lock. `stamp` None: there is none."""
    if not isinstance(stamp, dict) or not isinstance(stamp.get("locks"), list):
        return False
    return lock in stamp["locks"] and stamp == wanted_stamp(stamp["locks"], root, version)


def read_stamp(venv):
    try:
        with open(os.path.join(venv, STAMP), encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def write_stamp(venv, stamp):
    path = os.path.join(venv, STAMP)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(stamp, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def child_environment(environ):
    """The user's environment without what would lead a child out of the virtual environment."""
    dropped = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "__PYVENV_LAUNCHER__")
    kept = {name: value for name, value in environ.items() if name not in dropped}
    # Also against `user = true` in the user's pip configuration.
    kept["PIP_USER"] = "0"
    return kept


def works(python):
    if not os.path.exists(python):
        return False
    command = [python, "-c", "import pip, sys; sys.stdout.write('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=child_environment(os.environ))
    return done.returncode == 0 and done.stdout.decode() == "{}.{}".format(*sys.version_info[:2])


def make_environment(lock_name):
    """`.venv` with everything of a lock file in it, and SPARK itself. Returns its interpreter."""
    lock = os.path.join(ROOT, lock_name)
    locks = [digest(lock)]
    if lock_name == TEST_LOCK:
        # The test lock holds every pin of the other one.
        locks.append(digest(os.path.join(ROOT, RUN_LOCK)))
    python = venv_python(VENV)
    stamp = read_stamp(VENV)
    if is_whole(stamp, locks[0], ROOT, sys.version_info) and works(python):
        say("environment: {} is whole".format(VENV))
        return python
    make_venv(python, fresh=stamp is None)
    # From here to the new stamp an interruption leaves an environment without one, which is made anew.
    if stamp is not None:
        os.remove(os.path.join(VENV, STAMP))
    install_packages(python, lock)
    install_spark(python)
    write_stamp(VENV, wanted_stamp(locks, ROOT, sys.version_info))
    return python


def make_venv(python, fresh):
    mark = os.path.join(VENV, MARK)
    if os.path.lexists(VENV) and not os.path.exists(mark):
        raise Problem("{} is there, but was not made by this script. Move it away, then run this again.".format(VENV))
    if not fresh and works(python):
        return
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        line = venv_advice(sys.platform, sys.version_info)
        raise Problem("This Python comes without `venv`. This line mends it:\n  " + line) from error
    say("environment: making {}".format(VENV))
    if os.path.lexists(VENV):
        shutil.rmtree(VENV)
    os.mkdir(VENV)
    with open(mark, "w", encoding="utf-8") as file:
        file.write("This folder was made by install/bootstrap.py and may be removed by it.\n")
    done = subprocess.run([sys.executable, "-m", "venv", VENV], env=child_environment(os.environ))
    if done.returncode or not works(python):
        raise Problem("the environment could not be made; the lines above say why")


def install_packages(python, lock):
    total = count_pins(lock)
    say("environment: installing {} packages".format(total))
    command = [python, "-m", "pip", "install", "--require-hashes", "--no-deps", "--prefer-binary"]
    command += ["--no-input", "--disable-pip-version-check", "--progress-bar", "off", "-r", lock]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=child_environment(os.environ), cwd=ROOT
    )
    seen, lines = 0, []
    for raw in process.stdout:
        line = raw.decode("utf-8", "replace").rstrip()
        lines.append(line)
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            seen += 1
            name = line.split(": ", 1)[-1].replace("Collecting ", "").split(" ")[0]
            show_progress("  {}/{} {}".format(min(seen, total), total, name), seen)
        elif line.startswith("Installing collected packages"):
            show_progress("  unpacking")
    show_progress("")
    if process.wait():
        raise Problem("pip could not install the packages:\n" + "\n".join("  " + line for line in lines[-20:]))


def show_progress(text, number=0):
    """On a terminal one line that changes, empty at the end; elsewhere a line now and then."""
    if sys.stdout.isatty():
        sys.stdout.write("\r\033[K" + text[:78])
        sys.stdout.flush()
    elif text and number % 20 == 0:
        say(text)


def count_pins(lock):
    with open(lock, encoding="utf-8") as file:
        return sum("==" in line.split("#")[0] and not line.startswith(" ") for line in file)


def install_spark(python):
    """Makes `import spark` and the command `spark` work from this clone, without building anything."""
    ask = "import sysconfig, sys; sys.stdout.buffer.write(sysconfig.get_path('purelib').encode('utf-8'))"
    done = subprocess.run([python, "-c", ask], stdout=subprocess.PIPE, env=child_environment(os.environ), check=True)
    site = done.stdout.decode("utf-8")
    # Relative, so that no letter of the clone's own path has to be encoded.
    with open(os.path.join(site, "spark-unity.pth"), "w", encoding="ascii") as file:
        file.write(os.path.relpath(os.path.join(ROOT, "daemon"), site).replace(os.sep, "/") + "\n")
    path, text = launcher(VENV, sys.platform)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    if sys.platform != "win32":
        os.chmod(path, 0o755)
    subprocess.run([python, "-P", "-m", "spark", "--version"], env=child_environment(os.environ), check=True)


def launcher(venv, platform):
    """Path and text of the command `spark`. -P: the current folder is no place to import modules from."""
    if platform == "win32":
        return os.path.join(venv, "Scripts", "spark.cmd"), '@"%~dp0python.exe" -P -m spark %*\r\n'
    python = venv_python(venv, platform).replace("'", "'\\''")
    return os.path.join(venv, "bin", "spark"), "#!/bin/sh\nexec '{}' -P -m spark \"$@\"\n".format(python)


# --- the three commands


def run(arguments):
    if arguments and not os.path.isdir(os.path.expanduser(arguments[0])):
        raise Problem("{} is no folder; the first argument is your Unity project".format(arguments[0]), 2)
    python = make_environment(RUN_LOCK)
    command = [python, "-P", "-m", "spark", "demo"]
    if arguments:
        project = os.path.abspath(os.path.expanduser(arguments[0]))
        command += ["--project", project, "--", *arguments[1:]]
    done = subprocess.run(command, env=child_environment(os.environ))
    say(how_to_call(VENV, sys.platform))
    return done.returncode


def how_to_call(venv, platform):
    """The last lines of `run`: the whole path always works, the activation makes it one word."""
    path = launcher(venv, platform)[0]
    if platform == "win32":
        activate = '"{}"'.format(os.path.join(venv, "Scripts", "activate.bat"))
    else:
        activate = '. "{}"'.format(os.path.join(venv, "bin", "activate"))
    return '\nCall it with:\n  "{}" --help\nor, for this terminal, once:\n  {}\nand then:\n  spark --help'.format(
        path, activate
    )


def test(arguments):
    bring_programs()
    python = make_environment(TEST_LOCK)
    environment = child_environment(os.environ)
    scripts = os.path.dirname(python)
    environment["PATH"] = scripts + os.pathsep + environment.get("PATH", os.defpath)
    environment["VIRTUAL_ENV"] = VENV
    poe = [python, "-m", "poethepoet", "--executor", "simple", "-C", ROOT]
    lint = subprocess.run([*poe, "lint"], env=environment, cwd=ROOT).returncode
    tests = subprocess.run([*poe, "test", *arguments], env=environment, cwd=ROOT).returncode
    return tests or lint


def missing_programs(programs, which):
    """Packages whose program is not there."""
    return [package for program, package in programs if not which(program)]


def bring_programs():
    """Installs what tests need with the system's package manager where that is allowed, else names it."""
    if not sys.platform.startswith("linux"):
        return
    missing = missing_programs(TEST_PROGRAMS, shutil.which)
    if not missing:
        return
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") and (not prefix or shutil.which("sudo")):
        say("tests: installing {} with apt-get".format(", ".join(missing)))
        apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        for step in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *missing]):
            subprocess.run(apt + step, stdout=subprocess.DEVNULL)
    missing = missing_programs(TEST_PROGRAMS, shutil.which)
    if missing:
        raise Problem(
            "The tests need these packages: {0}. This line brings them:\n  sudo apt-get install {0}".format(
                " ".join(missing)
            )
        )


def uninstall(arguments):
    if arguments not in ([], ["--purge"]):
        raise Problem("uninstall takes no arguments but --purge", 2)
    if os.path.lexists(VENV) and not os.path.exists(os.path.join(VENV, MARK)):
        raise Problem("{} was not made by this script; it stays".format(VENV))
    ask_spark_to_uninstall(bool(arguments))
    if os.path.lexists(VENV):
        shutil.rmtree(VENV)
        say("removed {}".format(VENV))
    else:
        say("there is no {}".format(VENV))
    say("This clone stays: {}".format(ROOT))
    say("A sample project of `spark demo` stays where you ran it, in the folder spark-demo/; delete it by hand.")
    return 0


def ask_spark_to_uninstall(purge):
    """Names what lies on this machine, or removes the histories; the environment must still be there for it."""
    folder = histories_folder(sys.platform, os.environ)
    python = venv_python(VENV)
    if not works(python):
        if purge and os.path.isdir(folder):
            raise Problem("There is no environment to do it with. Delete this folder yourself:\n  " + folder)
        return
    command = [python, "-P", "-m", "spark", "uninstall"] + (["--purge", "--yes"] if purge else [])
    status = subprocess.run(command, env=child_environment(os.environ)).returncode
    if purge and status:
        raise Problem("the histories were not removed, so the environment stays", status)
    if not purge and os.path.isdir(folder):
        say("The histories of your projects stay, in {}. To remove them as well, delete that folder,".format(folder))
        say("or, while the environment is there: python3 install/bootstrap.py uninstall --purge")


def histories_folder(platform, environ):
    """Where the histories lie, as the installed SPARK has it; said where that is gone."""
    if platform == "win32":
        data = environ.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
    elif platform == "darwin":
        data = os.path.expanduser("~/Library/Application Support")
    else:
        data = environ.get("XDG_DATA_HOME", "").strip() or os.path.expanduser("~/.local/share")
    return os.path.join(data, "spark", "checkouts")


def main(arguments):
    commands = {"run": run, "test": test, "uninstall": uninstall}
    if sys.version_info < NEEDED:
        sys.stderr.write(old_python_advice(sys.version_info, sys.platform, shutil.which, " ".join(arguments)) + "\n")
        return 2
    if not arguments or arguments[0] not in commands:
        wants_help = arguments[:1] in (["-h"], ["--help"])
        (sys.stdout if wants_help else sys.stderr).write(USAGE)
        return 0 if wants_help else 2
    try:
        return commands[arguments[0]](arguments[1:])
    except Problem as problem:
        sys.stderr.write("bootstrap: {}\n".format(problem))
        return problem.status
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
