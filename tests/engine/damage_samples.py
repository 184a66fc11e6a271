"""Small programs in several languages, drawn from a seed, with the change that a run makes to them.

The rule a reader must not break: every text here is intact; the tests of the validator's own rates
use real files, these are for the way through the engine.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

_NAMES = ("total", "ratio", "limit", "budget", "offset", "weight", "margin", "score", "depth")


@dataclass(frozen=True)
class Sample:
    """One file before the run (None if it is new) and as the run wants it."""

    path: str
    old: str | None
    new: str


def sample(rng: random.Random, number: int) -> Sample:
    """The `number`-th file of a project; every third one is new."""
    kind, write = _KINDS[number % len(_KINDS)]
    names = rng.sample(_NAMES, 5)
    by = rng.randint(3, 9)
    old, new = write(names[:4], by), write([*names[:2], names[4], *names[2:4]], by)
    return Sample(f"src/file_{number}.{kind}", None if number % 3 == 0 else old, new)


def _python(names: list[str], by: int) -> str:
    functions = "".join(
        f'\n\ndef {name}(values: list[int]) -> int:\n    """The {name} of the values."""\n'
        f"    {name}_sum = 0\n    for value in values:\n        if value > {by}:\n"
        f"            {name}_sum += value * {by}\n    return {name}_sum\n"
        for name in names
    )
    return f'"""Figures by {by}."""\n\nimport math\n\nSCALE = [{by}, math.floor(2.5)]\n{functions}'


def _typescript(names: list[str], by: int) -> str:
    functions = "".join(
        f"\nexport function {name}(values: number[]): number {{\n  let {name}_sum = 0;\n"
        f"  for (const value of values) {{\n    if (value > {by}) {{\n"
        f"      {name}_sum += value * {by};\n    }}\n  }}\n  return {name}_sum;\n}}\n"
        for name in names
    )
    return f"// Figures by {by}.\nexport const SCALE = [{by}, 2];\n{functions}"


def _javascript(names: list[str], by: int) -> str:
    return _typescript(names, by).replace(": number[]", "").replace(": number", "")


def _go(names: list[str], by: int) -> str:
    functions = "".join(
        f"\n// {name.title()} sums the values.\nfunc {name.title()}(values []int) int {{\n"
        f"\t{name}_sum := 0\n\tfor _, value := range values {{\n\t\tif value > {by} {{\n"
        f"\t\t\t{name}_sum += value * {by}\n\t\t}}\n\t}}\n\treturn {name}_sum\n}}\n"
        for name in names
    )
    return f"package figures\n{functions}"


def _rust(names: list[str], by: int) -> str:
    functions = "".join(
        f"\npub fn {name}(values: &[i64]) -> i64 {{\n    let mut {name}_sum = 0;\n"
        f"    for value in values {{\n        if *value > {by} {{\n"
        f"            {name}_sum += value * {by};\n        }}\n    }}\n    {name}_sum\n}}\n"
        for name in names
    )
    return f"//! Figures by {by}.\n{functions}"


def _java(names: list[str], by: int) -> str:
    methods = "".join(
        f"\n    public static int {name}(int[] values) {{\n        int {name}_sum = 0;\n"
        f"        for (int value : values) {{\n            if (value > {by}) {{\n"
        f"                {name}_sum += value * {by};\n            }}\n        }}\n"
        f"        return {name}_sum;\n    }}\n"
        for name in names
    )
    return f"package figures;\n\npublic final class Figures {{\n{methods}}}\n"


def _json(names: list[str], by: int) -> str:
    entries = ",\n".join(
        f'  "{name}": {{\n    "scale": {by},\n    "values": [1, 2, {by}],\n    "on": true\n  }}'
        for name in names
    )
    return f"{{\n{entries}\n}}\n"


_KINDS: tuple[tuple[str, Callable[[list[str], int], str]], ...] = (
    ("py", _python),
    ("ts", _typescript),
    ("js", _javascript),
    ("go", _go),
    ("rs", _rust),
    ("java", _java),
    ("json", _json),
)
