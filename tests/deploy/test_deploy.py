"""The files of deploy/ hold: the programs they are for accept them, and they name only metrics,
paths and settings that exist."""

import html
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from proxy.observe.metrics import make_metrics
from proxy.settings.load import load
from tests.needs import program, requires
from tests.observe.test_metrics import CONTRACT

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
ALERT_TESTS = (DEPLOY / "alerts.test.yml", DEPLOY / "alerts.days.test.yml")
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "mainstem.json"
PICTURE = ROOT / "docs" / "dashboard.svg"
YAML_FILES = sorted(
    file
    for file in (*DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.yml"))
    if file.parent.name != "templates"
)
GROUPS = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}


VARIABLES = {
    "instance": ".*",
    "upstream": ".*",
    "model": ".*",
    "by": "upstream, model",
}


def run(*command: str | Path) -> None:
    """Runs a checker; its output is the message when it objects."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=150,
        cwd=DEPLOY,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def known_series() -> set[str]:
    """Every name that /metrics can print, and the names of the families, by which a text may speak
    of them."""
    names = set()
    for family in make_metrics().registry.collect():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(
            family.type, []
        )
        names.update(family.name + suffix for suffix in ["", *suffixes])
    return names


def expressions() -> list[str]:
    """The dashboard's queries, with Grafana's own variables filled in."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    return [filled(query) for query in queries]


def filled(query, interval="5m"):
    """With Grafana's own variables (`interval` is that of rates), and those of the dashboard when
    everything is chosen."""
    for name, value in {**VARIABLES, "__rate_interval": interval}.items():
        query = query.replace(f"${name}", value)
    assert "$" not in query
    return query


@pytest.mark.parametrize("file", YAML_FILES, ids=lambda file: file.relative_to(DEPLOY).as_posix())
def test_every_yaml_file_parses(file):
    """All documents of it, and none is empty."""
    assert all(yaml.safe_load_all(file.read_text()))


@requires("promtool")
def test_prometheus_accepts_its_configuration_and_the_alerts():
    """promtool follows rule_files, so this reads the alerts too."""
    run(program("promtool"), "check", "config", "prometheus.yml")


@requires("promtool")
def test_the_alerts_fire_when_they_should_and_only_then():
    """The cases stand in deploy/alerts.test.yml, those that take days in alerts.days.test.yml."""
    run(program("promtool"), "test", "rules", *ALERT_TESTS)


@pytest.mark.parametrize("file", ALERT_TESTS, ids=lambda file: file.name)
def test_the_tests_of_alerts_say_in_which_order_groups_are_evaluated(file):
    """promtool takes an order by chance where none is said: an alert would miss what is recorded."""
    order = yaml.safe_load(file.read_text())["group_eval_order"]

    assert order == [group["name"] for group in GROUPS]


@requires("promtool")
def test_the_dashboard_has_only_queries_that_prometheus_understands(tmp_path):
    """Each is put into a rule, for promtool to parse."""
    rules = [
        {"record": f"panel_{number}", "expr": query} for number, query in enumerate(expressions())
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))

    run(program("promtool"), "check", "rules", file)


@pytest.mark.parametrize(
    "file",
    [DEPLOY / "alerts.yml", *ALERT_TESTS, DASHBOARD],
    ids=lambda file: file.name,
)
def test_only_metrics_that_exist_are_named(file):
    """A renamed metric must not leave an alert that can never fire."""
    named = set(re.findall(r"\bmainstem[_:][a-z0-9_:]+", file.read_text())) - RECORDED

    assert set() == named - known_series()


def test_each_variable_of_the_dashboard_is_there_and_is_used():
    """What a query names can be chosen, and what can be chosen changes something."""
    dashboard = json.loads(DASHBOARD.read_text())
    offered = {variable["name"] for variable in dashboard["templating"]["list"]} - {"datasource"}
    queries = " ".join(
        target["expr"] for p in dashboard["panels"] for target in p.get("targets", [])
    )

    assert offered == set(re.findall(r"\$([a-z]\w*)", queries))


@pytest.mark.parametrize("file", [DEPLOY / "alerts.yml", DASHBOARD], ids=lambda file: file.name)
def test_a_metric_is_asked_only_for_labels_that_it_has(file):
    """A label that a metric has not fits no choice but `All`."""
    asked = re.findall(r"\bmainstem_([a-z_]+)\{([^}]*)\}", file.read_text())
    wrong = {
        (name, label)
        for name, selector in asked
        for label in re.findall(r"(\w+)[=!]~?", selector)
        if label not in CONTRACT[re.sub("_(bucket|sum|count)$", "", name)] | {"instance", "le"}
    }

    assert asked
    assert set() == wrong


OPEN = 'mainstem_streams_total{outcome="%s",upstream="u",model="m",instance="a"}'
UP = {"series": 'mainstem_build_info{version="1",instance="a"}', "values": "1x20"}
GOOD = {"series": OPEN % "completed", "values": "0+45x20"}
BAD = {"series": OPEN % "idle_timeout", "values": "0+15x20"}
LEFT = {"series": OPEN % "client_gone", "values": "0+15x20"}
IDLE = {"series": OPEN % "completed", "values": "9x20"}


@requires("promtool")
@pytest.mark.parametrize(
    ("series", "shown"),
    [
        ([UP, GOOD], [0]),
        ([UP, GOOD, LEFT], [0]),
        ([UP, GOOD, BAD], [0.25]),
        ([UP, IDLE], [0]),
        ([UP], [0]),
        ([], []),
    ],
    ids=["well", "clients leave", "a quarter fails", "no streams now", "no streams yet", "down"],
)
def test_the_share_that_fails_is_nought_while_all_is_well(tmp_path, series, shown):
    """And is not shown where nothing is known: a proxy that is down is not well."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    query = next(p["targets"][0]["expr"] for p in panels if p["title"] == "Failing")
    samples = [{"labels": "{}", "value": value} for value in shown]
    asked = {"expr": filled(query), "eval_time": "15m", "exp_samples": samples}
    test = {"interval": "1m", "input_series": series, "promql_expr_test": [asked]}
    file = tmp_path / "tests.yml"
    file.write_text(yaml.safe_dump({"tests": [test]}))

    run(program("promtool"), "test", "rules", file)


def test_every_alert_has_a_test_and_a_section_that_says_what_to_do():
    """Under its own name, in the operator's page."""
    alerts = [rule for rule in RULES if "alert" in rule]
    names = [rule["alert"] for rule in alerts]
    page = (ROOT / "docs" / "OPERATING.md").read_text()
    tested = "".join(file.read_text() for file in ALERT_TESTS)

    assert names == re.findall(r"^### (Mainstem\w+)$", page, re.MULTILINE)
    assert [f"docs/OPERATING.md#{name.lower()}" for name in names] == [
        rule["annotations"]["runbook"] for rule in alerts
    ]
    assert [] == [name for name in names if not re.search(rf"\b{name}\b", tested)]


def test_what_is_recorded_is_tested_or_decides_an_alert_that_is():
    """And is shown: nothing is recorded for nobody."""
    tested = "".join(file.read_text() for file in ALERT_TESTS)
    alerts = " ".join(rule["expr"] for rule in RULES if "alert" in rule)
    used = {name for name in RECORDED if name in tested or re.search(rf"{name}\b", alerts)}
    shown = DASHBOARD.read_text() + alerts

    assert set() == RECORDED - used
    assert set() == {name for name in RECORDED if not re.search(rf"{name}\b", shown)}


def test_every_panel_is_in_the_picture_of_the_dashboard():
    """Which `make panels` draws: small enough for a page, and no panel of it is empty."""
    text = PICTURE.read_text()
    panels = json.loads(DASHBOARD.read_text())["panels"]

    assert [] == [
        panel["title"]
        for panel in panels
        if f">{html.escape(filled(panel['title']))}</text>" not in text
    ]
    assert 0 == text.count("no data")
    assert PICTURE.stat().st_size < 300_000
    assert f"({PICTURE.name})" in (ROOT / "docs" / "OPERATING.md").read_text()


@requires("systemd")
def test_systemd_takes_the_unit_and_finds_it_closed(tmp_path):
    """Its own judgement of how exposed the service is, from 0 to 10."""
    unit = (DEPLOY / "mainstem.service").read_text()
    file = tmp_path / "mainstem.service"
    file.write_text(unit.replace("/opt/mainstem/bin/mainstem", "/bin/true"))
    run(program("systemd"), "verify", "--man=no", file)
    words = ("security", "--offline=true", "--threshold=20", file)
    run(program("systemd"), *words)


def test_every_metric_is_on_the_dashboard():
    """What is measured can be seen."""
    shown = DASHBOARD.read_text()
    ours = {
        family.name
        for family in make_metrics().registry.collect()
        if family.name.startswith("mainstem_")
    }

    assert set() == {name for name in ours if name not in shown}


def test_the_image_is_built_from_hashed_locks_and_serves_as_nobody():
    """What an engine would only show at run time, read off the Dockerfile."""
    text = (DEPLOY / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)

    assert 2 == text.count("pip install --no-deps --require-hashes")
    assert [] == [name for line in copied for name in line.split() if not (ROOT / name).exists()]
    assert re.search(r"^USER [1-9]\d+$", text, re.MULTILINE)
    assert "/livez" in text.partition("HEALTHCHECK")[2]
    assert {"8080", "9091"} == set(re.search(r"^EXPOSE (.+)$", text, re.MULTILINE)[1].split())


def test_the_build_context_holds_what_the_image_copies():
    """.dockerignore leaves everything out but these."""
    allowed = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE
    )

    assert {name for line in copied for name in line.split()} == allowed


def test_the_image_environment_and_config_are_settings_that_the_program_takes():
    """The config of the image, under its environment, listens where the probes look."""
    block = (DEPLOY / "Dockerfile").read_text().partition("MAINSTEM_SERVER__HOST")
    environment = dict(re.findall(r"(MAINSTEM_\w+)=(\S+)", block[1] + block[2]))
    settings = load(DEPLOY / "mainstem.yaml", environment)

    assert (8080, 9091) == (settings.server.port, settings.admin.port)
    assert {"0.0.0.0"} == {settings.server.host, settings.admin.host}


def test_the_kubernetes_config_is_one_that_the_program_takes(tmp_path):
    """And its pods are given longer to end than their streams are."""
    documents = {
        document["kind"]: document
        for document in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    }
    file = tmp_path / "mainstem.yaml"
    file.write_text(documents["ConfigMap"]["data"]["mainstem.yaml"])
    settings = load(file, {"OPENAI_API_KEY": "k", "MAINSTEM_SERVER__HOST": "0.0.0.0"})
    pod = documents["Deployment"]["spec"]["template"]["spec"]

    assert pod["terminationGracePeriodSeconds"] > 5 + settings.server.drain_s
    assert "/readyz" == pod["containers"][0]["readinessProbe"]["httpGet"]["path"]


def test_the_dashboard_panels_do_not_overlap():
    """Each has its own place on the 24 columns."""
    taken = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
