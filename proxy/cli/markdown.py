"""Markdown for a terminal, while it comes: what was printed stays as it is, and nothing is drawn
anew.

It knows what models write most: headings, bold, code, fences, lists, quotes. All else stands as it
was written. A library would draw whole documents, which a stream is only at its end.
"""

import re

BOLD, DIM, CODE, RESET = "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[0m"
# The beginning of a line that may yet become a mark.
_MAY_BE = re.compile(r" {0,8}(#{1,6}|`{1,3}|~{1,3}|[-*+]|>)?")
_FENCE = re.compile(r" {0,8}(```|~~~)")
_HEADING = re.compile(r" {0,3}#{1,6}")
_BULLET = re.compile(r"( {0,8})[-*+]")
_QUOTE = re.compile(r" {0,3}>")


class Styler:
    """Give it the text in any pieces. It holds back at most a mark that is not complete."""

    def __init__(self) -> None:
        self._start: str | None = ""  # of the line, while it may be a mark
        self._mark, self._marks = "", 0  # held, as more may follow
        self._last = "\n"
        self._fence = self._heading = self._bold = self._code = False
        self._styled = False  # this line

    def feed(self, text: str) -> str:
        """What to print of these characters, and of those before them."""
        return "".join(map(self._one, text))

    def end(self) -> str:
        """The rest; the terminal is as it was."""
        start = self._start or ""
        held = start if self._fence else "".join(map(self._inline, start))
        self._start = ""
        rest = held + self._let_go("\n") + self._plain()
        self._fence = False
        return rest

    def _one(self, sign: str) -> str:
        if self._start is None:
            return self._inside(sign)
        if _MAY_BE.fullmatch(self._start + sign):
            self._start += sign
            return ""
        start, self._start = self._start, None
        return self._begin(start, sign)

    def _begin(self, start: str, sign: str) -> str:
        """A line that begins with `start`, which is no longer to be waited for."""
        if _FENCE.fullmatch(start):
            self._fence, self._styled = not self._fence, True
            return DIM + start + self._raw(sign)
        if self._fence:
            self._styled = True
            return CODE + start + self._raw(sign)
        if sign == " " and _HEADING.fullmatch(start):
            self._heading = self._styled = True
            return BOLD
        if sign == " " and (match := _BULLET.fullmatch(start)):
            return f"{match[1]}• "
        if sign == " " and _QUOTE.fullmatch(start):
            return f"{DIM}│{RESET} "
        return "".join(map(self._inline, start)) + self._inside(sign)

    def _inside(self, sign: str) -> str:
        return self._raw(sign) if self._fence or sign == "\n" else self._inline(sign)

    def _raw(self, sign: str) -> str:
        if sign != "\n":
            return sign
        out = self._let_go(sign) + self._plain() + sign
        self._start, self._last = "", sign
        return out

    def _inline(self, sign: str) -> str:
        if sign == self._mark and self._marks:
            self._marks += 1
            return ""
        out = self._let_go(sign)
        if sign == "`" or (sign == "*" and not self._code):
            self._mark, self._marks = sign, 1
            return out
        self._last = sign
        return out + sign

    def _let_go(self, following: str) -> str:
        """Of the marks that are held: one backtick turns code on and off, two stars turn bold on
        before a letter and off behind one. All others stand as they are.
        """
        mark, count, self._marks = self._mark, self._marks, 0
        if mark == "`" and count == 1:
            self._code = not self._code
            return self._style()
        if mark == "*" and count == 2 and self._turns(following):
            self._bold = not self._bold
            return self._style()
        if count:
            self._last = mark
        return mark * count

    def _turns(self, following: str) -> bool:
        return not (self._last if self._bold else following).isspace()

    def _plain(self) -> str:
        """No style goes on over the end of a line."""
        styled, self._styled = self._styled, False
        self._heading = self._bold = self._code = False
        return RESET if styled else ""

    def _style(self) -> str:
        before = RESET if self._styled else ""
        style = (BOLD if self._bold or self._heading else "") + (CODE if self._code else "")
        self._styled = bool(style)
        return before + style
