"""The contract, read by buf: well written, and nothing in it breaks who was compiled against what it was."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BUF = pathlib.Path(sys.executable).parent / "buf"
PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
BASELINE = PROTO / "baseline.txtpb"
FILE = "idbridge/v1/identity.proto"


def buf(folder, *arguments):
    return subprocess.run([BUF, *arguments], cwd=folder, timeout=60, capture_output=True, text=True)


class Contract(unittest.TestCase):
    def breaking(self, old=None, new=None):
        """What buf says of the contract, or of it with `old` replaced by `new`."""
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder, "proto")
            shutil.copytree(PROTO, copy)
            text = (copy / FILE).read_text()
            if old:
                self.assertEqual(text.count(old), 1, f"{old!r} in {FILE}")
                (copy / FILE).write_text(text.replace(old, new))
            return buf(copy, "breaking", "--against", BASELINE)

    def test_it_is_well_written(self):
        done = buf(PROTO, "lint")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_nothing_in_it_breaks_the_published_one(self):
        done = self.breaking()
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_what_is_added_breaks_nothing(self):
        for old, new in [
            ("  REJECTION_REASON_WRONG_PASSWORD = 10;", "  REJECTION_REASON_WRONG_PASSWORD = 10;\n  REJECTION_REASON_LATER = 900;"),
            ("  bool password_expired = 15;", "  bool password_expired = 15;\n  optional string later = 900;"),
            ("message Rejection {", "message Later {}\n\nmessage Rejection {"),
        ]:
            with self.subTest(new=new):
                done = self.breaking(old, new)
                self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_what_breaks_is_found(self):
        for old, new in [
            ("string id = 1;", "string id = 901;"),
            ("string id = 1;", "bytes id = 1;"),
            ("string id = 1;", "string user_id = 1;"),
            ("  bool password_expired = 15;", ""),
            ("REJECTION_REASON_NO_PASSWORD = 6", "REJECTION_REASON_NONE = 6"),
            ("rpc GetUserByEmail(", "rpc FindUserByEmail("),
        ]:
            with self.subTest(old=old, new=new):
                done = self.breaking(old, new)
                self.assertEqual(done.returncode, 100, done.stderr)
                self.assertIn(FILE, done.stdout)


if __name__ == "__main__":
    unittest.main()
