from multiprocessing.pool import ThreadPool

import diskcache
import numpy as np


def null_dist_cached(num_pos, total, seed, cache):
    key = (num_pos, total, seed)
    if key in cache:
        return cache[key]
    null_dist = np.random.default_rng(seed).random((num_pos, total))
    cache[key] = null_dist
    return null_dist


def null_dists(confs, seed, cache_dir):
    with diskcache.Cache(cache_dir) as cache, ThreadPool(4) as pool:
        return pool.map(lambda conf: null_dist_cached(conf[0], conf[1], seed, cache), confs)
