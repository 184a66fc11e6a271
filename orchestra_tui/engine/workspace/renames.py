"""The two renames that Python does not offer: exchange two names, and rename without replacing.

Linux has `renameat2` (flags from linux/fs.h: RENAME_NOREPLACE 1, RENAME_EXCHANGE 2), macOS has
`renameatx_np` (flags from sys/stdio.h: RENAME_SWAP 2, RENAME_EXCL 4). Where neither works the
callers fall back; these functions then say `None`.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from functools import cache

_EXCHANGE = 2
_NO_REPLACE = 4 if sys.platform == "darwin" else 1
_CANNOT = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})
_Rename = Callable[[int, bytes, int, bytes, int], int]


def exchange(folder: int, left: str, right: str) -> bool:
    """Exchange two names in an open folder; False if this system or file system cannot.

    Raises FileNotFoundError if one of them is missing, OSError for anything else.
    """
    return _rename(folder, left, right, _EXCHANGE)


def rename_to_free(folder: int, old: str, new: str) -> bool:
    """Rename only if `new` is free; False if this system or file system cannot tell.

    Raises FileExistsError if `new` is taken, OSError for anything else.
    """
    return _rename(folder, old, new, _NO_REPLACE)


def _rename(folder: int, old: str, new: str, flags: int) -> bool:
    call = _system_call()
    if call is None:
        return False
    if call(folder, os.fsencode(old), folder, os.fsencode(new), flags) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), old, None, new)


@cache
def _system_call() -> _Rename | None:
    """The C function, or None on a C library that is too old to have it."""
    library = ctypes.CDLL(None, use_errno=True)
    name = "renameatx_np" if sys.platform == "darwin" else "renameat2"
    function = getattr(library, name, None)
    if function is None:
        return None
    function.argtypes = (
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_uint,
    )
    function.restype = ctypes.c_int

    def call(old_folder: int, old: bytes, new_folder: int, new: bytes, flags: int) -> int:
        result: int = function(old_folder, old, new_folder, new, flags)
        return result

    return call
