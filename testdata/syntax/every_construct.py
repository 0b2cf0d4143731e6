#!/usr/bin/env python
"""Doc."""
from __future__ import annotations
import os.path as p, sys, a.b.c
from ..x import (y as z,
    w)
from . import *
# isolint: ignore[shared-path] because
X: int = f(1)  # isolint: ignore
a = b = g()
a, *b = g(*args, k=1, **kw)
x += h()
if (n := len(a)) > 10 and foo() or not bar(): pass
v = q() if c() else d()
with open(a) as f, lock: f.read()
with (open(a) as f, open(b) as g): g.read()
with (yield): pass
for i, j in enumerate(a): i()
else: e()
while go(): step()
try:
    t()
except (A, B.C) as e:
    h1()
except* D: h2()
except: h3()
else: h4()
finally: h5()
s = f"a{x!r:>{width()}}b" "c{" rb'\d' f"{{}}{y=}"
[f(x) for x in xs if ok(x) for y in x.z()]
{k: v() for k, v in d.items()}
any(g(x) for x in xs)
l = lambda a, *b, c=1, **d: a(b)
del a.b, c[0]
assert t(), msg()
raise X(1) from e
@pytest.fixture(scope=g())
@a.b
async def func(a: "Foo.Bar", /, b: list[int] = mk(), *args: int, c, d=1, **kw) -> int | None:
    global G1, G2
    yield a
    await foo(a)
    async with x() as y:
        pass
    z = yield from it()
    return a, b
@dataclass
class C(B, metaclass=M()):
    x: int = 0
    y: "C"
    z = 1
    @classmethod
    def m(cls): super().m()
    @staticmethod
    def s(): pass
    @property
    def pr(self): return self.x[1:2, 3]
    @pr.setter
    def pr(self, v): self.x = -v
    def me[T: int](self): ...
match cmd.split(), 3:
    case [a, *rest], -1: one()
    case Point(x=0, y=yy) as pp if g(): two()
    case {"k": v, **r}: three()
    case "a" | "b": four()
    case a.B: five()
    case None: six()
    case _: seven()
type Q[T] = list[T]
a[f()] = g()
print(*a.b(), *c)
x = *a, b
t = t"hi {x}"
p = a / "b" / f"{c}"
