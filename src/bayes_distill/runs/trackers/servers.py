"""Tracking servers that nobody answers at are given up on within seconds."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit
from urllib.request import getproxies

from bayes_distill.errors import InputError

PATIENCE = 5.0  # seconds that a tracking server is given to answer


def check_server(uri: str, shown: str) -> None:
    """Refuse a server that nobody answers at, within `PATIENCE` seconds.

    Raises
    ------
    InputError
        Saying why it cannot be reached.
    """
    address = urlsplit(uri)
    if address.scheme not in ("http", "https") or getproxies().get(address.scheme):
        return  # a file, or a server that only a proxy reaches
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
        socket.create_connection((address.hostname or "", port), PATIENCE).close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InputError(f"no tracking server answers at {shown} ({reason})") from None
