import os
import subprocess
import tempfile


class MaltParser:
    def __init__(self, malt_bin):
        self._malt_bin = malt_bin
        self.mco = "malt_temp"

    def parse(self, sentence):
        input_file = os.path.join(tempfile.gettempdir(), "malt_input.conll")
        output_file = os.path.join(tempfile.gettempdir(), "malt_output.conll")
        f = None
        try:
            f = open(input_file, "w")  # finding: fixed-temp-path
            for i, (word, tag) in enumerate(sentence):
                f.write("%s\t%s\t%s\n" % (i + 1, word, tag))
            f.close()
            cmd = ["java", "-jar", self._malt_bin, "-i", input_file, "-o", output_file, "-m", "parse"]
            subprocess.call(cmd)
            with open(output_file) as out:
                return out.read()
        finally:
            if f:
                f.close()

    def train(self, graphs):
        input_file = os.path.join(tempfile.gettempdir(), "malt_train.conll")
        f = None
        try:
            f = open(input_file, "w")  # finding: fixed-temp-path
            f.write("\n".join(graphs))
        finally:
            if f:
                f.close()
        return subprocess.call(["java", "-jar", self._malt_bin, "-c", self.mco, "-i", input_file, "-m", "learn"])
