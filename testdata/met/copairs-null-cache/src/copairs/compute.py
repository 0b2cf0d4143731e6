import os
import warnings
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np


def random_ap(size, num_pos, total, seed):
    return np.random.default_rng(seed).random((size, num_pos, total))


def null_dist_cached(num_pos, total, seed, size, cache_dir: Path):
    if seed is not None:
        cache_file = cache_dir / f"n{total}_k{num_pos}.npy"
        if cache_file.is_file():  # other end: non-atomic-write
            try:
                null_dist = np.load(cache_file)  # other end: non-atomic-write
            except ValueError as error:  # finding: narrow-corruption-handler
                warnings.warn(f"cannot load {cache_file}: {error}")
                cache_file.unlink(missing_ok=True)
                null_dist = random_ap(size, num_pos, total, seed)
                np.save(cache_file, null_dist)  # finding: non-atomic-write(error)
        else:
            null_dist = random_ap(size, num_pos, total, seed)
            np.save(cache_file, null_dist)
    else:
        null_dist = random_ap(size, num_pos, total, seed)
    return null_dist


def null_dists(confs, size, seed):
    cache_dir = Path.home() / ".copairs" / f"seed{seed}" / f"ns{size}"
    cache_dir.mkdir(parents=True, exist_ok=True)

    def one(conf):
        return null_dist_cached(conf[0], conf[1], seed, size, cache_dir)

    with ThreadPool(os.cpu_count()) as pool:
        return pool.map(one, confs)
