"""Settings that are kept in AWS Secrets Manager and not in the environment.

``PORTAL_DEEPGRAM_API_KEY_SECRET=portal/deepgram`` stands for the variable without ``_SECRET``; so
it is with every setting. After a ``#`` comes a field of a secret that is JSON:
``PORTAL_DATABASE_URL_SECRET=portal/database#url``. Region and credentials are those of the machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

SUFFIX = "_SECRET"


class OutOfReach(Exception):
    """A secret could not be read. The message names the variable and never the value."""


def fetched(fields: Iterable[str]) -> dict[str, Any]:
    """Field to value, of those fields whose variable names a secret. Asks nobody when there is
    none. Raises OutOfReach."""
    named = {
        field: name
        for field in fields
        if (name := os.environ.get(f"PORTAL_{field.upper()}{SUFFIX}"))
    }
    return {field: _value(field, name) for field, name in named.items()}


def _value(field: str, name: str) -> str:
    variable = f"PORTAL_{field.upper()}"
    if variable in os.environ:
        raise OutOfReach(f"Están puestas {variable} y {variable}{SUFFIX}: deje una de las dos.")
    secret, _, key = name.partition("#")
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise OutOfReach(
            f"{variable}{SUFFIX}: falta el programa que habla con AWS (el extra «aws»)."
        ) from None
    try:
        text = boto3.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        return str(json.loads(text)[key]) if key else str(text)
    except (BotoCoreError, ClientError, KeyError, TypeError, ValueError) as error:
        raise OutOfReach(
            f"{variable}{SUFFIX}: no se ha podido leer «{name}» en AWS Secrets Manager "
            f"({type(error).__name__})."
        ) from None
