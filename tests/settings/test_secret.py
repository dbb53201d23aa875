"""Which names tell of a secret."""

import pytest

from proxy.settings.secret import holds_secret


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "set-cookie",
        "api_key",
        "x-api-key",
        "X-Goog-Api-Key",
        "apiKey",
        "chat_token",
        "chatToken",
        "Acs-Token",
        "password",
        "db_password",
        "client_secret",
        "jwt",
        "sign",
        "sha256",
        "session_id",
        "credentials",
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
    ],
)
def test_these_hold_secrets(name: str) -> None:
    """In any spelling."""
    assert holds_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "key",
        "keys",
        "output_tokens",
        "max_tokens",
        "tokens_per_s",
        "api_key_file",
        "model",
        "design",
        "secretary",
        "stream",
        "name",
        "author",
        "",
    ],
)
def test_these_do_not(name: str) -> None:
    """Counts of tokens and the configured name of a key are no secrets."""
    assert not holds_secret(name)
