"""What C code goes through without a call for each item, counted: searches of lists (`x in items`,
`items.index(x)`) and joins of two sequences. A profile sees none of it.

The proxy's modules are loaded a second time from syntax trees in which each such expression tells
first how long its list is.
"""

import ast
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

_METHODS = frozenset({"index", "remove", "count", "insert", "pop"})
_TELL = "__tell__"
steps = 0


def tell(value: Any, *, item: bool = False) -> Any:
    """Counts what is gone through, and gives it back. `item`: the value of a search by method,
    which only for a list goes through it.
    """
    global steps  # noqa: PLW0603  one counter, which instrumented code has no other way to reach
    if isinstance(value, list | tuple) or (not item and isinstance(value, str | bytes)):
        steps += len(value)
    return value


class _Telling(ast.NodeTransformer):
    """`a in b` becomes `a in tell(b)`; `b.index(a)`, `tell(b).index(a)`; `a + b`, `tell(a) + b`."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        node.comparators = [
            _told(right) if isinstance(operator, ast.In | ast.NotIn) else right
            for operator, right in zip(node.ops, node.comparators, strict=True)
        ]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        method = node.func
        if isinstance(method, ast.Attribute) and method.attr in _METHODS and node.args:
            method.value = _told(method.value, item=True)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Add):
            node.left = _told(node.left)
        return node


def _told(value: ast.expr, *, item: bool = False) -> ast.expr:
    keywords = [ast.keyword("item", ast.Constant(value=True))] if item else []
    return ast.Call(ast.Name(_TELL, ast.Load()), [value], keywords)


class _Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        tree = _Telling().visit(ast.parse(self.get_data(path), path))
        return compile(ast.fix_missing_locations(tree), path, "exec")

    def exec_module(self, module: Any) -> None:
        setattr(module, _TELL, tell)
        super().exec_module(module)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name.partition(".")[0] != "proxy":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(name, spec.loader.path)
        return spec


@contextmanager
def telling() -> Iterator[None]:
    """What is imported of the proxy within is the second copy, whose searches are counted. Outside
    everything is as it was.
    """
    kept = _taken()
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _taken()
        sys.modules.update(kept)


def _taken() -> dict[str, Any]:
    names = [name for name in sys.modules if name.partition(".")[0] == "proxy"]
    return {name: sys.modules.pop(name) for name in names}
