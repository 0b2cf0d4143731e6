"""Readings that were fetched already."""

import json
import tempfile
from pathlib import Path

CACHE = Path(tempfile.gettempdir()) / "weather.json"


def save(readings):
    CACHE.write_text(json.dumps(readings))


def load():
    return json.loads(CACHE.read_text())


def clear():
    CACHE.unlink(missing_ok=True)
