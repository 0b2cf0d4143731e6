from __future__ import annotations

import pickle
from pathlib import Path


class Split:
    def __init__(self, name, folds):
        self.name = name
        self.folds = folds

    @classmethod
    def _from_arff_file(cls, filename: Path) -> Split:
        folds = None
        name = None
        side_car = filename.with_suffix(".pkl.py3")
        if side_car.exists():
            with side_car.open("rb") as f:
                saved = pickle.load(f)
                folds = saved["folds"]
                name = saved["name"]
        if folds is None:
            if not filename.exists():
                raise FileNotFoundError(f"no such file: {filename}")
            text = filename.read_text()
            name = text.splitlines()[0]
            folds = text.splitlines()[1:]
            with side_car.open("wb") as f:  # finding: non-atomic-write
                pickle.dump({"name": name, "folds": folds}, f, protocol=2)
        return cls(name, folds)
