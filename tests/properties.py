"""How many examples the tests of hypothesis try: a few in daily work, all of them with CI=true.

No test has a deadline, as a loaded machine must not fail it. conftest.py imports this module where
such tests run; a test that wants more or fewer examples than usual asks for `examples(150)`.
"""

from hypothesis import settings

from tests.needs import IN_CI

_USUAL = 100  # examples, as many as hypothesis tries itself
_DAILY_SHARE = 4


def scaled(most: int) -> int:
    """As many examples as are tried here of `most`, which CI tries."""
    return most if IN_CI else max(10, most // _DAILY_SHARE)


def examples(most: int) -> settings:
    return settings(deadline=None, max_examples=scaled(most))


settings.register_profile("mainstem", deadline=None, max_examples=scaled(_USUAL))
settings.load_profile("mainstem")
