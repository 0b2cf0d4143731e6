import os
import tempfile

import numpy as np


def test_hash_memmap():
    filename = tempfile.mktemp(prefix="joblib_test_hash_memmap_")  # finding: mktemp(warning)
    try:
        m = np.memmap(filename, shape=(10, 10), mode="w+")
        assert m.sum() == 0
    finally:
        if "m" in locals():
            del m
        os.unlink(filename)
