"""The layout shows the architecture: rules about the tree of files, read from the sources without importing them.

Each rule is a function from modules to a list of complaints. It is tried on a small package that breaks it, then
asked of Trivium. Ruff sorts `__all__`; everything else about it is here. An exception to a rule stands in a table
below with its reason, and a reason that no longer applies is a complaint too.
"""

import ast
import graphlib
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: Bottom to top. A room imports rooms before it; `trivium` is the face, `trivium/__init__.py`.
ROOMS = [
    "errors", "files", "settings_file", "versions", "metrics", "architecture", "nn", "model", "families", "weights",
    "text", "objectives", "data", "train", "adapt", "decode", "tasks", "loading", "language_model", "evaluate", "batch",
    "prompts", "export", "plan", "scaling", "quotes", "finetune", "align", "compare", "project", "trivium", "cli",
    "__main__",
]  # fmt: skip

MAX_LINES = 350
LONG_FILES = {
    "trivium.architecture": "the one page that everything reads: every part of a transformer and its numbers",
}
MAX_FUNCTION_LINES = 60
LONG_FUNCTIONS: dict[str, str] = {
    "trivium.cli.generate.generate": "an option a line: all of decoding, and of files",
    "trivium.cli.plan.plan": "an option a line: all that can be said of a step, a request and a budget",
}

#: Modules whose tests are elsewhere.
TESTED_ELSEWHERE: dict[str, str] = {
    "trivium.cli.main": "tests/test_cli.py runs whole command lines",
    "trivium.cli.console": "tests/test_cli.py reads what whole command lines print",
    "trivium.cli.reference": "tests/test_docs.py compares docs/cli.md with it",
    "trivium.cli.answer": "tests/cli/test_over_file.py types whole command lines",
    "trivium.cli.classify": "tests/cli/test_over_file.py types whole command lines",
    "trivium.cli.embed": "tests/cli/test_over_file.py types whole command lines",
    "trivium.cli.tag": "tests/cli/test_over_file.py types whole command lines",
    "trivium.cli.translate": "tests/cli/test_over_file.py types whole command lines",
    "trivium.cli.run": "tests/project/test_run.py runs it as a process, tests/cli/test_project.py reads what it prints",
    "trivium.cli.schema": "tests/cli/test_project.py",
    "trivium.text.roles": "tests/text/test_tokenizer.py and test_chat.py: folders of every form are opened",
    "trivium.text.gguf_words": "tests/text/test_gguf_vocabulary.py cuts texts with every name",
    "trivium.weights.gguf_families": "tests/weights/test_gguf.py reads and writes every page",
    "trivium.weights.gguf_fields": "tests/weights/test_gguf.py alters every field",
    "trivium.weights.gguf_layout": "tests/weights/test_gguf.py: rows go there and back, and transformers reads them",
    "trivium.__main__": "tests/project/test_run.py starts every process by it",
    "trivium.compare.prompt_settings": "tests/compare/test_prompted.py",
    "trivium.cli.run_tasks": "tests/project/test_task_schema.py reads what it prints",
    "trivium.project.comparing": "tests/project/test_task_schema.py",
    "trivium.project.finetuning": "tests/project/test_task_schema.py",
    "trivium.project.pretraining": "tests/project/test_run.py pretrains with it",
    "trivium.project.prompting": "tests/project/test_task_schema.py",
    "trivium.project.splits": "tests/project/test_task_schema.py",
    "trivium.project.training": "tests/project/test_run.py trains with it",
    "trivium.project.evaluation": "tests/project/test_run.py reads its scores and samples",
    "trivium.project.schema": "tests/project/test_read.py reads files into it",
    "trivium.versions": "tests/test_cli.py prints them",
}
#: Test files that belong to no one module.
TESTS_OF_THE_WHOLE = {
    "tests/test_layout.py": "the tree of files",
    "tests/test_cli.py": "whole command lines",
    "tests/test_docs.py": "README.md and docs/",
    "tests/test_shapes.py": "the checks of shapes under which all others run",
    "tests/test_smollm.py": "a real model from GGUF, with its chats",
    "tests/families/test_oracle.py": "every family against transformers",
    "tests/families/test_table.py": "docs/families.md, and what it says of every family",
    "tests/families/test_sizes.py": "the published sizes of every family",
    "tests/cli/test_project.py": "trivium run and trivium schema",
    "tests/project/test_families.py": "a project of every family",
}

#: Packages that are imported by another name than they are installed by.
_OTHER_NAMES = {"pyyaml": "yaml", "scikit_learn": "sklearn"}

#: Modules that may read the environment.
READS_ENVIRONMENT: dict[str, str] = {
    "trivium.data.packages": "the default of the cache folder honours XDG_CACHE_HOME",
}


@dataclass(frozen=True)
class Module:
    """A source file of the package."""

    name: str
    path: Path

    @property
    def room(self) -> str:
        return [*self.name.split("."), "trivium"][1]

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    def at(self, node: ast.AST) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}"


def modules_of(root: Path) -> list[Module]:
    """Every module of the package `trivium` under `root`, in order."""
    modules = []
    for path in sorted((root / "trivium").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        modules.append(Module(".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return modules


def imports(module: Module, known: set[str]) -> Iterator[tuple[str, ast.stmt]]:
    """The full names that a module imports, anywhere in it; of `trivium`, the names of modules."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.name.split(".")
            base = package[: len(package) + module.is_package - node.level] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{origin}.{alias.name}"
                yield (full if full in known else origin), node


def upward_imports(modules: list[Module]) -> list[str]:
    """A room that imports a room above it, or a room that is not in the list."""
    known = {module.name for module in modules}
    complaints = [
        f"{module.name}: the room '{module.room}' is not in ROOMS" for module in modules if module.room not in ROOMS
    ]
    by_name = {module.name: module for module in modules}
    for module in modules:
        for name, node in imports(module, known):
            if name in by_name and ROOMS.index(by_name[name].room) > ROOMS.index(module.room):
                complaints.append(f"{module.at(node)}: '{module.room}' imports '{name}', a room above it")
    return complaints


def import_cycles(modules: list[Module]) -> list[str]:
    """Modules that import each other in a ring, be it through an import inside a function."""
    known = {module.name for module in modules}
    graph = {
        module.name: {name for name, _ in imports(module, known) if name in known} - {module.name} for module in modules
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return ["a ring of imports: " + " <- ".join(error.args[1])]
    return []


def wrong_exports(modules: list[Module]) -> list[str]:
    """An `__all__` that is absent, or that names something else than the public names of the module."""
    complaints = []
    for module in modules:
        if module.is_package and module.name != "trivium":
            if len(module.tree.body) != 1:
                complaints.append(f"{module.name}: the file of a room holds its docstring only")
            continue
        exported = next((ast.literal_eval(value) for name, value in _assigned(module) if name == "__all__"), None)
        if exported is None:
            complaints.append(f"{module.name}: no __all__")
            continue
        public = {name for name in _defined(module) if not name.startswith("_")}
        complaints += [
            f"{module.name}: '{name}' is public but not in __all__" for name in sorted(public - set(exported))
        ]
        if not module.is_package:  # the face of the package hands on what is defined below it
            complaints += [
                f"{module.name}: __all__ names '{name}', not defined here" for name in exported if name not in public
            ]
    return complaints


def missing_docstrings(modules: list[Module]) -> list[str]:
    """A public module, class, function or method that says nothing of itself."""
    complaints = []
    for module in modules:
        if not ast.get_docstring(module.tree):
            complaints.append(f"{module.name}: no docstring")
        for name, node in _public_definitions(module.tree):
            if not ast.get_docstring(node):
                complaints.append(f"{module.at(node)}: '{name}' has no docstring")
    return complaints


def too_long(modules: list[Module]) -> list[str]:
    """Files and functions over the limit without a reason, and reasons without need."""
    files = {module.name: module.text.count("\n") for module in modules}
    functions = {
        f"{module.name}.{node.name}": _lines(node)
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return [
        complaint
        for sizes, limit, reasons in ((files, MAX_LINES, LONG_FILES), (functions, MAX_FUNCTION_LINES, LONG_FUNCTIONS))
        for name, lines in sizes.items()
        if (complaint := _size_complaint(name, lines, limit, reasons))
    ]


def empty_names(modules: list[Module]) -> list[str]:
    """A file whose name says nothing of what is in it."""
    banned = {"util", "utils", "common", "helper", "helpers", "manager", "managers", "misc", "base", "core"}
    return [
        f"{module.name}: name it after what it holds"
        for module in modules
        if banned & set(re.split(r"[._]", module.name))
    ]


def banned_imports(modules: list[Module]) -> list[str]:
    """`transformers` anywhere, pydantic outside settings and schemas, global generators, postponed annotations."""
    complaints = []
    for module in modules:
        for name, node in imports(module, set()):
            top = name.split(".")[0]
            if top == "transformers":
                complaints.append(f"{module.at(node)}: transformers is the tests' oracle, never a part")
            if top == "pydantic" and not re.search(r"settings|schema|project\.read$", module.name):
                complaints.append(f"{module.at(node)}: pydantic belongs in a settings or schema module")
            if top == "random":
                complaints.append(f"{module.at(node)}: draw from a generator that is handed in")
            if top == "__future__":
                complaints.append(f"{module.at(node)}: annotations are checked at run time and must not be postponed")
    return complaints


def environment_reads(modules: list[Module]) -> list[str]:
    """An environment variable that changes what the program does, without a reason."""
    return [
        f"{module.at(node)}: reads the environment; take an argument, or say why in READS_ENVIRONMENT"
        for module in modules
        if module.name not in READS_ENVIRONMENT
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}
    ]


def unfinished(modules: list[Module]) -> list[str]:
    """Work that was left for later."""
    marks = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error"]))
    return [
        f"{module.name}:{number}: unfinished: {line.strip()}"
        for module in modules
        for number, line in enumerate(module.text.splitlines(), 1)
        if marks.search(line)
    ]


RULES: dict[Callable[[list[Module]], list[str]], dict[str, str]] = {
    upward_imports: {"trivium/nn/part.py": "def f():\n    from trivium.cli import main\n", "trivium/cli/main.py": ""},
    import_cycles: {
        "trivium/nn/a.py": "from trivium.nn import b\n",
        "trivium/nn/b.py": "def f():\n    import trivium.nn.a\n",
    },
    wrong_exports: {"trivium/nn/a.py": '__all__ = ["f"]\nf = 1\nclass Left: ...\n'},
    missing_docstrings: {"trivium/nn/a.py": '"""A."""\nclass C:\n    """C."""\n    def f(self): ...\n'},
    too_long: {"trivium/nn/a.py": "x = 1\n" * (MAX_LINES + 1)},
    empty_names: {"trivium/nn/utils.py": ""},
    banned_imports: {"trivium/nn/a.py": "def f():\n    from transformers.models import bert\n"},
    environment_reads: {"trivium/nn/a.py": "import os\nx = os.environ['HOME']\n"},
    unfinished: {"trivium/nn/a.py": "# TO" + "DO: the rest\n"},
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_sees_what_breaks_it(rule: Callable[[list[Module]], list[str]], tmp_path: Path) -> None:
    for path, text in RULES[rule].items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert len(rule(modules_of(tmp_path))) == 1


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_trivium_keeps_the_rule(rule: Callable[[list[Module]], list[str]]) -> None:
    complaints = rule(modules_of(ROOT))
    assert not complaints, "\n" + "\n".join(complaints)


def test_tests_mirror_the_package() -> None:
    expected = {_mirror(module): module.name for module in modules_of(ROOT) if not module.is_package}
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    complaints = [
        f"{name} has no {path}: write it, or say in TESTED_ELSEWHERE where it is tested"
        for path, name in expected.items()
        if path not in found and name not in TESTED_ELSEWHERE
    ]
    complaints += [
        f"{path} mirrors no module: name it after what it tests, or give it a reason in TESTS_OF_THE_WHOLE"
        for path in sorted(found - set(expected) - set(TESTS_OF_THE_WHOLE))
    ]
    complaints += [
        f"TESTED_ELSEWHERE names {name}, which is no module" for name in TESTED_ELSEWHERE.keys() - expected.values()
    ]
    complaints += [f"TESTS_OF_THE_WHOLE names {path}, which is no file" for path in TESTS_OF_THE_WHOLE.keys() - found]
    assert not complaints, "\n" + "\n".join(complaints)


def test_what_is_imported_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    run_time = _packages(project["dependencies"])
    in_tests = run_time | _packages(extras["dev"])
    tests = [Module(f"tests.{path.stem}", path) for path in sorted((ROOT / "tests").rglob("*.py"))]
    complaints = []
    for modules, declared in (
        (modules_of(ROOT), run_time | _packages([*extras["trackers"], *extras["evaluate"], *extras["lm-eval"]])),
        (tests, in_tests),
    ):
        for module in modules:
            for name, node in imports(module, set()):
                top = name.split(".")[0]
                if top not in declared | sys.stdlib_module_names | {"trivium", "tests"}:
                    complaints.append(f"{module.at(node)}: imports '{top}', which pyproject.toml does not name")
    assert not complaints, "\n" + "\n".join(complaints)


def test_no_path_of_a_machine() -> None:
    here = re.compile(r"(?<![\w.~])/(?:home|root|work|opt|tmp|mnt|Users)/\w|file:///\w")
    texts = [
        ROOT / name
        for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "constraints.txt", "pyproject.toml")
    ]
    for folder, pattern in (
        ("trivium", "*"),
        ("tests", "*.py"),
        ("docs", "*.md"),
        ("benchmarks", "*.py"),
        ("projects", "*.yaml"),
    ):
        texts += sorted((ROOT / folder).rglob(pattern))
    complaints = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in texts
        if path.suffix in {".py", ".md", ".txt", ".toml", ".yaml", ".html", ""} and path.is_file()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if here.search(line)
    ]
    assert not complaints, "\n" + "\n".join(complaints)


def _packages(requirements: list[str]) -> set[str]:
    """What the packages that pyproject.toml names are imported as."""
    names = {re.split(r"[^\w.-]", requirement)[0].lower().replace("-", "_") for requirement in requirements}
    return names | {module for package, module in _OTHER_NAMES.items() if package in names}


def _mirror(module: Module) -> str:
    inside = module.path.relative_to(ROOT / "trivium")
    return f"tests/{inside.with_name('test_' + inside.name).as_posix()}"


def _assigned(module: Module) -> Iterator[tuple[str, ast.expr]]:
    """Names that are assigned at the top of a module, and what to."""
    for node in _top(module.tree.body):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        yield name.id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


def _defined(module: Module) -> Iterator[str]:
    """Every name that is defined at the top of a module; imported names are not."""
    yield from (name for name, _ in _assigned(module))
    for node in _top(module.tree.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def _top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those under its `if` and `try` included."""
    for node in body:
        yield node
        for field in ("body", "orelse", "finalbody", "handlers"):
            if isinstance(node, ast.If | ast.Try | ast.ExceptHandler):
                yield from _top(getattr(node, field, []))


def _public_definitions(
    tree: ast.Module | ast.ClassDef,
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for node in _top(tree.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            overloaded = any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in node.decorator_list)
            if not overloaded:
                yield node.name, node
            if isinstance(node, ast.ClassDef):
                yield from ((f"{node.name}.{name}", inner) for name, inner in _public_definitions(node))


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function, its docstring left out."""
    first = node.body[0]
    docstring = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) else 0
    return (node.end_lineno or 0) - node.lineno + 1 - docstring


def _size_complaint(name: str, lines: int, limit: int, reasons: dict[str, str]) -> str | None:
    if lines > limit and name not in reasons:
        return f"{name}: {lines} lines, the limit is {limit}: split it, or give a reason"
    if lines <= limit and name in reasons:
        return f"{name}: {lines} lines need no reason any more"
    return None
