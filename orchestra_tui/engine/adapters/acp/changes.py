"""A change that an agent proposes, as lines for the pane.

The rule a reader must not break: this is for the eye only. The proposal is the file as it stands
in the copy at the end; nothing is ever applied from here.
"""

MAX_SHOWN = 40


def change_lines(path: str, old: str, new: str) -> str:
    """The lines that differ between the first and the last difference, with what surrounds it cut.

    Linear in the size of the texts, since agents change large files many times.
    """
    before, after = old.splitlines(), new.splitlines()
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    gone = before[head : len(before) - tail]
    come = after[head : len(after) - tail]
    lines = [*(f"- {line}" for line in gone), *(f"+ {line}" for line in come)]
    left = len(lines) - MAX_SHOWN
    shown = [*lines[:MAX_SHOWN], *([f"... {left} more lines"] if left > 0 else [])]
    return "\n".join([f"\n[{path}: -{len(gone)} +{len(come)}, from line {head + 1}]", *shown, ""])
