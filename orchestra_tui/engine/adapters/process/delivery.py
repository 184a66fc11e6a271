"""What a client is asked, and what counts as its answer: a changed file or its last words.

The rule a reader must not break: the bytes of a file count only when the client's final event
says success; this module is not asked before. Only the file that the call is about is taken.
"""

from orchestra_tui.domain.ids import Role
from orchestra_tui.domain.prompt_blocks import block
from orchestra_tui.engine.adapters.base import CompletionRequest, InvalidResponse

WRITERS = frozenset({Role.EXECUTOR, Role.CONSULTANT})

_MAY_WRITE = """\
You run as a command line agent in a private copy of the project, which is your current folder.
Deliver {path} in one of two ways, not in both:
- write the file there with your tools, whole and finished, and end with one short sentence; or
- change nothing and reply in the format described below.
Changes to other files are thrown away. There is no git repository and no installed dependency
here; start no program. Do not ask back: nobody can answer.
"""
_MAY_READ = """\
You run as a command line agent in a private copy of the project, which is your current folder.
You may read files there and can change none. Your last message is your reply: exactly the format
described below, with nothing before or after it. Do not ask back: nobody can answer.
"""
_PARTIAL = "The copy leaves out {count} files, because the project is large.\n"
_SPEAKERS = {"system": "", "user": "", "assistant": "What you answered before:\n"}


def writes(request: CompletionRequest) -> bool:
    """True if the answer may be a file that the client changed."""
    return request.role in WRITERS and request.path is not None


def prompt_of(request: CompletionRequest, *, left_out: int = 0) -> str:
    """The whole prompt as one text: how to work here, then the messages in their order."""
    told = _MAY_WRITE.format(path=request.path) if writes(request) else _MAY_READ
    parts = [told + (_PARTIAL.format(count=left_out) if left_out else "")]
    for message in request.messages:
        if message.author == "assistant":
            parts.append(_SPEAKERS["assistant"] + block("ANSWER", "", message.text))
        else:
            parts.append(message.text)
    return "\n".join(part if part.endswith("\n") else f"{part}\n" for part in parts)


def file_reply(path: str, data: bytes) -> str:
    r"""The reply that an agent without tools would have given for this file.

    Line ends become `\n` and a byte order mark goes; the engine gives back those of the base.
    Raises InvalidResponse if it is not text.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidResponse(f"{path} as the agent wrote it is not UTF-8 text") from None
    if "\0" in text:
        raise InvalidResponse(f"{path} as the agent wrote it is not text")
    text = text.replace("\r\n", "\n")
    whole = text if not text or text.endswith("\n") else f"{text}\n"
    return f"=== FILE {path}\n{whole}=== END FILE\n=== END REPLY\n"
