"""The files of server.tls: where they are, and what is wrong with them."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proxy.settings.mistakes import Problems
from proxy.settings.reading import unreadable

_NAMES = ("cert_file", "key_file")


def with_tls_found(tree: Mapping[str, Any], folder: Path, problems: Problems) -> dict[str, Any]:
    """The tree with the files of server.tls found from the configuration's folder. Adds what is
    wrong with them.
    """
    server = tree.get("server")
    tls = server.get("tls") if isinstance(server, dict) else None
    if not isinstance(server, dict) or not isinstance(tls, dict):
        return dict(tree)
    found = {
        **tls,
        **{name: str(folder / tls[name]) for name in _NAMES if isinstance(tls.get(name), str)},
    }
    if all(isinstance(tls.get(name), str) for name in _NAMES):
        where, fault = _fault(*(found[name] for name in _NAMES))
        if fault:
            problems.say(("server", "tls", where), fault)
    return {**tree, "server": {**server, "tls": found}}


def _fault(cert_file: str, key_file: str) -> tuple[str, str]:
    """Which setting is wrong, and how; "" for none."""
    for where, file in zip(_NAMES, (cert_file, key_file), strict=True):
        try:
            with Path(file).open("rb") as opened:
                opened.read(1)
        except OSError as error:
            return where, unreadable(Path(file), error)
    try:
        # a passphrase is asked of nobody
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert_file, key_file, lambda: "")
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or "no PEM"
        if reason == "KEY_VALUES_MISMATCH":
            return "key_file", f"is not the key of the certificate in cert_file: {key_file}"
        why = f"and key_file hold no certificate with its key ({reason}): {cert_file}, {key_file}"
        return "cert_file", why
    return "", ""
