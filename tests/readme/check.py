"""Checks README.md and docs/ against the binary. See `run` beside this file.

A comment before a fenced block, which readers don't see, says what becomes of it:
  <!-- start -->       starts the demo, which runs until the end
  <!-- run -->         is run; `<!-- run exit 1 -->` if it says no
  <!-- grpc -->        a grpcurl command
  <!-- output -->      what the block before it prints; "…" in JSON stands for any value
  <!-- settings -->    becomes idbridge.toml; in it the demo's org stands for the one that is named
Every `sh` block of README.md has one, but for those in NOT_RUN. Elsewhere blocks without one aren't run.
"""

import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading

import grpc_by_hand

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCUMENTS = [README, *sorted((ROOT / "docs").rglob("*.md")), ROOT / "src/auth0/README.md"]

# What is named and not run, and why.
NOT_RUN = {"tests/run": "it runs this check"}

# What a block of settings that is no whole file is checked with.
BASE = """
[callers.base]
key_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
allow = ["authenticate", "get_user_by_email"]
[sources.base]
kind = "memory"
"""

FENCE = re.compile(r"(?:^<!-- (?P<mark>[^>]*) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)

results = []


def check(name, problem):
    """Notes one result: `problem` is empty if all is well."""
    results.append(not problem)
    print(f"ok    {name}" if not problem else f"FAIL  {name}: {problem}", flush=True)


def blocks(path):
    """The fenced blocks of a document: where, mark, kind, text."""
    document = path.read_text()
    for match in FENCE.finditer(document):
        line = document.count("\n", 0, match.start("kind")) + 1
        yield f"{path.relative_to(ROOT)}:{line}", match["mark"] or "", match["kind"], match["text"]


class Demo:
    """The demo, from its start until it is told to stop."""

    def __init__(self, command, folder, environment):
        self.process = subprocess.Popen(
            ["bash", "-c", command], cwd=folder, env=environment, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.lines = []
        self.ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        self.errors = []
        threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            if "Ctrl-C stops it." in line:
                self.ready.set()
        self.ready.set()

    def problem(self):
        self.ready.wait(60)
        if any("Ctrl-C stops it." in line for line in self.lines):
            return ""
        return "it didn't start: " + "".join(self.errors[-3:]).strip()

    def stop(self):
        """How it ended, if not well."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            status = self.process.wait(40)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return "it didn't stop"
        return "" if status == 0 else f"exit code {status}"


def shims(folder, binary):
    """`idbridge`, and a `cargo` that runs it instead of building a release."""
    folder.mkdir()
    (folder / "idbridge").symlink_to(binary)
    cargo = folder / "cargo"
    cargo.write_text(
        '#!/bin/sh\n[ "$1 $2 $3" = "run --release --" ] || { echo "cargo $*: not known here" >&2; exit 9; }\n'
        'shift 3\nexec idbridge "$@"\n'
    )
    cargo.chmod(0o755)


def same(expected, found):
    """Whether an answer is the promised one; "…" stands for anything."""
    if expected == "…":
        return True
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(same(expected[key], found[key]) for key in expected)
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(same, expected, found))
    return type(expected) is type(found) and expected == found


def compare(kind, expected, found):
    if kind != "json":
        return "" if expected.strip() == found.strip() else f"printed {found.strip()!r}"
    try:
        answer = json.loads(found)
    except ValueError:
        return f"printed no JSON: {found.strip()[:200]!r}"
    return "" if same(json.loads(expected), answer) else f"printed {json.dumps(answer, ensure_ascii=False)}"


def run(command, mark, folder, environment):
    """What it printed, and what is wrong with how it ended."""
    wanted = int(mark.removeprefix("run").removeprefix(" exit") or 0)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment, timeout=60,
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    problem = "" if done.returncode == wanted else f"exit code {done.returncode}: {done.stderr.strip()[-300:]}"
    return done.stdout, problem


def check_commands(binary):
    """Follows README.md, and then the other documents while its demo still runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IDBRIDGE_")}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        shims(folder / "bin", binary)
        (folder / "examples").symlink_to(ROOT / "examples")
        environment["PATH"] = f"{folder / 'bin'}:{environment['PATH']}"
        demos = []
        try:
            for path in DOCUMENTS:
                follow(path, folder, environment, demos)
            check_export(folder / "tenant")
        finally:
            for demo in demos:
                check("the demo stops", demo.stop())


def follow(path, folder, environment, demos):
    """Does what the marked blocks of one document say."""
    printed = None
    for where, mark, kind, text in blocks(path):
        command = text.strip()
        if mark == "output":
            missing = printed is None and "there is no command before it"
            check(f"{where} output", missing or compare(kind, text, printed))
            printed = None
        elif mark == "start":
            demos.append(Demo(command, folder, environment))
            check(f"{where} {command}", demos[-1].problem())
        elif mark == "settings":
            (folder / "idbridge.toml").write_text(text)
            environment = {**environment, **demo_org(folder)}
        elif mark.split(" ")[0] == "run":
            printed, problem = run(command, mark, folder, environment)
            check(f"{where} {command.splitlines()[0]}", problem)
        elif mark == "grpc":
            printed, problem = grpc_by_hand.call(shlex.split(command.replace("\\\n", "")), ROOT / "proto", folder)
            check(f"{where} {command.splitlines()[0]}", problem)
        elif mark:
            # Documents have marks of other tools, too.
            check(f"{where}", path == README and f"there is no mark {mark!r}")
        elif kind == "sh" and path == README:
            there = command in NOT_RUN and os.access(ROOT / command, os.X_OK)
            check(f"{where} {command} (not run: {NOT_RUN.get(command)})", not there and "is no such script")


def demo_org(folder):
    """What makes settings for some org in Okta settings for the demo's."""
    demo = (ROOT / "plugins/okta/simulator/src/demo.rs").read_text()
    constant = lambda name: re.search(rf'pub const {name}: &str = "([^"]+)";', demo)[1]
    (folder / "token").write_text(constant("TOKEN"))
    settings = {"ORG_URL": "http://127.0.0.1:9091", "API_TOKEN_FILE": str(folder / "token"), "CANARY": constant("CANARY")}
    return {f"IDBRIDGE_SOURCES__OKTA__SETTINGS__{key}": value for key, value in settings.items()}


def check_export(folder):
    written = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    promised = [f"database-connections/legacy-users/{name}" for name in ("README.md", "database.json", "get_user.js", "login.js")]
    for action in ("metadata", "password-expired", "roles", "second-factor"):
        promised += [f"actions/idbridge-legacy-users-{action}{end}" for end in (".json", "/README.md", "/code.js")]
    promised = sorted([*promised, "terraform/README.md", "terraform/main.tf", "triggers/triggers.json"])
    check("the exported files", written != promised and f"there are {written}")


def check_settings(binary):
    for path in DOCUMENTS:
        for where, _, kind, text in blocks(path):
            if kind != "toml":
                continue
            whole = "[callers." in text and "[sources." in text
            with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
                file.write(text if whole else BASE + text)
                file.flush()
                command = [binary, "check", "--no-secrets", "--config", file.name]
                done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            check(f"{where} settings", done.returncode != 0 and done.stdout.strip())


def check_help(binary):
    """The README's table has every command of the help, and its exit codes."""
    text = subprocess.run([binary, "--help"], capture_output=True, text=True, timeout=60).stdout
    readme = README.read_text()
    commands = re.findall(r"^  ([a-z0-9]+)  ", text.split("Commands:")[1].split("Options:")[0], re.MULTILINE)
    missing = [name for name in commands if name != "help" and f"`idbridge {name}" not in readme]
    check("the README has every command", missing and f"not {', '.join(missing)}")
    codes = next((line for line in text.splitlines() if line.startswith("Exit codes:")), "no exit codes in the help")
    check("the README has the exit codes", codes not in readme and f"the help says: {codes}")


def check_names():
    """Links lead somewhere, what looks like a path of ours is one, and "`name` in `file`" is there."""
    for path in DOCUMENTS:
        text = FENCE.sub("", path.read_text())
        links = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
        gone = [target for target in links if target and not (path.parent / target).exists()]
        own = r"`((?:src|plugins|docs|tests|proto|examples)/[\w./-]*)`"
        gone += [name for name in re.findall(own, text) if not (ROOT / name).exists()]
        for name, file in re.findall(r"`([\w:]+)`\s+(?:in|of)\s+`([\w./-]+\.(?:rs|js))`", text):
            source = (ROOT / file).read_text() if (ROOT / file).exists() else ""
            if not all(re.search(rf"\b{part}\b", source) for part in name.split("::")):
                gone.append(f"{name} in {file}")
        check(f"{path.relative_to(ROOT)} names what is there", gone and f"not {', '.join(gone)}")


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    check_commands(binary)
    check_settings(binary)
    check_help(binary)
    check_names()
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    sys.exit(0 if all(results) else 1)


main()
