"""The programs in examples/clients, each asked the same and each to say the same."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from chain import ADA, ADDRESS, KEY, ChainTest, certificate, door, restart

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples/clients"
PROGRAMS = {
    "node": ["node", EXAMPLES / "node/client.js"],
    "python": [sys.executable, "-B", EXAMPLES / "python/client.py"],
    "rust": [os.environ["EXAMPLE_RUST"]],
}
if os.environ.get("EXAMPLE_GO"):
    PROGRAMS["go"] = [os.environ["EXAMPLE_GO"]]

LINE = re.compile(r"(?P<outcome>.*) \(request [A-Za-z0-9._-]{1,64}\)\n")
LOGIN, PASSWORD = ADA


class Examples(ChainTest):
    def asked(self, *arguments, password="", key=KEY, ca=None):
        """What each program says, all asked at once: `{language: (exit code, outcome)}`."""
        said = {}
        for language, (code, out, error) in self.run_all(*arguments, password=password, key=key, ca=ca).items():
            line = LINE.fullmatch(out)
            self.assertIsNotNone(line, f"{language}: {out!r} {error!r}")
            said[language] = (code, line["outcome"])
        return said

    def run_all(self, *arguments, password="", key=KEY, ca=None):
        """How each program ends, and what it writes."""
        options = ["--ca", ca] if ca else []
        running = {
            language: subprocess.Popen(
                [*program, *options, ADDRESS, *arguments], env={**os.environ, "IDBRIDGE_KEY": key},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
            )  # fmt: skip
            for language, program in PROGRAMS.items()
        }
        said = {}
        try:
            for program in running.values():
                program.stdin.write(password)
                program.stdin.close()
                program.stdin = None
            for language, program in running.items():
                out, error = program.communicate(timeout=60)
                said[language] = (program.returncode, out, error)
        finally:
            for program in running.values():
                program.kill()
        return said

    def assert_all(self, said, code, outcome):
        for language, (exit_code, line) in said.items():
            with self.subTest(language=language, outcome=outcome):
                self.assertEqual(exit_code, code, line)
                self.assertRegex(line, f"^{outcome}$")

    def test_yes(self):
        yes = r"yes: okta\|00u\w+ ada@example\.com"
        self.assert_all(self.asked("log-in", LOGIN, password=PASSWORD + "\n"), 0, yes)
        self.assert_all(self.asked("look-up", "ADA@example.com"), 0, yes)

    def test_a_password_that_is_easily_damaged_arrives_as_it_is(self):
        said = self.asked("log-in", "odd@example.com", password=' "quoted" \\ 🐎 e\u0301 ')
        self.assert_all(said, 0, r"yes: okta\|00u\w+ odd@example\.com")

    def test_no_and_why(self):
        self.assert_all(self.asked("log-in", "bob@example.com", password="not it"), 1, "no: invalid_credentials")
        self.assert_all(self.asked("look-up", "sue@example.com"), 1, "no: account_disabled")
        self.assert_all(self.asked("look-up", "nobody@example.com"), 1, "no: user_not_found")

    def test_nobody_found_out(self):
        self.assert_all(self.asked("look-up", "bob"), 3, "don't know: INVALID_IDENTIFIER")
        self.assert_all(self.asked("look-up", LOGIN, key="another"), 3, "don't know: CALLER_UNAUTHENTICATED")
        door("/okta/fault", endpoint="any", fault="status:503")
        unavailable = r"don't know: SOURCE_UNAVAILABLE, ask again in \d+ s"
        self.assert_all(self.asked("log-in", LOGIN, password=PASSWORD), 3, unavailable)
        self.assert_all(self.asked("look-up", LOGIN), 3, unavailable)

    def test_a_mistake_of_the_program_is_no_answer(self):
        for mistake in [{"ca": "no-such-file"}, {"key": "two\nlines"}, {"key": ""}]:
            for language, (code, out, error) in self.run_all("look-up", LOGIN, **mistake).items():
                with self.subTest(language=language, **mistake):
                    self.assertEqual((code, out), (2, ""), error)
                    self.assertTrue(error)
                    self.assertNotIn("two", error)

    def test_a_deadline(self):
        door("/okta/fault", endpoint="any", fault="hang")
        # The broker's word or the library's own, which each spells its own way.
        self.assert_all(self.asked("look-up", LOGIN), 3, r"don't know: (DEADLINE_EXCEEDED|DeadlineExceeded)")

    def test_tls(self):
        with tempfile.TemporaryDirectory() as folder:
            pem, key = certificate(folder)
            self.addCleanup(restart)
            restart(IDBRIDGE_GRPC__TLS__CERT_FILE=pem, IDBRIDGE_GRPC__TLS__KEY_FILE=key)
            yes = r"yes: okta\|00u\w+ ada@example\.com"
            self.assert_all(self.asked("log-in", LOGIN, password=PASSWORD, ca=pem), 0, yes)


if __name__ == "__main__":
    unittest.main()
