"""What goes to Kubernetes, held against Kubernetes' own schemas, strictly: no field that it does not
know, none of a wrong type, none missing. From the oldest version that the chart says to the newest
whose schemas are here."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.test_helm import ALL, CHART, rendered
from tests.needs import requires

PLAIN = CHART.parent / "kubernetes.yaml"
OLDEST = "1.25"
VERSIONS = [OLDEST, "1.31", kubernetes_validate.latest_version()]
# Definitions that others bring to a cluster: Kubernetes has no schema of theirs.
FOREIGN = {"ServiceMonitor"}
VALUES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "all": ALL,
    "little": {
        "existingSecret": "",
        "networkPolicy": {"enabled": False},
        "resources": {},
        "service": {"type": "LoadBalancer", "port": 443},
        "replicas": 1,
    },
}


def faults(documents: list[Any], version: str) -> Iterator[str]:
    for each in documents:
        if each["kind"] in FOREIGN:
            continue
        try:
            kubernetes_validate.validate(each, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            place = ".".join(map(str, error.path))
            yield f"{version} {each['kind']} {place}: {error.message}"


@requires("helm")
@pytest.mark.parametrize("values", VALUES.values(), ids=list(VALUES))
def test_kubernetes_knows_what_the_chart_makes(values: dict[str, Any]) -> None:
    documents = list(rendered(values).values())
    assert [] == [line for version in VERSIONS for line in faults(documents, version)]


def test_kubernetes_knows_the_plain_file() -> None:
    documents = list(yaml.safe_load_all(PLAIN.read_text()))
    assert [] == [line for version in VERSIONS for line in faults(documents, version)]


def test_a_field_that_is_unknown_of_a_wrong_type_or_missing_is_found() -> None:
    """The judge judges."""
    documents = {each["kind"]: each for each in yaml.safe_load_all(PLAIN.read_text())}
    for change in ({"replica": 2}, {"replicas": "two"}, {"selector": None}):
        wrong = copy.deepcopy(documents["Deployment"])
        spec = {**wrong["spec"], **change}
        wrong["spec"] = {key: value for key, value in spec.items() if value is not None}
        assert 1 == len(list(faults([wrong], OLDEST))), change


def test_the_chart_says_which_versions_it_is_for() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert f">={OLDEST}.0-0" == chart["kubeVersion"]
    assert f"Kubernetes {OLDEST}" in (Path(CHART).parent / "README.md").read_text()
