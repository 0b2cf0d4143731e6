"""Sixteen processes ask for one key again and again, each time in a cache that is empty at first."""
import multiprocessing
import sys
import tempfile
from pathlib import Path

from copairs.compute import null_dist_cached, random_ap

PROCESSES = 16
SIZE = 20_000
KEY = (5, 50, 7)


def ask(caches, barrier, wanted, out):
    failures = []
    for n, cache in enumerate(caches):
        if n % 20 == 0:
            barrier.wait()
        try:
            if null_dist_cached(*KEY, SIZE, cache).sum() != wanted:
                failures.append("other numbers")
        except Exception as error:
            failures.append(f"{type(error).__name__}: {error}")
    out.put(failures)


def main():
    rounds = int(sys.argv[1])
    wanted = random_ap(SIZE, KEY[0], KEY[1], KEY[2]).sum()
    with tempfile.TemporaryDirectory() as root:
        caches = [Path(root) / str(n) for n in range(rounds)]
        for cache in caches:
            cache.mkdir()
        context = multiprocessing.get_context("fork")
        barrier, out = context.Barrier(PROCESSES), context.Queue()
        all = [context.Process(target=ask, args=(caches, barrier, wanted, out)) for _ in range(PROCESSES)]
        for process in all:
            process.start()
        failures = [failure for _ in all for failure in out.get()]
        for process in all:
            process.join()
        left = [path for cache in caches for path in cache.iterdir() if path.suffix != ".npy"]
    for failure in sorted(set(failures)):
        print(failures.count(failure), failure)
    print(f"{len(failures)} of {PROCESSES * rounds} calls failed; {len(left)} files left over")
    sys.exit(bool(failures or left))


main()
