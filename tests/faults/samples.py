"""A good answer of every dialect that an upstream may speak."""

from tests.faults import samples_common, samples_own
from tests.faults.sample import Sample

SAMPLES: dict[str, Sample] = {
    name.lower(): value
    for module in (samples_common, samples_own)
    for name, value in vars(module).items()
    if isinstance(value, Sample)
}
