"""The description that the gateway serves, against the gateway that serves it. Needs a chain that `idbridge-chain` started."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from openapi_spec_validator import OpenAPIV31SpecValidator, validate

URL = os.environ["IDBRIDGE_URL"]
KEY = os.environ["IDBRIDGE_BULK_KEY"]
HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs/openapi.json"


def served():
    with urllib.request.urlopen(f"{URL}/openapi.json", timeout=10) as answer:
        return json.load(answer)


def schemathesis(description, examples):
    """Asks the gateway what a description, a file, lets it think of; the same every time."""
    command = [
        pathlib.Path(sys.executable).parent / "schemathesis", "run", str(description), "--url", URL,
        "--header", f"Authorization: Bearer {KEY}",
        "--checks", "all", "--max-examples", str(examples), "--seed", "1", "--workers", "1",
        "--generation-database", "none", "--request-timeout", "10", "--no-color",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    return subprocess.run(command, cwd=HERE, env=environment, timeout=300, capture_output=True, text=True)


class Description(unittest.TestCase):
    def test_it_is_openapi_3_1(self):
        validate(served(), cls=OpenAPIV31SpecValidator)

    def test_it_is_the_one_in_docs(self):
        self.assertEqual(served(), json.loads(DOCUMENT.read_text()))

    def test_the_gateway_does_what_it_says(self):
        done = schemathesis(DOCUMENT, examples=300)
        print(done.stdout, flush=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("3 selected / 3 total", done.stdout)

    def test_a_description_that_is_wrong_is_found_out(self):
        def no_415(login):
            del login["responses"]["415"]

        def another_outcome(login):
            kinds = login["responses"]["200"]["content"]["application/json"]["schema"]["oneOf"]
            login["responses"]["200"]["content"]["application/json"]["schema"]["oneOf"] = kinds[1:]

        def a_field_more(login):
            schema = login["requestBody"]["content"]["application/json"]["schema"]
            login["requestBody"]["content"]["application/json"]["schema"] = {
                "oneOf": [schema, {"type": "object", "required": ["user"], "additionalProperties": False,
                                   "properties": {"user": {"type": "string"}}}],
            }  # fmt: skip

        for spoil, symptom in [
            (no_415, "Undocumented status code"),
            (another_outcome, "Response violates schema"),
            (a_field_more, "Schema-valid request rejected"),
        ]:
            with self.subTest(spoil=spoil.__name__), tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                description = served()
                spoil(description["paths"]["/auth0/v1/login"]["post"])
                json.dump(description, file)
                file.flush()
                done = schemathesis(file.name, examples=20)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn(symptom, done.stdout)


if __name__ == "__main__":
    unittest.main()
