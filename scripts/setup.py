"""Sets up everything a fresh clone needs; safe to run again and again.

Room: set-up. Runs on any Python >= 3.8 with nothing installed, so it uses the standard library alone and
knows nothing of `bot/`. Each step leaves a stamp (a hash of what it was made from) in the state folder and is
skipped while that hash stands. Every failure ends in one plain sentence that says what to do.

    python3 scripts/setup.py run      what `make run` needs: both environments, widget, spaCy folder, model
    python3 scripts/setup.py test     the same, with the test tools and a browser
    python3 scripts/setup.py lint     the app environment with the lint tools
    python3 scripts/setup.py transformer   the engine's environment for config.transformer.yml (docs/nl/transformer.md)
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = Path(os.environ.get("ADEMRUIMTE_STATE_DIR", str(ROOT / ".ademruimte"))).resolve()
APP_PYTHONS = ("3.11", "3.12", "3.13")
ENGINE_PYTHONS = ("3.10",)
NODE = (20, 19)  # what Vite needs


class SetupError(Exception):
    """Something is missing; the message says in one sentence what to do about it."""


def say(text: str) -> None:
    """Print one line of progress at once."""
    print("  " + text, flush=True)


def run(command: list[str], failure: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command; on failure show its last lines and raise SetupError(failure)."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as error:
        raise SetupError(f"{failure} ({error})") from error
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise SetupError(f"{failure}\n\nThe last lines it printed:\n{tail}")


def digest(*paths: Path) -> str:
    """One hash over files and folders (names and bytes), whatever their order on disk."""
    whole = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if "node_modules" not in file.parts and "__pycache__" not in file.parts:
                whole.update(str(file.relative_to(ROOT)).encode())
                whole.update(file.read_bytes())
    return whole.hexdigest()


def stamp(name: str) -> Path:
    """Where a step's stamp is kept."""
    return STATE / "stamps" / name


def stamps_of(name: str) -> dict[str, str]:
    """What a step was last made from; nothing when it never finished."""
    try:
        read = json.loads(stamp(name).read_text())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def write_stamp(name: str, value: dict[str, str]) -> None:
    """Record that a step finished, in one rename so that a cut-off run leaves no half stamp."""
    stamp(name).parent.mkdir(parents=True, exist_ok=True)
    fresh = stamp(name).with_suffix(".new")
    fresh.write_text(json.dumps(value))
    fresh.replace(stamp(name))


def version_of(python: str) -> str:
    """'3.11' for an interpreter that starts; '' for a shim or a path that does not."""
    try:
        done = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def find_python(wanted: tuple[str, ...], what_for: str) -> str:
    """An interpreter of one of the wanted versions: from PATH, then pyenv, then uv (which may fetch one)."""
    pyenv = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv"))) / "versions"
    for version in wanted:
        candidates = ["python" + version, "python3", "python"]
        candidates += sorted((str(p) for p in pyenv.glob(version + ".*/bin/python")), reverse=True)
        for candidate in candidates:
            if version_of(candidate) == version:
                return shutil.which(candidate) or candidate
    uv = find_uv()
    for version in wanted:
        found = subprocess.run(
            [uv, "python", "find", version],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        if found.returncode == 0 and version_of(found.stdout.strip()) == version:
            return found.stdout.strip()
    say(f"Python {wanted[0]} was not found; asking uv for it")
    try:
        run([uv, "python", "install", wanted[0]], "")
        found = subprocess.run(
            [uv, "python", "find", wanted[0]], stdout=subprocess.PIPE, text=True, check=False
        )
        if version_of(found.stdout.strip()) == wanted[0]:
            return found.stdout.strip()
    except SetupError:
        pass  # the sentence below says what a person can do
    raise SetupError(
        f"Python {' or '.join(wanted)} is needed for {what_for} and was not found on PATH, with pyenv or with uv: "
        "install it and run this again."
    )


def find_uv() -> str:
    """The uv installer: the one on PATH, else one from PyPI in the state folder."""
    on_path = shutil.which("uv")
    if on_path:
        return on_path
    tools = STATE / "tools"
    own, lock = tools / "bin" / "uv", ROOT / "requirements" / "tools.txt"
    if not own.exists():
        say("fetching the uv installer")
        run(
            [sys.executable, "-m", "venv", "--clear", str(tools)],
            "Python's venv module does not work: install python3-venv.",
        )
        run(
            [
                str(tools / "bin" / "python"),
                "-m",
                "pip",
                "install",
                "-q",
                "--require-hashes",
                "-r",
                str(lock),
            ],
            "Could not fetch uv from PyPI: check the network connection (or install uv) and run this again.",
        )
    return str(own)


def environment(
    name: str, pythons: tuple[str, ...], what_for: str, lock: str, also: tuple[str, ...] = ()
) -> None:
    """Make the virtual environment `name` from a hash-pinned lock.

    `also` names larger locks that contain this one: where one of them is installed, nothing is done.
    """
    locks = {file: digest(ROOT / "requirements" / file) for file in (lock, *also)}
    have = stamps_of(name)
    python = STATE / name / "bin" / "python"
    if have.get(lock) == locks[lock] and python.exists():
        return
    started = time.monotonic()
    say("{} environment: finding Python {}".format(name, " or ".join(pythons)))
    interpreter = find_python(pythons, what_for)
    say(f"{name} environment: installing requirements/{lock} (half a minute to a few minutes the first time)")
    uv = find_uv()
    if version_of(str(python)) not in pythons:
        run(
            [uv, "venv", "-q", "--clear", "--python", interpreter, str(STATE / name)],
            "Could not make %s." % (STATE / name),
        )
    run(
        [
            uv,
            "pip",
            "sync",
            "-q",
            "--require-hashes",
            "--compile-bytecode",
            "--python",
            str(python),
            str(ROOT / "requirements" / lock),
        ],
        f"Could not install requirements/{lock}: check the network connection and run this again.",
        env={"UV_LINK_MODE": "copy"},
    )
    site = next((STATE / name / "lib").glob("python*/site-packages"))
    (site / "ademruimte.pth").write_text(str(ROOT) + "\n")  # `import bot` from anywhere, without packaging it
    if name == "app":
        command = STATE / name / "bin" / "bot"
        command.write_text(f"#!{python}\nfrom bot.cli import main\n\nraise SystemExit(main())\n")
        command.chmod(0o755)
    installed = {lock: locks[lock]}
    if lock == "dev.txt":
        installed["app.txt"] = digest(ROOT / "requirements" / "app.txt")  # dev.txt contains app.txt
    if lock == "transformer.txt":
        installed["engine.txt"] = digest(ROOT / "requirements" / "engine.txt")  # it contains that one
    write_stamp(name, installed)
    say(f"{name} environment: ready in {time.monotonic() - started:.0f} s")


def widget() -> None:
    """Build the web widget with Node and npm."""
    made_from = digest(
        ROOT / "web" / "src",
        ROOT / "resources" / "help_lines",
        *(p for p in sorted((ROOT / "web").iterdir()) if p.is_file()),
    )
    if stamps_of("web").get("web") == made_from and (STATE / "web" / "ademruimte-chat.js").exists():
        return
    node = shutil.which("node")
    found = ""
    if node:
        found = subprocess.run(
            [node, "--version"], stdout=subprocess.PIPE, text=True, check=False
        ).stdout.strip()
    version = re.match(r"v(\d+)\.(\d+)", found)
    if not version or (int(version[1]), int(version[2])) < NODE or not shutil.which("npm"):
        raise SetupError(
            f"Node.js {NODE[0]}.{NODE[1]} or newer with npm is needed for the widget: install it and run this again."
        )
    if (
        stamps_of("npm").get("lock") != digest(ROOT / "web" / "package-lock.json")
        or not (ROOT / "web" / "node_modules").exists()
    ):
        say("widget: installing what its build needs")
        run(
            ["npm", "ci", "--no-audit", "--no-fund"],
            "npm could not install the widget's packages: check the network connection and run this again.",
            cwd=ROOT / "web",
        )
        write_stamp("npm", {"lock": digest(ROOT / "web" / "package-lock.json")})
    say("widget: building")
    run(
        ["npm", "run", "build"],
        "The widget could not be built.",
        cwd=ROOT / "web",
        env={"ADEMRUIMTE_STATE_DIR": str(STATE)},
    )
    write_stamp("web", {"web": made_from})


def spacy_folder() -> None:
    """Build the folder with spaCy's Dutch tokeniser and look-up lemmas, for pipelines that want them."""
    made_from = digest(ROOT / "engine" / "spacy_nl.py", ROOT / "requirements" / "engine.txt")
    if stamps_of("spacy-nl").get("spacy-nl") == made_from and (STATE / "spacy-nl").exists():
        return
    say("spaCy: building the Dutch folder")
    run(
        [str(STATE / "engine" / "bin" / "python"), "-m", "engine.spacy_nl", str(STATE / "spacy-nl")],
        "The spaCy folder could not be built.",
    )
    write_stamp("spacy-nl", {"spacy-nl": made_from})


def learn(part: str, python: str, *command: str) -> None:
    """Train one part when what it is made from changed, which it knows itself; what it prints is shown."""
    done = subprocess.run(
        [str(STATE / python / "bin" / "python"), "-m", *command, "--if-changed"],
        cwd=ROOT,
        env={**os.environ, "ADEMRUIMTE_STATE_DIR": str(STATE)},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise SetupError(f"Training the {part} failed: the lines above say where.")


def browser() -> None:
    """Make sure that there is a Chromium for the browser tests and write its path into the state folder."""
    path = STATE / "chromium"
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

    def on_machine() -> str | None:
        asked = os.environ.get("CHROMIUM")
        return asked or next((found for found in map(shutil.which, names) if found), None)

    found = on_machine()
    if not found and shutil.which("apt-get"):
        say("browser: installing Debian's chromium")
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        try:
            run([*sudo, "apt-get", "update", "-qq"], "")
            run(
                [
                    *sudo,
                    "env",
                    "DEBIAN_FRONTEND=noninteractive",
                    "apt-get",
                    "install",
                    "-y",
                    "-qq",
                    "--no-install-recommends",
                    "chromium",
                    "fonts-dejavu-core",
                ],
                "",
            )
        except SetupError:
            say("browser: apt-get may not install here")
        found = on_machine()
    if not found:
        say("browser: fetching Playwright's own Chromium")
        run(
            [str(STATE / "app" / "bin" / "python"), "-m", "playwright", "install", "chromium"],
            "No browser for the tests: install chromium (or name one in CHROMIUM) and run this again.",
            env={"PLAYWRIGHT_BROWSERS_PATH": str(STATE / "browsers")},
        )
        found = next((str(p) for p in (STATE / "browsers").glob("chromium-*/chrome-*/chrome")), None)
    if not found:
        raise SetupError(
            "No browser for the tests: install chromium (or name one in CHROMIUM) and run this again."
        )
    path.write_text(found + "\n")


def main(arguments: list[str]) -> int:
    """Set up for one of the purposes in the module's docstring; exit code 1 and one sentence when it fails."""
    purpose = arguments[0] if len(arguments) == 1 else ""
    if purpose not in ("run", "test", "lint", "transformer"):
        print("usage: python3 scripts/setup.py run|test|lint|transformer", file=sys.stderr)
        return 2
    try:
        STATE.mkdir(parents=True, exist_ok=True)
        if purpose == "run":
            environment("app", APP_PYTHONS, "the app", "app.txt", also=("dev.txt",))
        elif purpose != "transformer":
            environment("app", APP_PYTHONS, "the app", "dev.txt")
        if purpose in ("test", "transformer"):
            environment("engine", ENGINE_PYTHONS, "Rasa with a transformer", "transformer.txt")
        if purpose == "lint":
            widget()  # its type check needs its packages
        if purpose in ("run", "test"):
            environment(
                "engine", ENGINE_PYTHONS, "Rasa (the engine)", "engine.txt", also=("transformer.txt",)
            )
            widget()
            spacy_folder()
            say("guard: training when its examples changed (about an hour on two cores, once)")
            model = str(STATE / "models" / "ademruimte.tar.gz")
            with ThreadPoolExecutor() as pool:  # neither keeps two cores busy by itself
                both = [
                    pool.submit(learn, "guard", "app", "bot", "train", "--only", "guard"),
                    pool.submit(learn, "model", "engine", "engine.train", "--out", model),
                ]
            for one in both:
                one.result()
        if purpose == "test":
            browser()
    except SetupError as error:
        print(f"\nademruimte: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
