from types import SimpleNamespace

defaults = SimpleNamespace(callbacks=[])
