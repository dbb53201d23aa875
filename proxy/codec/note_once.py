"""Losses of a request, each said once."""

from proxy.events import Note


def note_once(notes: list[Note], note: Note) -> None:
    """Append it, unless it is there."""
    if note not in notes:
        notes.append(note)
