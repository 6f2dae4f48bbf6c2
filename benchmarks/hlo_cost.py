"""What does a compiled program do? Counts bytes and operations in XLA's program text.

XLA's own `cost_analysis()` misleads here in two ways: it counts the body of a loop once, however
often it runs, and it counts each shifted slice that a fused filter reads as memory traffic of its
own. This count multiplies loop bodies by their trip count, and lets a kernel read each of its
inputs once (or less, where it reads only slices of it) and write its output once: what has to move
if a kernel's inputs fit the caches only while it works on them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

_HEAD = re.compile(r"^(?:ENTRY )?%?([\w.\-]+) \(.*\) -> .*\{$")
_LINE = re.compile(r"^\s+(ROOT )?%?([\w.\-]+) = (.*)$")
_CALL = re.compile(r"\s([a-z][a-z0-9\-]*)\(")
_ARRAY = re.compile(r"\b(pred|[a-z]+[0-9]+(?:e[0-9]m[0-9]\w*)?)\[([0-9,]*)\]")
_TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"\}')

# no kernel of their own: names for memory that is there already
_FREE = {
    "parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all", "opt-barrier",
    "partition-id", "replica-id", "copy-done", "async-done", "async-update",
}  # fmt: skip
_CUTS = {"slice", "dynamic-slice", "gather"}
_MOVES = {
    "copy", "convert", "broadcast", "reshape", "transpose", "concatenate", "pad", "reverse", "iota",
    "slice", "dynamic-slice", "dynamic-update-slice", "gather", "scatter", "reduce", "fusion",
    "call", "while", "conditional", "custom-call", "copy-start", "async-start", "map", "dot",
    "bitcast-convert", "rng-bit-generator", "sort", "reduce-window", "reduce-precision",
}  # fmt: skip


@dataclass
class Cost:
    """Bytes moved, operations done, and loops whose trip count the program does not state."""

    bytes: float = 0.0
    operations: float = 0.0
    open_loops: int = 0

    def add(self, other: Cost, times: int = 1) -> None:
        """Adds another cost so many times."""
        self.bytes += times * other.bytes
        self.operations += times * other.operations
        self.open_loops += other.open_loops


@dataclass
class _Step:
    name: str
    root: bool
    op: str
    size: int  # bytes of the output
    count: int  # elements of the output
    shape: list[int]
    operands: list[str]
    attributes: str
    called: list[str] = field(default_factory=list)


def _sizes(text: str) -> tuple[int, int, list[int]]:
    """Bytes and elements of a type, tuples summed, and the dimensions of its first array."""
    size, count, first = 0, 0, None
    for kind, dims in _ARRAY.findall(text):
        shape = [int(d) for d in dims.split(",") if d]
        bits = 8 if kind == "pred" else int(re.findall(r"\d+", kind)[0])
        size += math.prod(shape) * max(bits, 8) // 8
        count += math.prod(shape)
        first = shape if first is None else first
    return size, count, first or []


def _closing(text: str, start: int) -> int:
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return i
    return len(text)


def _parse(text: str) -> tuple[dict[str, dict[str, _Step]], str]:
    programs: dict[str, dict[str, _Step]] = {}
    entry, current = "", None
    for line in text.splitlines():
        if head := _HEAD.match(line):
            current = programs.setdefault(head[1], {})
            entry = head[1] if line.startswith("ENTRY") else entry
        elif line.startswith("}"):
            current = None
        elif current is not None and (found := _LINE.match(line)):
            rest = " " + re.sub(r"/\*.*?\*/", "", found[3])
            # a tuple type begins with a bracket; the operation is the first word before one
            after = _closing(rest, 1) + 1 if rest[1] == "(" else 0
            call = _CALL.search(rest, after)
            if call is None:
                continue
            end = _closing(rest, call.end() - 1)
            attributes = rest[end:].split(", metadata=")[0] + "".join(_TRIPS_text(rest[end:]))
            names = r"(?:calls|to_apply|body|condition|true_computation|false_computation)"
            called = re.findall(names + r"=%?([\w.\-]+)", attributes)
            if branches := re.search(r"branch_computations=\{([^}]*)\}", attributes):
                called += re.findall(r"%?([\w.\-]+)", branches[1])
            current[found[2]] = _Step(
                found[2], bool(found[1]), call[1], *_sizes(rest[: call.start()]),
                re.findall(r"%([\w.\-]+)", rest[call.end() : end]), attributes, called,
            )  # fmt: skip
    return programs, entry


def _TRIPS_text(text: str) -> list[str]:
    found = _TRIPS.search(text)
    return [found[0]] if found else []


class _Counter:
    def __init__(self, text: str) -> None:
        self.programs, self.entry = _parse(text)
        self._known: dict[str, Cost] = {}

    def program(self, name: str) -> Cost:
        """Cost of one run of a computation whose steps are kernels."""
        if name not in self._known:
            steps, total = self.programs[name], Cost()
            for step in steps.values():
                total.add(self._step(step, steps))
            self._known[name] = total
        return self._known[name]

    def _step(self, step: _Step, steps: dict[str, _Step]) -> Cost:
        if step.op in _FREE:
            return Cost()
        if step.op == "while":
            trips = _TRIPS.search(step.attributes)
            cost = Cost(open_loops=0 if trips else 1)
            for part in step.called:
                cost.add(self.program(part), int(trips[1]) if trips else 1)
            return cost
        if step.op == "conditional":
            return max((self.program(c) for c in step.called), key=lambda c: c.bytes)
        if step.op in ("call", "async-start"):
            cost = Cost()
            for part in step.called:
                cost.add(self.program(part))
            return cost
        if step.op == "fusion":
            inner = self.programs[step.called[0]]
            return Cost(self._fused_bytes(step, inner, steps), self._operations(inner))
        single = {step.name: step}
        return Cost(self._plain_bytes(step, steps), self._operations(single, steps))

    def _plain_bytes(self, step: _Step, steps: dict[str, _Step]) -> float:
        if step.op in _CUTS:
            return 2 * step.size
        if step.op == "dynamic-update-slice":
            return 2 * steps[step.operands[1]].size
        return step.size + sum(steps[o].size for o in set(step.operands) if o in steps)

    def _fused_bytes(self, step: _Step, inner: dict[str, _Step], steps: dict[str, _Step]) -> float:
        total = 0.0
        for part in inner.values():
            if part.op == "parameter":
                total += min(part.size, self._read(part, inner))
            elif part.root:
                total += self._written(part, inner)
        return total

    def _read(self, source: _Step, inner: dict[str, _Step]) -> float:
        """Bytes of a kernel's input that it reads."""
        total = 0.0
        for user in inner.values():
            if source.name not in user.operands:
                continue
            if user.op in _CUTS and user.operands[0] == source.name:
                total += user.size
            elif user.op == "dynamic-update-slice" and user.operands[0] == source.name:
                continue  # updated in place
            elif user.op == "bitcast":
                total += self._read(user, inner)
            else:
                return source.size
        return total

    def _written(self, root: _Step, inner: dict[str, _Step]) -> float:
        if root.op == "tuple":
            return sum(self._written(inner[o], inner) for o in root.operands)
        if root.op == "bitcast" and root.operands[0] in inner:
            return self._written(inner[root.operands[0]], inner)
        if root.op == "dynamic-update-slice":
            return inner[root.operands[1]].size
        return root.size

    def _operations(self, inner: dict[str, _Step], steps: dict[str, _Step] | None = None) -> float:
        steps = inner if steps is None else steps
        total = 0.0
        for step in inner.values():
            if step.op == "fusion":
                total += self._operations(self.programs[step.called[0]])
            elif step.op in ("reduce", "reduce-window"):
                total += steps[step.operands[0]].count
            elif step.op == "dot":
                left = steps[step.operands[0]].shape
                axes = re.search(r"lhs_contracting_dims=\{([0-9,]*)\}", step.attributes)
                inside = [left[int(a)] for a in axes[1].split(",") if a] if axes else []
                total += 2 * step.count * math.prod(inside)
            elif step.op not in _FREE and step.op not in _MOVES:
                total += step.count
        return total


def different_kernels(text: str) -> int:
    """How many different fused kernels a compiled program has; equal ones are compiled once."""
    bodies: dict[str, str] = {}
    name, lines = "", []
    for line in text.splitlines():
        if head := _HEAD.match(line):
            name, lines = head[1], []
        elif line.startswith("}"):
            bodies[name] = _nameless("\n".join(lines), bodies)
        else:
            lines.append(line.split(", metadata=")[0].split(", backend_config=")[0])
    fused = re.findall(r" fusion\(.*?calls=%?([\w.\-]+)", text)
    return len({bodies[body] for body in fused})


def _nameless(text: str, bodies: dict[str, str]) -> str:
    """A computation with its values numbered and what it calls written out."""
    numbers: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        called = bodies.get(found[1])
        return f"{{{called}}}" if called else numbers.setdefault(found[1], f"#{len(numbers)}")

    return re.sub(r"%([\w.\-]+)", number, text)


def cost(text: str) -> Cost:
    """Cost of one run of a compiled program.

    Args:
        text: `jax.jit(f).lower(...).compile().as_text()`.

    Returns:
        Bytes as said above; operations: arithmetic, comparisons and selections of any type, one an
        element (a division or logarithm counts one too); loops without a stated trip count, whose
        bodies are counted once.
    """
    counter = _Counter(text)
    return counter.program(counter.entry)
