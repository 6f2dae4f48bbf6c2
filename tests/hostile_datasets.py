"""Data set files that must be refused: each would do something, or cost something, if it ran."""

_CALLS = """
open('hostile', 'w')
__import__('antigravity')
eval('1')
exec('import this')
compile('1', '', 'eval')
print('x')
os.system('touch hostile')
os.remove('set.py')
os.path.exists('/')
os.path.join()
os.path.join('a', 1)
os.path.join(*['a', 'b'])
os.path.join(a='b')
os.path.join(['a'], 'b')
(os.path.join)('a')('b')
os.path.join.__call__('a')
getattr(os, 'system')('touch hostile')
globals()['__builtins__']
().__class__.__bases__[0].__subclasses__()
type('X', (), {})
(lambda: open('hostile', 'w'))()
[x for x in range(3)]
{x: x for x in range(3)}
{x for x in range(3)}
(x for x in range(3))
dict(a=1)
list('abc')
range(10**9)
max([1, 2])
sorted([1])
str(1)
int('9' * 10000)
'a'.join(['b'])
'{}'.format(1)
'%s' % 'a'
'a'.upper()
f'{1}'
f'{open("hostile", "w")}'
b'abc'
b'a' + b'b'
{1, 2}
...
1j
1 if True else 2
1 < 2
not True
True and False
~1
-'a'
-True
-[1]
+None
1 - 1
2 * 3
4 / 2
7 // 2
7 % 2
2 ** 100000000
9 ** 9 ** 9
1 << 100000000
'a' * 1000000000
[0] * 1000000000
(0,) * 1000000000
[1] | [2]
1 @ 2
1 & 1
1 ^ 1
[1][0]
'abc'[0]
{'a': 1}['a']
'abc'[::2]
[*[1], 2]
{**{'a': 1}}
(y := 1)
lambda: 1
os
os.path
os.environ
os.sep
standards.sRGB
standards
sys.modules
__builtins__
__name__
__file__
unknown
x
1 + 'a'
'a' + 1
[1] + (2,)
[1] + 'a'
{'a': 1} + {'b': 2}
None + None
True + True
1 + True
[1] + 1
1e999
-1e999
123456789012345678901234567890
0x10000000000000000
{'a': 1, 'a': 2}
{[1]: 2}
{None: 1}
{(1, None): 2}
{{}: 1}
await f()
yield
1 .real
(1).__class__
'a'.__class__
[].append
print
''.__doc__
"""

_STATEMENTS = r"""
import sys
import subprocess
import antigravity
import os.path as p
import os as o
import os, sys
import numpy
import numpy as numpy
import numpy.linalg as np
import hostile
from os import system
from os import *
from os import path
from os.path import join
from . import x
from .. import y
from videolib import *
from videolib import standards as s
from videolib import io
from .vmaf.config import VmafConfig
from vmaf.config import VmafConfig as V
from vmaf.config import DisplayConfig
from vmaf import config
import vmaf.config
from __future__ import annotations
def f(): pass
async def f(): pass
class A: pass
for i in [1]: x = i
while True: pass
while False: x = 1
if True: x = 1
with open('hostile', 'w') as f: pass
try: x = 1\nexcept: pass
raise SystemExit
raise ValueError('x')
assert True
del x
pass
global x
nonlocal x
return 1
break
continue
match 1:\n  case 1: pass
x: int = 1
x += 1
x -= 1
x.y = 1
x[0] = 1
a = b = c
(x) = y
*x, = [1]
x, y = 1
x, y = 'ab'
x, y = [1]
x, y = {1: 2, 3: 4}
x, (y, z) = 1, [2, 3]
x, y.z = 1, 2
open('hostile', 'w')
print('x')
[open('hostile', 'w')]
os.system('touch hostile')
1 + 1
x
type X = int
@f\ndef g(): pass
lambda: 1
os.path.join('a')
dis_videos.append({})
exec('x = 1')
__import__('os').system('touch hostile')
ref_videos = dis_videos = open('hostile', 'w')
import os\nos = 'a'\nx = os.path.join('a')
import os\nos.path.join = 1
import os\nx = os
import os\nx = os.path
import os\nx = os.path.join
import os\nx = os.system('touch hostile')
import os\nx = os.path.join('a', os.getcwd())
import os\nx = os.path.join(os.environ['HOME'])
import os\nx = os.path.join('a', 'b').upper()
import os\nx = os.path.join(*'ab')
import os\nx = os.path.join('a', b'c')
import os\nx = os.path.join('a', None)
import os\nx = os.path.realpath('a')
import os\nx = os.path.__class__
from vmaf.config import VmafConfig\nx = VmafConfig
from vmaf.config import VmafConfig\nx = VmafConfig()
from vmaf.config import VmafConfig\nx = VmafConfig.root_path
from vmaf.config import VmafConfig\nx = VmafConfig.root_path.__globals__
from vmaf.config import VmafConfig\nx = VmafConfig.get_and_assert_ffmpeg()
from vmaf.config import VmafConfig\nx = VmafConfig.root_path(*['a'])
from vmaf.config import VmafConfig\nx = VmafConfig.root_path(1)
from vmaf.config import VmafConfig\nx = VmafConfig.root_path(a='b')
from vmaf.config import VmafConfig\nx = VmafConfig.root_path(**{'a': True})
from vmaf.config import VmafConfig\nx = VmafConfig.root_path('a', bypass_download=open('x', 'w'))
from vmaf.config import VmafConfig\nVmafConfig = 1\nx = VmafConfig.root_path('a')
x = VmafConfig.root_path('a')
x = float()
x = float('1')
x = float(1)
x = float('inf')
x = float('nan', 'nan')
x = float(x='nan')
float = 1\nx = float('nan')
x = {float('nan'): 1}
x = float('nan') + 1
import numpy as np\nx = np.nan
import numpy as np\nx = np.load('hostile')
import numpy as np\nx = np
from videolib import standards\nx = standards.sRGB.load()
from videolib import standards\nx = standards.sRGB.a
from videolib import standards\nx = standards
from videolib import standards\nx = {standards.sRGB: 1}
from videolib import standards\nx = standards.sRGB + 1
from videolib import standards\nstandards = 1\nx = standards.sRGB
x =
x = (
x = 'a
x = 1 +
  x = 1
x = 08
x = é é
print 'x'
\0
x = 1\0
"""

_BIG = [
    "x = " + "[" * 3000 + "]" * 3000,
    "x = " + "(" * 90 + "1" + ",)" * 90,
    "x = " + "-" * 5000 + "1",
    "x = " + "{1:" * 60 + "1" + "}" * 60,
    "x = " + "9" * 5000,
    "x = " + "1 + (" * 80 + "1" + ")" * 80,
    "a = '0123456789abcdef'\n" + "a = a + a\n" * 40,
    "a = [1, 2, 3, 4]\n" + "a = a + a\n" * 40,
    "a = (1, 2, 3, 4)\n" + "a = a + a\n" * 40,
    "import os\na = '0123456789abcdef'\n" + "a = os.path.join(a, a)\n" * 40,
    "a = '" + "x" * 60_000 + "'\n" + "b = a + a\n" * 200,
    "a = 1\n" + "a = a + a\n" * 80,
    "a = 1e300\n" + "a = a + a\n" * 40,
    "a = ['x']\n" + "a = [a, a]\n" * 60,
    "a = 'x'\n" + "a = {1: a, 2: a}\n" * 60,
    "x = " + "a." * 4000 + "b",
    "x = " + "f(" * 2000 + ")" * 2000,
    "x = " + "lambda: " * 3000 + "1",
    "x = '''" + "a" * 100 + "''",
    "x = 0b" + "1" * 5000,
    "#" * (17 << 20),
]
_BYTES = [
    b"\xff\xfe x = 1",
    b"# coding: latin-1\nx = '\xe9'",
    b"x = '\x80'",
    b"\x7fELF\x02\x01\x00",
]

HOSTILE = [
    *(f"x = {line}\n".encode() for line in _CALLS.strip().splitlines()),
    *(line.encode().decode("unicode_escape").encode("latin-1")
      for line in _STATEMENTS.strip("\n").splitlines()),
    *(text.encode() for text in _BIG),
    *_BYTES,
]  # fmt: skip
