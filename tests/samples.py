"""What every dialect sends and is sent, by its name: `tests/dialects/<name>/sample.py` of each folder
there. A test that holds for every dialect draws from here."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from tests.dialects.sample import Asked, Endless, Sample

_FOLDER = Path(__file__).parent / "dialects"
_MODULES: dict[str, ModuleType] = {
    path.parent.name: import_module(f"tests.dialects.{path.parent.name}.sample")
    for path in sorted(_FOLDER.glob("*/sample.py"))
}

SAMPLES: dict[str, Sample] = {
    name: module.SAMPLE for name, module in _MODULES.items() if hasattr(module, "SAMPLE")
}
ASKED: dict[str, Asked] = {
    name: module.ASKED for name, module in _MODULES.items() if hasattr(module, "ASKED")
}
MORE: dict[str, tuple[bytes, ...]] = {
    name: getattr(module, "MORE", ()) for name, module in _MODULES.items()
}
SEEDS: dict[str, tuple[str, ...]] = {
    name: getattr(module, "SEEDS", ()) for name, module in _MODULES.items()
}
ENDLESS: dict[str, dict[str, Endless]] = {
    name: getattr(module, "ENDLESS", {}) for name, module in _MODULES.items()
}
