"""Conventional commit messages: drafted from the plan, checked and cleaned after an edit.

The rule a reader must not break: a draft says only what the plan says (its summary, its steps);
nothing is invented, and the user's own text is cleaned but never rewritten.
"""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import PurePosixPath

from orchestra_tui.domain.plan import ChangeKind, Plan, PlanStep
from orchestra_tui.domain.text import clean, clean_line

MAX_SUBJECT = 72
MAX_BODY_LINE = 72


class CommitType(StrEnum):
    """The types of conventionalcommits.org 1.0.0 and its usual extensions."""

    FEAT = "feat"
    FIX = "fix"
    DOCS = "docs"
    TEST = "test"
    REFACTOR = "refactor"
    PERF = "perf"
    STYLE = "style"
    BUILD = "build"
    CI = "ci"
    CHORE = "chore"
    REVERT = "revert"


_SUBJECT = re.compile(
    rf"(?P<type>{'|'.join(CommitType)})(?:\((?P<scope>[^()\n]+)\))?!?: (?P<text>\S.*)"
)
_WORDS: tuple[tuple[CommitType, re.Pattern[str]], ...] = (
    (CommitType.FIX, re.compile(r"\b(fix(es|ed)?|bug|crash\w*|repair|correct|wrong)\b")),
    (CommitType.PERF, re.compile(r"\b(faster|speed up|performance|optimi[sz]e)\b")),
    (CommitType.REFACTOR, re.compile(r"\b(refactor\w*|rename|extract|clean up|simplify|move)\b")),
)
_DOCS = {".md", ".rst", ".txt", ".adoc"}
_BUILD = {
    "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "package.json", "go.mod",
    "cargo.toml", "pom.xml", "build.gradle", "makefile", "dockerfile", "cmakelists.txt",
}  # fmt: skip
_CI = (".github/", ".gitlab-ci", ".circleci/", ".ci/")


def draft_message(plan: Plan, paths: Iterable[str] = ()) -> str:
    """The message for a plan: its own draft if that is conventional, else one built from it.

    `paths` are the files that are really committed; empty means all enabled steps.
    """
    steps = [step for step in plan.steps if step.enabled]
    wanted = set(paths)
    if wanted:
        steps = [step for step in steps if step.path in wanted or step.from_path in wanted]
    own = cleaned_message(plan.commit_message)
    if own and not message_problems(own):
        return own
    lines = (own.split("\n", 1)[0], plan.summary.strip().split("\n", 1)[0], _summary_of(steps))
    text = next(line for line in lines if any(char.isalnum() for char in line))
    subject = _subject(commit_type(text, steps), commit_scope(step.path for step in steps), text)
    body = "\n".join(_body_lines(steps))
    return cleaned_message(f"{subject}\n\n{body}" if body else subject)


def commit_type(text: str, steps: Sequence[PlanStep]) -> CommitType:
    """The type of a change, from the kinds of its files first and its words second."""
    kinds = {_kind_of(step.path) for step in steps}
    if len(kinds) == 1 and (only := next(iter(kinds))) is not None:
        return only
    words = f"{text} {' '.join(step.purpose for step in steps)}".lower()
    found = next((kind for kind, pattern in _WORDS if pattern.search(text.lower())), None)
    if found is not None:
        return found
    if steps and all(step.change in {ChangeKind.RENAME, ChangeKind.DELETE} for step in steps):
        return CommitType.REFACTOR
    if any(step.change is ChangeKind.CREATE for step in steps):
        return CommitType.FEAT
    return next((kind for kind, pattern in _WORDS if pattern.search(words)), CommitType.FEAT)


def commit_scope(paths: Iterable[str]) -> str:
    """The last folder that all code files share; "" where they share none.

    Tests follow the code they are for, so they count only if there is nothing else.
    """
    every = list(paths)
    code = [path for path in every if _kind_of(path) is not CommitType.TEST] or every
    if not code:
        return ""
    folders = [PurePosixPath(path).parent.parts for path in code]
    shared = folders[0]
    for parts in folders[1:]:
        pairs = zip(shared, parts, strict=False)
        same = next((at for at, (left, right) in enumerate(pairs) if left != right), None)
        shared = shared[: min(len(shared), len(parts)) if same is None else same]
    named = [part for part in shared if part not in {"src", "lib", "app", "tests", "test"}]
    scope = re.sub(r"[^A-Za-z0-9_.-]", "", named[-1]) if named else ""
    return scope if len(scope) <= 20 else ""


def message_problems(message: str) -> tuple[str, ...]:
    """What is wrong with an edited message, as sentences for the person who edits it."""
    lines = cleaned_message(message).split("\n")
    subject = lines[0]
    if not subject:
        return ("the message is empty",)
    problems = []
    match = _SUBJECT.fullmatch(subject)
    if match is None:
        kinds = ", ".join(CommitType)
        problems.append(f"the first line is not `type(scope): text`, with a type of {kinds}")
    elif match["text"].endswith(".") and not match["text"].endswith("..."):
        problems.append("the first line ends with a full stop")
    if len(subject) > MAX_SUBJECT:
        problems.append(f"the first line has {len(subject)} characters; {MAX_SUBJECT} is the limit")
    if len(lines) > 1 and lines[1]:
        problems.append("the second line must be empty")
    return tuple(problems)


def cleaned_message(message: str) -> str:
    """The text as it is committed: no terminal controls, no trailing blanks, no double gaps.

    Lines that begin with `#` stay: this is not git's editor.
    """
    lines = [line.rstrip() for line in clean(message.replace("\t", "    ")).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _subject(kind: CommitType, scope: str, text: str) -> str:
    match = _SUBJECT.fullmatch(clean_line(text).strip())
    prefix = f"{kind}({scope}): " if scope else f"{kind}: "
    if match is not None:
        prefix = text[: match.start("text")]
        text = match["text"]
    words = " ".join(clean_line(text).split()).rstrip(".")
    if words[:1].isupper() and words[1:2].islower():
        words = words[0].lower() + words[1:]
    return prefix + _shortened(words, MAX_SUBJECT - len(prefix))


def _shortened(words: str, limit: int) -> str:
    if len(words) <= limit:
        return words
    cut = words[: max(limit - 3, 1)]
    at_word, _, _ = cut.rpartition(" ")
    return f"{at_word if len(at_word) > limit // 2 else cut}..."


def _body_lines(steps: Sequence[PlanStep]) -> list[str]:
    lines: list[str] = []
    for step in steps:
        name = f"{step.from_path} -> {step.path}" if step.from_path else step.path
        purpose = " ".join(clean_line(step.purpose).split()) or step.change.value
        lines += textwrap.wrap(
            f"- {clean_line(name)}: {purpose}",
            MAX_BODY_LINE,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def _summary_of(steps: Sequence[PlanStep]) -> str:
    if not steps:
        return "update files"
    counted = Counter(step.change for step in steps)
    kind = counted.most_common(1)[0][0].value if len(counted) == 1 else "update"
    names = [PurePosixPath(step.path).name for step in steps]
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{kind} {names[0]}{more}"


def _kind_of(path: str) -> CommitType | None:
    pure = PurePosixPath(path.lower())
    if path.startswith(_CI):
        return CommitType.CI
    if pure.name in _BUILD:
        return CommitType.BUILD
    stem = pure.name.split(".")[0]
    if {"tests", "test", "spec", "__tests__"} & set(pure.parts[:-1]):
        return CommitType.TEST
    if stem.startswith("test_") or stem.endswith("_test") or ".test." in pure.name:
        return CommitType.TEST
    if pure.suffix in _DOCS or "docs" in pure.parts[:-1]:
        return CommitType.DOCS
    return None
