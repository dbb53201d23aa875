"""Every mistake in a file: one sentence with file, path and fix."""

import pytest

from proxy.settings.mistakes import ConfigError, dotted
from tests.settings.conftest import Load, Problems

ONE_UPSTREAM = (
    "models: {x: [{upstream: a}]}\nupstreams: {a: {dialect: anthropic, base_url: 'https://h', %s}}"
)

SENTENCES = [
    ("server: {prot: 1}", "server.prot is not a setting; did you mean server.port?"),
    ("sever: {port: 1}", "sever is not a setting; did you mean server?"),
    ("heartbeat_s: 3", "heartbeat_s is not a setting; did you mean streams.heartbeat_s?"),
    ("admin: {zzz: 1}", "admin.zzz is not a setting; admin may have host, port"),
    ("server: {port: abc}", "server.port must be a whole number, not 'abc'"),
    ("server: {port: 1.5}", "server.port must be a whole number, not 1.5"),
    ("server: {port: true}", "server.port must be a whole number, not true"),
    ("server: {port: 70000}", "server.port must be at most 65535, not 70000"),
    ("server: {port: [1]}", "server.port must be a whole number, not a list"),
    ("server: {host: 5}", "server.host must be text, not 5: put it in quotes"),
    ("server: 8080", "server must be a section of names and values, not 8080"),
    ("server: [a]", "server must be a section of names and values, not a list"),
    ("timeouts: {idle_s: soon}", "timeouts.idle_s must be a number, not 'soon'"),
    ("timeouts: {idle_s: no}", "timeouts.idle_s must be a number, not false"),
    ("timeouts: {idle_s: 0}", "timeouts.idle_s must be more than 0, not 0"),
    ("timeouts: {idle_s: .inf}", "timeouts.idle_s must be at most 31536000, not Infinity"),
    ("timeouts: {idle_s: .nan}", "timeouts.idle_s must be more than 0, not NaN"),
    ("logs: {prompts: perhaps}", "logs.prompts must be true or false, not 'perhaps'"),
    ("logs: {level: loud}", "logs.level must be one of debug, info, warning or error, not 'loud'"),
    (
        "streams: {on_disconnect: cancle}",
        "streams.on_disconnect must be one of cancel, grace or finish, not 'cancle'",
    ),
    (
        "cors: {allow_origins: '*'}",
        "cors.allow_origins must be a list, not '*': put [ ] around it",
    ),
    (
        "cors: {allow_origins: ['https://*.a.example']}",
        'cors.allow_origins[0] must be one whole origin, such as https://app.example.com, or "*" alone for any: a * within it stands for nothing',
    ),
    (
        "server: port:8080",
        "server must be a section of names and values, not 'port:8080': put a space behind the colon",
    ),
    (
        "server: port：80",
        "server must be a section of names and values, not 'port：80': the sign ： must be a plain one",
    ),
    (
        "server: {\u00a0port: 80}",
        'server."\u00a0port" is not a setting; look at a space that is none (U+00A0 or U+3000) in its name',
    ),
    (
        "server: {host: ''}",
        "server.host must be an address: write 0.0.0.0, or ::, to listen on all that there are",
    ),
    (
        "server: {host: '*'}",
        "server.host must be an address: write 0.0.0.0, or ::, to listen on all that there are",
    ),
    (
        "server: {host: 'http://127.0.0.1'}",
        "server.host must be an address or a host name alone, such as 127.0.0.1: no scheme, no path",
    ),
    (
        "server: {host: '127.0.0.1:9000'}",
        "server.host must have no port in it: put that into server.port",
    ),
    (
        "admin: {host: “127.0.0.1”}",
        "admin.host must be an address or a host name, without spaces or quotes in it",
    ),
    ("timeouts: {idle_s: 5m}", "timeouts.idle_s must be a number, not '5m': write 300, in seconds"),
    (
        "timeouts: {idle_s: 1500 ms}",
        "timeouts.idle_s must be a number, not '1500 ms': write 1.5, in seconds",
    ),
    (
        "timeouts: {idle_s: '1,5'}",
        "timeouts.idle_s must be a number, not '1,5': write 1.5, in seconds",
    ),
    (
        "limits: {max_body_bytes: 4MB}",
        "limits.max_body_bytes must be a whole number, not '4MB': write 4194304, in bytes",
    ),
    (
        "limits: {max_body_bytes: 1e6}",
        "limits.max_body_bytes must be a whole number, not '1e6': write 1000000, in bytes",
    ),
    (
        "limits: {max_streams: 2k}",
        "limits.max_streams must be a whole number, not '2k': write 2000",
    ),
    ("limits: {max_streams: 10%}", "limits.max_streams must be a whole number, not '10%'"),
    ("retry: {budget: 20%}", "retry.budget must be a number, not '20%': write 0.2"),
    ("logging: {level: info}", "logging is not a setting; did you mean logs?"),
    (
        "server: {tls: {cert: a, key_file: b}}",
        "server.tls.cert is not a setting; did you mean server.tls.cert_file?",
    ),
    (
        "tracing: {}",
        "tracing.endpoint is missing: address of a collector's traces, such as http://127.0.0.1:4318/v1/traces",
    ),
    (
        "cors: {allow_origins: ['https://a.example/']}",
        "cors.allow_origins[0] must be an origin such as https://app.example.com: a scheme, a host and perhaps a port, and no path or slash after it",
    ),
    (
        "cors: {allow_credentials: true}",
        'cors cannot have allow_credentials with allow_origins "*": name the origins, or set allow_credentials to false',
    ),
    ("auth: nobody", "auth must be a section with keys, or the word none"),
    ("auth: false", "auth must be a section with keys, or the word none"),
    ("auth: [a]", "auth must be a section with keys, or the word none"),
    (
        "auth: {keys: [{name: a}]}",
        "auth.keys[0].sha256 is missing: SHA-256 of the key, in lower-case hex: printf %s KEY | sha256sum",
    ),
    (
        "auth: {keys: [{name: a, key: sk-secret}]}",
        "auth.keys[0].key is not a setting; did you mean auth.keys[0].sha256?",
    ),
    (
        "auth: {keys: [{name: a, sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855}]}",
        "auth.keys[0].sha256 is that of an empty text: the variable that was hashed held no key",
    ),
    (
        "auth: {keys: [{name: a, sha256: my-key}]}",
        "auth.keys[0].sha256 must be a SHA-256: 64 lower-case hex digits, as `printf %s KEY | sha256sum` prints them",
    ),
    (
        "upstreams: {a: {dialect: anthropic}}\nmodels: {x: [{upstream: a}]}",
        "upstreams.a needs either base_url (a real endpoint) or mock (played here), and not both",
    ),
    (
        ONE_UPSTREAM % "mock: {}",
        "upstreams.a needs either base_url (a real endpoint) or mock (played here), and not both",
    ),
    (
        "limits: {max_body_bytes: 10, max_inflight_body_bytes: 9}",
        "limits has max_inflight_body_bytes below max_body_bytes: a body of that size could never be taken",
    ),
    (
        ONE_UPSTREAM % "api_key: k, api_key_file: f",
        "upstreams.a has both api_key and api_key_file: keep one",
    ),
    (
        ONE_UPSTREAM % "path: v1",
        "upstreams.a.path must be a path that starts with / and has no spaces",
    ),
    (ONE_UPSTREAM % "moc: 1", "upstreams.a.moc is not a setting; did you mean upstreams.a.mock?"),
    (
        "upstreams: {a: {base_url: 'https://h'}}\nmodels: {x: [{upstream: a}]}",
        "upstreams.a.dialect is missing: the wire format that it speaks",
    ),
    (
        "upstreams: {a b: {dialect: anthropic, mock: {}}}\nmodels: {x: [{upstream: a b}]}",
        'upstreams."a b" is not a good name: use up to 64 letters, digits, dots, dashes and underscores',
    ),
    (
        'upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {"": [{upstream: a}]}',
        'models."" is not a good name: use 1 to 200 printable characters without spaces around them',
    ),
    (
        "upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {x: {upstream: a}}",
        "models.x must be a list of targets, or a section with targets: put [ ] around this one",
    ),
    (
        "upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {x: a}",
        "models.x must be a list of targets: write [{upstream: a}]",
    ),
    (
        "upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {x: b}",
        "models.x must be a list of targets, for example [{upstream: NAME, model: THE-VENDORS-NAME}], or a section with targets",
    ),
    (
        "upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {x: 5}",
        "models.x must be a list of targets, for example [{upstream: NAME}], or a section with targets",
    ),
    (
        "upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {x: [{upstream: a}], y: x}",
        "models.y names another model: list the targets of that one here too",
    ),
    (
        "upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {x: [{upstream: a}], y: [{upstream: x}]}",
        "models.y[0].upstream 'x' is a model, and not among upstreams; known: a",
    ),
    (
        "upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {x: [a]}",
        "models.x[0] must be a target, for example {upstream: a}",
    ),
    (
        "upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {x: [{upstraem: a}]}",
        "models.x[0].upstraem is not a setting; did you mean models.x[0].upstream?",
    ),
    (
        "upstream: {a: {dialect: anthropic, mock: {}}}\nmodels: {x: [{upstream: a}]}",
        "upstream is not a setting; did you mean upstreams?",
    ),
    (
        "upstreams: [a]\nmodels: {x: [{upstream: a}]}",
        "upstreams must be a section of names and values, not a list",
    ),
    (
        ONE_UPSTREAM.replace("base_url", "endpoint") % "",
        "upstreams.a.endpoint is not a setting; did you mean upstreams.a.base_url?",
    ),
    (
        ONE_UPSTREAM % "prices: {m: {input: 1, output_per_million: 2}}",
        "upstreams.a.prices.m.input is not a setting; did you mean upstreams.a.prices.m.input_per_million?",
    ),
    (
        (ONE_UPSTREAM % "").replace("https://h", "https://h:0"),
        "upstreams.a.base_url is not a URL: check its host and port",
    ),
    (
        (ONE_UPSTREAM % "").replace("https://h", "https://*.h"),
        "upstreams.a.base_url is not a URL: check its host and port",
    ),
    (
        ONE_UPSTREAM % "api_key_file: sk-secret",
        "upstreams.a.api_key_file names no file: a key itself goes into api_key, and here the path of a file",
    ),
    (
        ONE_UPSTREAM % "api_key_file: 0123456789abcdef0123456789abcdef",
        "upstreams.a.api_key_file names no file: a key itself goes into api_key, and here the path of a file",
    ),
    (
        "upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {x: {targets: [{upstream: b}]}}",
        "models.x.targets[0].upstream 'b' is not among upstreams; known: a",
    ),
    (
        "upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {x: {targets: [{upstream: a}], hedge_after_s: 1}}",
        "models.x.hedge_after_s needs a second target to ask: list one, or take this setting out",
    ),
    (
        "upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {x: [{upstream: a, weight: 0}]}",
        "models.x[0].weight must be more than 0, not 0",
    ),
    (
        "upstreams: {a: {dialect: anthropic, mock: {}}}\nmodels: {x: {targets: [{upstream: a, wieght: 1}]}}",
        "models.x.targets[0].wieght is not a setting; did you mean models.x.targets[0].weight?",
    ),
    ("retry: {budget: 2}", "retry.budget must be at most 1, not 2"),
]


@pytest.mark.parametrize(("text", "said"), SENTENCES, ids=[text[:50] for text, _ in SENTENCES])
def test_one_mistake_is_one_sentence(problems: Problems, text: str, said: str) -> None:
    """The file, the path, what it must be, and what it is."""
    faults = [fault for fault in problems(text) if "auth.keys is empty" not in fault]
    assert [f"x.yaml: {said}"] == faults


def test_all_mistakes_are_listed_at_once(problems: Problems) -> None:
    """Nobody has to mend a file one error at a time: types, names and what holds between settings
    are all said."""
    said = problems(
        """
        server: {prot: 1, port: abc}
        upstreams: {a: {dialect: antropic, base_url: ftp://h}}
        models: {x: [{upstream: b}], y: []}
        """
    )
    assert {
        "x.yaml: server.prot is not a setting; did you mean server.port?",
        "x.yaml: server.port must be a whole number, not 'abc'",
        "x.yaml: upstreams.a.dialect 'antropic' is not a dialect; did you mean anthropic?",
        "x.yaml: upstreams.a.base_url must start with http:// or https://",
        "x.yaml: models.x[0].upstream 'b' is not among upstreams; known: a",
        "x.yaml: models.y needs at least one target, for example [{upstream: NAME, model: THE-VENDORS-NAME}]",
    } == set(said)


@pytest.mark.parametrize(
    "text",
    [
        ONE_UPSTREAM % 'api_key: ["sk-secret"]',
        ONE_UPSTREAM % 'api_key: "sk-secret\\nx"',
        ONE_UPSTREAM % "headers: {cookie: [sk-secret]}",
        ONE_UPSTREAM % 'headers: {cookie: "sk-secret\\r\\nx"}',
        ONE_UPSTREAM % "headers: sk-secret",
        ONE_UPSTREAM % "options: sk-secret",
        (ONE_UPSTREAM % "path: /").replace("https://h", "https://user:sk-secret@h"),
        (ONE_UPSTREAM % "path: /").replace("https://h", "https://h/?key=sk-secret"),
        (ONE_UPSTREAM % "path: /").replace("https://h", "sk-secret"),
        "auth: {keys: [{name: a, sha256: sk-secret}]}",
        "auth: sk-secret",
        "auth: {keys: sk-secret}",
        "auth: {keys: [sk-secret]}",
        'upstreams: \'{"a": {"api_key": "sk-secret"\'',
        "limits: 'redis://:sk-secret@h'",
        ONE_UPSTREAM % "headers: {'Authorization: Bearer sk-secret': ''}",
        "server: {port: '${KEY}'}",
        "server: {host: '${KEY}': 1}",
        'upstreams: {a: {api_key: "sk-secret}}',
    ],
)
def test_no_message_holds_a_secret(problems: Problems, text: str) -> None:
    """A message is copied into tickets; the value of a setting that may be secret is never in
    it."""
    assert "sk-secret" not in "\n".join(problems(text, KEY="sk-secret"))


def test_no_secret_hides_behind_the_error(loaded: Load) -> None:
    """A traceback prints causes and contexts: there is none that knows the values."""
    with pytest.raises(ConfigError) as caught:
        loaded(ONE_UPSTREAM % 'api_key: "sk-secret\\nx"')
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "\n".join(caught.value.problems) == str(caught.value)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (("models", "fast", 0, "upstream"), "models.fast[0].upstream"),
        (("models", "openai/gpt:free"), "models.openai/gpt:free"),
        (("models", "gpt-4.1"), 'models."gpt-4.1"'),
        (("a\nb", "c"), '"a\\nb".c'),
        (("models", "*"), "models.*"),
    ],
)
def test_a_path_is_one_plain_line(where: tuple[str | int, ...], said: str) -> None:
    """Names that are no plain words are quoted, so that a name cannot write a line of its own."""
    assert said == dotted(where)
