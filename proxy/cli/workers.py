"""Several processes that share one port: what they are started with. `foreman` watches them."""

import argparse
import contextlib
from collections.abc import Callable

from proxy.cli import common, local_key
from proxy.cli.foreman import Foreman
from proxy.cli.places import Places
from proxy.cli.scratch import metrics_folder
from proxy.mock import played
from proxy.observe.crew import Crew
from proxy.relay.itself import PYTHON, python_path
from proxy.settings.defaults import is_embedded
from proxy.settings.model import Settings

Greeting = Callable[[str, str | None, Settings], str]


def run(options: argparse.Namespace, settings: Settings, greeting: Greeting) -> int:
    """Run `server.workers` processes until SIGTERM or SIGINT. Raises ListenError, or MockError for
    a mock that cannot be played.
    """
    played.check(settings)
    server, admin = settings.server, settings.admin
    wanted = [(server.host, server.port, "server")]
    if admin is not None:
        wanted.append((admin.host, admin.port, "admin"))
    with contextlib.ExitStack() as held, metrics_folder() as (metrics_dir, lock):
        places = Places(held, wanted)
        url, admin_url = places.urls[0], next(iter(places.urls[1:]), None)
        if server.tls is not None:
            url = url.replace("http:", "https:", 1)
        key = local_key.made()
        local_key.give(key, metrics_dir)
        held.enter_context(local_key.kept(key, admin_url or url))
        given = {"PROMETHEUS_MULTIPROC_DIR": metrics_dir, "PYTHONPATH": python_path()}
        foreman = Foreman(
            _command(options, settings),
            common.overridden(common.environ_of(options), given),
            lock,
            server.workers,
            places=places,
            books=held.enter_context(contextlib.closing(Crew(metrics_dir))),
            ready=lambda: print(greeting(url, admin_url, settings), flush=True),
        )
        return foreman.run()


def _command(options: argparse.Namespace, settings: Settings) -> list[str]:
    command = [*PYTHON, "-m", "proxy", "serve"]
    if not is_embedded(settings):
        command.append("--never-embedded")
    return [*command, "--config", options.config] if options.config else command
