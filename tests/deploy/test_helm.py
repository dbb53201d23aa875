"""The chart of deploy/helm, rendered by Helm's own engine: what comes out fits together, and its
configuration is one that the program takes. No cluster runs it here."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from proxy.settings.load import load
from tests.needs import requires

CHART = Path(__file__).parents[2] / "deploy" / "helm"
# In a process of its own: the engine brings Go's runtime along, with its own handling of signals.
RENDER = """
import json, sys
import helm_python as helm
asked = json.load(sys.stdin)
with helm.Chart.load(asked["chart"]) as chart:
    chart.validate_schema(asked["values"])
    json.dump(chart.render(asked["values"], name="ours", namespace="prod"), sys.stdout)
"""
ALL = {
    "autoscaling": {"enabled": True},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "ingress": {"enabled": True, "tlsSecret": "chat-tls"},
    "networkPolicy": {"egress": [{"ports": [{"port": 6379}]}]},
    "imagePullSecrets": [{"name": "pull"}],
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "chat", "operator": "Exists"}],
}

pytestmark = requires("helm")


def engine(values: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", RENDER],
        input=json.dumps({"chart": str(CHART), "values": values}),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def rendered(values: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """The documents by kind and name."""
    done = engine(values)
    assert 0 == done.returncode, done.stderr
    texts = json.loads(done.stdout).values()
    documents = [each for text in texts for each in yaml.safe_load_all(text) if each]
    return {(each["kind"], each["metadata"]["name"]): each for each in documents}


@pytest.fixture(scope="module")
def usual() -> dict[tuple[str, str], Any]:
    return rendered({})


@pytest.fixture(scope="module")
def full() -> dict[tuple[str, str], Any]:
    return rendered(ALL)


def test_what_is_asked_for_is_there_and_nothing_else(usual: Any, full: Any) -> None:
    always = {
        ("ConfigMap", "ours"),
        ("ServiceAccount", "ours"),
        ("Deployment", "ours"),
        ("PodDisruptionBudget", "ours"),
        ("Service", "ours"),
        ("Service", "ours-admin"),
        ("NetworkPolicy", "ours"),
    }
    more = {(kind, "ours") for kind in ("HorizontalPodAutoscaler", "Ingress", "ServiceMonitor")}
    assert always == set(usual)
    assert always | more == set(full)
    # where the autoscaler decides, the chart must not
    assert 2 == usual["Deployment", "ours"]["spec"]["replicas"]
    assert "replicas" not in full["Deployment", "ours"]["spec"]


def test_whoever_selects_pods_selects_these(full: Any) -> None:
    labels = full["Deployment", "ours"]["spec"]["template"]["metadata"]["labels"]
    admin = full["Service", "ours-admin"]["metadata"]["labels"]
    selectors = [
        full["Deployment", "ours"]["spec"]["selector"]["matchLabels"],
        full["PodDisruptionBudget", "ours"]["spec"]["selector"]["matchLabels"],
        full["NetworkPolicy", "ours"]["spec"]["podSelector"]["matchLabels"],
        full["Service", "ours"]["spec"]["selector"],
        full["Service", "ours-admin"]["spec"]["selector"],
        *(
            each["labelSelector"]["matchLabels"]
            for each in full["Deployment", "ours"]["spec"]["template"]["spec"][
                "topologySpreadConstraints"
            ]
        ),
    ]
    assert 7 == len(selectors)
    assert all(selector.items() <= labels.items() for selector in selectors)
    monitored = full["ServiceMonitor", "ours"]["spec"]["selector"]["matchLabels"]
    assert monitored.items() <= admin.items()
    assert not monitored.items() <= full["Service", "ours"]["metadata"]["labels"].items()


def test_the_configuration_is_one_that_the_program_takes_and_its_end_fits_the_pod(
    full: Any, tmp_path: Path
) -> None:
    """Under the environment of the image and of the pod; drained before the pod is killed."""
    file = tmp_path / "mainstem.yaml"
    file.write_text(full["ConfigMap", "ours"]["data"]["mainstem.yaml"])
    pod = full["Deployment", "ours"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    given = {row["name"]: row["value"] for row in container["env"]}
    image = {"MAINSTEM_SERVER__HOST": "0.0.0.0", "MAINSTEM_ADMIN__HOST": "0.0.0.0"}
    settings = load(file, {**image, **given, "OPENAI_API_KEY": "k"})
    server = settings.server
    assert (5, 60) == (server.announce_s, server.drain_s)
    assert pod["terminationGracePeriodSeconds"] >= server.announce_s + server.drain_s + 5
    # the balancer asks at least twice while the port is still open
    assert 2 * container["readinessProbe"]["periodSeconds"] <= server.announce_s
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {"http": server.port, "admin": 9091} == ports


def test_a_pod_is_nobody_and_may_nothing(usual: Any) -> None:
    pod = usual["Deployment", "ours"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    } == container["securityContext"]
    policy = usual["NetworkPolicy", "ours"]["spec"]
    assert {"Ingress", "Egress"} == set(policy["policyTypes"])
    assert [["http"], ["admin"]] == [
        [port["port"] for port in rule["ports"]] for rule in policy["ingress"]
    ]
    assert "from" in policy["ingress"][1]


def test_a_value_that_the_chart_does_not_know_is_refused() -> None:
    done = engine({"replica": 3})
    assert 0 != done.returncode
    assert "replica" in done.stderr
