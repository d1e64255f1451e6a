"""Let one system user walk through a folder without opening it to anybody else.

When the portal runs as root its PostgreSQL runs as another user, and a home folder is often
closed (0700). `chmod o+x` would let everyone through; a POSIX access-control entry lets
through that user only, and lets it list or read nothing. Written as the kernel's extended
attribute, since the `setfacl` tool is often missing.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from pathlib import Path

_ATTRIBUTE = "system.posix_acl_access"
# linux/posix_acl_xattr.h: a 32-bit version, then entries of tag, permissions, id.
_VERSION = struct.pack("<I", 2)
_ENTRY = struct.Struct("<HHI")
_OWNER, _USER, _GROUP_OWNER, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_EXECUTE = 1


def allow(folder: Path, uid: int) -> None:
    """Give `uid` passage through `folder` and every folder above it that is closed to others.

    Raises OSError with the folder's name where the file system keeps no such entries.
    """
    folder = folder.resolve()
    for component in (*reversed(folder.parents), folder):
        if not component.stat().st_mode & stat.S_IXOTH:
            _allow_one(component, uid)


def _allow_one(folder: Path, uid: int) -> None:
    entries = _read(folder)
    if entries.get((_USER, uid), 0) & _EXECUTE and entries.get((_MASK, _NO_ID), 0) & _EXECUTE:
        return
    entries[_USER, uid] = entries.get((_USER, uid), 0) | _EXECUTE
    # The mask caps what named users and the group get: it must hold at least their rights.
    entries[_MASK, _NO_ID] = entries.get((_MASK, _NO_ID), entries[_GROUP_OWNER, _NO_ID]) | _EXECUTE
    packed = b"".join(_ENTRY.pack(tag, rights, id) for (tag, id), rights in sorted(entries.items()))
    try:
        os.setxattr(folder, _ATTRIBUTE, _VERSION + packed)
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(folder)) from error


def _read(folder: Path) -> dict[tuple[int, int], int]:
    """Rights by (tag, id); of a folder without a list, what its mode says."""
    try:
        raw = os.getxattr(folder, _ATTRIBUTE)
    except OSError as error:
        if error.errno not in (errno.ENODATA, errno.EOPNOTSUPP):
            raise
        mode = folder.stat().st_mode
        return {
            (_OWNER, _NO_ID): mode >> 6 & 7,
            (_GROUP_OWNER, _NO_ID): mode >> 3 & 7,
            (_OTHER, _NO_ID): mode & 7,
        }
    return {(tag, id): rights for tag, rights, id in _ENTRY.iter_unpack(raw[len(_VERSION) :])}
