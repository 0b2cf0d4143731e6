import unittest
from tempfile import mktemp


class TestView(unittest.TestCase):
    def test_run_newline(self):
        """test that run appends newline to files"""
        tmpfile = mktemp()  # finding: mktemp(warning)
        with open(tmpfile, "w") as f:
            f.write("""def g():
                return 5
                """)
        v = self.client[-1]
        v.run(tmpfile, block=True)
        self.assertEqual(v.apply_sync(lambda f: f(), "g"), 5)
