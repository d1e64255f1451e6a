"""Whether this machine has credentials for AWS: keys, a profile, a role."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache

REMEMBERED = 60.0
"""Seconds for which an answer stands: a role that is given counts without a new start."""

PATIENCE = 0.5
"""Seconds that a page waits. The service that tells a machine its role answers at once where there
is one; elsewhere nobody does, and the SDK finds that out in its own time, meanwhile."""

_looking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aws credentials")


def are_there() -> bool:
    if os.environ.get("AWS_ACCESS_KEY_ID") and os.environ.get("AWS_SECRET_ACCESS_KEY"):
        return True  # what the SDK takes before all others, seen without loading it

    import botocore.session  # noqa: F401  # takes longer than looking, and is not what is waited for

    try:
        return _look(int(time.monotonic() / REMEMBERED)).result(PATIENCE)
    except TimeoutError:
        return False


@lru_cache(maxsize=1)
def _look(_moment: int) -> Future[bool]:
    return _looking.submit(_found)


forget = _look.cache_clear


def _found() -> bool:
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        return Session().get_credentials() is not None
    except (BotoCoreError, OSError):  # half a key, a profile that is not there
        return False
