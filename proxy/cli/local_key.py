"""The key that a proxy makes for its operator at each start, in a file that only its own user and
root can read: `mainstem streams`, on the same machine, takes it from there.

The file is named after the port, `8080.key`. It is in $RUNTIME_DIRECTORY, which systemd gives
(RuntimeDirectory=), or else in the folder mainstem-<uid> of the temporary files.
"""

import contextlib
import fcntl
import os
import secrets
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import structlog

_BYTES = 32  # of chance: nobody guesses it
_MAX_FILE_BYTES = 256
_RUN, _UNITS = Path("/run"), "mainstem*"  # as deploy/mainstem.service and its copies have it
_PORTS = {"http": 80, "https": 443}
_OF_WORKERS = "local.key"


def made() -> str:
    """A new key."""
    return secrets.token_urlsafe(_BYTES)


@contextlib.contextmanager
def kept(key: str, url: str) -> Iterator[None]:
    """The key of the proxy at `url` is in its file for as long as this lasts. Where it cannot be
    written, the log says so, and the proxy does without.
    """
    name = _name(url)
    with contextlib.ExitStack() as held:
        try:
            place = _own_folder()
            if place == _temporary():
                place.mkdir(mode=0o700, exist_ok=True)
            folder = held.enter_context(_opened(place))
            # What cleans up old temporary files leaves a locked folder alone (systemd-tmpfiles).
            _lock(folder, fcntl.LOCK_SH)
            _remove_orphans(folder)
            held.callback(os.close, _write(key, name, folder))
            held.callback(_remove, key, name, folder)
        except OSError as error:
            structlog.get_logger("mainstem").warning(
                "no file for the local key: `mainstem streams` needs a key that has admin: true",
                error=str(error),
            )
        yield


def found(url: str) -> str | None:
    """The key of the proxy at `url`, if it is one of this machine and this user may read it. Raises
    ValueError for what is no URL.
    """
    if not _is_here(urlsplit(url).hostname or ""):
        return None
    units = sorted(_RUN.glob(_UNITS))
    for folder in (_own_folder(), _temporary(), *units):
        # a unit's folder is its user's, and root may ask for it
        with contextlib.suppress(OSError), _opened(folder, of_any=folder in units) as opened:
            return _read(_name(url), opened)
    return None


def give(key: str, folder: str) -> None:
    """Tell workers, in the folder that they share."""
    with _opened(Path(folder)) as opened:
        os.close(_write(key, _OF_WORKERS, opened))


def given(folder: str) -> str | None:
    """What a worker was told."""
    with contextlib.suppress(OSError), _opened(Path(folder)) as opened:
        return _read(_OF_WORKERS, opened)
    return None


def _name(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.port or _PORTS.get(parts.scheme, 0)}.key"


def _is_here(host: str) -> bool:
    """Whether it is an address of this machine: no other one's proxy is told the key."""
    with contextlib.suppress(OSError, ValueError):
        family, kind, _, _, (address, *_) = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.bind((address, 0))
            return True
    return False


def _own_folder() -> Path:
    named = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(named) if named else _temporary()


def _temporary() -> Path:
    return Path(tempfile.gettempdir()) / f"mainstem-{os.getuid()}"


@contextlib.contextmanager
def _opened(folder: Path, *, of_any: bool = False) -> Iterator[int]:
    """A descriptor of the folder. Raises OSError, also where it is not our own (or, with `of_any`,
    anybody's) alone to write to.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        about = os.fstat(opened)
        owned = of_any or about.st_uid == os.getuid()
        if not owned or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(f"others can write to {folder}")
        yield opened
    finally:
        os.close(opened)


def _write(key: str, name: str, folder: int) -> int:
    """Whole or not at all. Answers the open file, which is locked until it is closed. Raises
    OSError.
    """
    new = f"{name}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new, dir_fd=folder)
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
    try:
        _lock(file, fcntl.LOCK_SH)
        os.write(file, key.encode())
        os.replace(new, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.close(file)
        raise
    return file


def _read(name: str, folder: int) -> str:
    """Raises OSError; PermissionError where others can read it too."""
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(file, encoding="ascii", errors="replace") as opened:
        about = os.fstat(file)
        private = stat.S_ISREG(about.st_mode) and not about.st_mode & 0o077
        if not private or about.st_uid != os.fstat(folder).st_uid:
            raise PermissionError(f"{name} is not its owner's alone")
        return opened.read(_MAX_FILE_BYTES)


def _remove(key: str, name: str, folder: int) -> None:
    """Unless another proxy has the port, and its own key there, by now."""
    with contextlib.suppress(OSError):
        if _read(name, folder) == key:
            os.unlink(name, dir_fd=folder)


def _remove_orphans(folder: int) -> None:
    """The keys of proxies that were killed."""
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):  # gone meanwhile, or no file
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
            try:
                if name.endswith(".key") and _lock(file, fcntl.LOCK_EX):
                    os.unlink(name, dir_fd=folder)
            finally:
                os.close(file)


def _lock(file: int, how: int) -> bool:
    """Whether it could be had at once. On a file system without locks nothing is an orphan."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
