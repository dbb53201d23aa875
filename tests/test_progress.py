"""The bar of a long run."""

import io

from tests import progress
from tests.progress import Bar, drawn, of_time


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_has_share_and_time():
    assert "soak [............]".replace("." * 12, "." * 24) + "   0%  0:00" == drawn(
        "soak", 0, 0, ""
    )
    assert f"soak [{'#' * 12}{'.' * 12}]  50%  1:05, 1:05 left  3 open" == drawn(
        "soak", 0.5, 65, "3 open"
    )
    assert f"soak [{'#' * 24}] 100%  0:09, 0:00 left" == drawn("soak", 1.7, 9, "")


def test_a_terminal_gets_a_bar_that_goes_away(monkeypatch):
    monkeypatch.setattr(progress, "_DRAW_S", 0.001)
    out = Terminal()
    with Bar("fuzz", of_time(1000), out) as bar:
        bar.say("gemini")
        while "gemini" not in out.getvalue():
            pass
    assert out.getvalue().startswith("\r\x1b[Kfuzz [")
    assert out.getvalue().endswith("\r\x1b[K")


def test_a_file_gets_lines(monkeypatch):
    monkeypatch.setattr(progress, "_LINE_S", 0.001)
    out = io.StringIO()
    with Bar("fuzz", lambda: 0.25, out) as bar:
        bar.clear()
        while "\n" not in out.getvalue():
            pass
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().startswith("fuzz [######..")
