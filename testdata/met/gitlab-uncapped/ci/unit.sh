#!/bin/sh
set -e
pip install .[tests]
python -m pytest -n auto tests/unit
