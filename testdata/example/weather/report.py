"""Readings as a sentence."""

from weather import cache


def warmest():
    readings = cache.load()
    return max(readings, key=readings.get)
