"""The client is light: httpx, the messages and the standard library, whatever else is installed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import aftercare.client

OURS = ("aftercare.client", "aftercare.messages")
LIGHT = """
import sys
allowed = set(sys.stdlib_module_names) | {
    "aftercare", "httpx", "httpcore", "h11", "anyio", "idna", "certifi", "sniffio",
    "pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection",
}
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed and not name.startswith("_sysconfigdata"):
            raise ImportError(name)
sys.meta_path.insert(0, Nothing())
from aftercare.client import Aftercare
care = Aftercare("http://127.0.0.1:1", agent="a", domain="d", buffer=None)
with care.case("case-1") as case:
    case.resolve()
print(*sorted(name for name in sys.modules if name.startswith("aftercare.")))
care.close(0.0)
"""


def test_it_works_with_the_base_dependencies_alone() -> None:
    """Nothing else can be imported there, and no other part of Aftercare is."""
    told = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False)  # noqa: S603
    assert told.returncode == 0, told.stderr
    assert all(name.startswith(OURS) for name in told.stdout.split())


def test_no_file_of_it_imports_anything_else() -> None:
    """Not even where nobody looks, within a function."""
    allowed = {*sys.stdlib_module_names, "httpx"}
    for file in Path(aftercare.client.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            for name in _imported(node):
                assert name.startswith(OURS) or name.partition(".")[0] in allowed, f"{file.name} imports {name}"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
