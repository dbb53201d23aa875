"""The folders of recordings: where they are, and what is wrong with them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proxy.settings.mistakes import Problems
from proxy.settings.schema import Where


def with_folders_found(tree: Mapping[str, Any], folder: Path, problems: Problems) -> dict[str, Any]:
    """The tree with the folders for recordings found from the configuration's folder. Adds those
    that cannot be made or written into: else that would be known with the first stream.
    """
    found = _found(tree, (), folder, problems)
    upstreams = tree.get("upstreams")
    if not isinstance(upstreams, dict):
        return found
    own = {
        name: _found(upstream, ("upstreams", name), folder, problems)
        for name, upstream in upstreams.items()
        if isinstance(upstream, dict)
    }
    return {**found, "upstreams": {**upstreams, **own}}


def _found(
    branch: Mapping[str, Any], where: Where, folder: Path, problems: Problems
) -> dict[str, Any]:
    record = branch.get("record")
    named = record.get("folder") if isinstance(record, dict) else None
    if not isinstance(record, dict) or not isinstance(named, str):
        return dict(branch)
    place = folder / named
    if fault := _fault(place):
        problems.say((*where, "record", "folder"), fault)
    return {**branch, "record": {**record, "folder": str(place)}}


def _fault(folder: Path) -> str:
    there = folder
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    if not there.is_dir():
        return f"is a file, or would be within one: {there}; name a folder"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"cannot be written to: {there} is not this user's; name another folder"
    return ""
