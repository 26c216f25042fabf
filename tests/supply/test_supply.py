"""deny.toml and what is in `supply/`: that they hold, and that they can fail."""

import datetime
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import tempfile
import tomllib
import unittest

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = (ROOT / "deny.toml").read_text()


def load(name):
    loader = importlib.machinery.SourceFileLoader(name, str(ROOT / "supply" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


advisories = load("advisories")


def deny(rules=RULES, planted=None):
    """What cargo-deny says by these rules, and with this row for the only advisory: its exit code and its words."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        config, table = folder / "deny.toml", folder / "advisories.tsv"
        config.write_text(rules)
        if planted:
            table.write_text(advisories.written([planted], "2099-01-01"))
        advisories.database(folder / "dbs", table if planted else advisories.TABLE)
        command = ["cargo-deny", "--workspace", "--locked", "--offline", "--config", str(config), "check"]
        environment = os.environ | {"ADVISORY_DBS": str(folder / "dbs"), "CARGO_TERM_COLOR": "never"}
        told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
        return told.returncode, told.stdout + told.stderr


class Rules(unittest.TestCase):
    def test_nothing_is_against_them(self):
        code, said = deny()
        self.assertEqual(code, 0, said)
        self.assertIn("advisories ok, bans ok, licenses ok, sources ok", said)

    def test_a_planted_advisory_is_reported(self):
        row = dict(id="RUSTSEC-2099-0001", crate="tokio", date="2099-01-01", kind="", patched=">= 999.0.0", unaffected="")
        code, said = deny(planted=row)
        self.assertNotEqual(code, 0)
        self.assertIn("RUSTSEC-2099-0001", said)
        code, said = deny(planted=row | {"kind": "unmaintained", "patched": ""})
        self.assertNotEqual(code, 0)
        self.assertIn("RUSTSEC-2099-0001", said)
        code, said = deny(planted=row | {"patched": ">= 0.1.0"})
        self.assertEqual(code, 0, said)

    def test_a_banned_crate_is_reported(self):
        code, said = deny(RULES.replace("deny = [", 'deny = [\n{ crate = "tokio" },', 1))
        self.assertNotEqual(code, 0)
        self.assertRegex(said, r"crate 'tokio = [^']*' is explicitly banned")

    def test_a_licence_that_nobody_allowed_is_reported(self):
        code, said = deny(RULES.replace('    "Unicode-3.0",\n', ""))
        self.assertNotEqual(code, 0)
        self.assertIn("Unicode-3.0", said)

    def test_a_source_that_nobody_allowed_is_reported(self):
        code, said = deny(RULES.replace("[sources]", '[sources]\nallow-registry = ["https://example.com/index"]'))
        self.assertNotEqual(code, 0)
        self.assertIn("source-not-allowed", said)

    def test_every_exception_has_its_day_and_its_reason(self):
        for exception in tomllib.loads(RULES)["advisories"]["ignore"]:
            day, _, reason = exception["reason"].partition(": ")
            self.assertLessEqual(datetime.date.fromisoformat(day), datetime.date.today(), exception)
            self.assertTrue(reason, exception)


class Advisories(unittest.TestCase):
    def test_the_table_has_its_day_and_every_row_speaks_of_a_crate_of_the_lock(self):
        first = advisories.TABLE.read_text().splitlines()[0]
        datetime.date.fromisoformat(re.search(r"\d{4}-\d\d-\d\d", first)[0])
        names = {package["name"] for package in tomllib.loads(advisories.LOCK.read_text())["package"]}
        rows = advisories.rows()
        self.assertGreater(len(rows), 20)
        self.assertEqual(len({row["id"] for row in rows}), len(rows))
        for row in rows:
            self.assertRegex(row["id"], r"^RUSTSEC-\d{4}-\d{4}$")
            self.assertIn(row["crate"], names)
            self.assertTrue(row["patched"] or row["kind"], row)

    def test_it_is_renewed_from_a_clone(self):
        text = '```toml\n[advisory]\nid = "{}"\npackage = "{}"\ndate = "2026-01-02"\n{}[versions]\npatched = [">= 2.0", "^1.4"]\n```\n# T\n'
        with tempfile.TemporaryDirectory() as clone:
            for id, crate, more in [
                ("RUSTSEC-2026-9001", "tokio", ""),
                ("RUSTSEC-2026-9002", "no-crate-of-ours", ""),
                ("RUSTSEC-2026-9003", "h2", 'withdrawn = "2026-02-02"\n'),
            ]:
                path = pathlib.Path(clone) / "crates" / crate / f"{id}.md"
                path.parent.mkdir(parents=True)
                path.write_text(text.format(id, crate, more))
            found = advisories.of_clone(clone)
        self.assertEqual([row["id"] for row in found], ["RUSTSEC-2026-9001"])
        table = advisories.written(found, "2026-03-03")
        self.assertEqual(table.splitlines()[-1], "RUSTSEC-2026-9001\ttokio\t2026-01-02\t\t>= 2.0; ^1.4\t")


class BillOfMaterials(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = subprocess.run([ROOT / "supply/sbom"], check=True, capture_output=True, text=True).stdout
        cls.bom = json.loads(cls.text)

    def test_it_is_cyclonedx(self):
        self.assertIsNone(JsonStrictValidator(SchemaVersion.V1_6).validate_str(self.text))

    def test_it_names_every_crate_of_the_default_build_and_no_other(self):
        command = ["cargo", "build", "--locked", "--bin", "idbridge", "--message-format=json"]
        told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        built = set()
        for line in told.splitlines():
            message = json.loads(line)
            if message["reason"] == "compiler-artifact":
                # `registry+…#name@1.0.0`; the package's own has the version alone where its folder has its name.
                name = message["package_id"].rpartition("#")[2]
                built.add(name if "@" in name else f"idbridge@{name}")
        top = self.bom["metadata"]["component"]
        named = {f"{part['name']}@{part['version']}" for part in [top, *self.bom["components"]]}
        self.assertGreater(len(built), 100)
        self.assertEqual(built - named, set(), "built, and not named")
        self.assertEqual(named - built, set(), "named, and not built")

    def test_what_comes_from_elsewhere_has_its_checksum_and_licence(self):
        for part in self.bom["components"]:
            self.assertTrue(part["licenses"], part)
            self.assertEqual("hashes" in part, not part["name"].startswith("idbridge"), part)

    def test_it_is_the_same_each_time(self):
        again = subprocess.run([ROOT / "supply/sbom"], check=True, capture_output=True, text=True).stdout
        self.assertEqual(again, self.text)


if __name__ == "__main__":
    unittest.main()
