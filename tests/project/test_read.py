"""Every mistake in a project file is named: the key, the value, the limit, the nearest known word."""

from pathlib import Path

import pytest
import yaml

from trivium.errors import UsageError
from trivium.project.read import dump_project, parse_project, read_project
from trivium.project.schema import Project


def written(folder: Path, content: object) -> Path:
    path = folder / "project.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"data": {"mix": ["news"]}, "scoop": {}}, "no 'scoop'. Did you mean 'scope'?"),
        ({"data": {"mix": ["news"]}, "scope": {"minuts": 3}}, "no 'scope.minuts'. Did you mean 'minutes'?"),
        ({"data": {"mix": [{"path": "x", "wieght": 2}]}}, "no 'data.mix.0.wieght'. Did you mean 'weight'?"),
        ({"data": {"mix": ["news"]}, "train": {"learning_rat": 1}}, "Did you mean 'learning_rate'?"),
        ({"data": {"mix": ["news"]}, "train": {"learning_rate": -1}}, "greater than 0"),
        ({"data": {"mix": ["news"]}, "train": {"steps": 10}}, "scope.minutes"),
        ({"data": {"mix": ["news"]}, "model": {"families": ["gtp2"]}}, "Did you mean 'gpt2'?"),
        ({"data": {"mix": ["news"]}, "model": {"families": ["gpt2", "gpt2"]}}, "named twice"),
        ({"data": {"mix": ["news"]}, "model": {"dim": 33}}, "multiple of 16"),
        ({"data": {"mix": []}}, "at least 1"),
        ({"data": {"mix": [" "]}}, "needs a path"),
        ({"data": {"mix": ["news"], "held_out": 1}}, "less than 1"),
        (
            {"scope": {}},
            r"project\.yaml: the file asks for nothing: it needs a section data, prompt",
        ),
        ("- a\n- b\n", "must hold sections"),
        ("a: [", "not valid YAML"),
        ("", "must hold sections"),
    ],
)
def test_mistakes_are_named(content: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said.replace("?", r"\?").replace("[", r"\[")):
        read_project(written(tmp_path, content))


def test_a_file_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    written(tmp_path, {"data": {"mix": ["news"]}})
    with pytest.raises(UsageError, match=r"Did you mean 'project.yaml'\?"):
        read_project(tmp_path / "projekt.yaml")


def test_a_folder_names_the_files_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").touch()
    with pytest.raises(UsageError, match=r"is a folder.* YAML files in it: mine\.yaml"):
        read_project(tmp_path)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "project.yaml").write_bytes(b"scope: \xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_project(tmp_path / "project.yaml")


def test_overrides_reach_every_depth(tmp_path: Path) -> None:
    path = written(tmp_path, {"data": {"mix": [{"path": "a"}, {"path": "b"}]}})
    project = read_project(
        path, ["scope.minutes=0.5", "data.mix.1.weight=3", "train.optimizer=muon", "model.families=[llama]"]
    )
    assert project.scope.minutes == 0.5
    assert [mix.weight for mix in project.data.mix] == [1, 3]
    assert project.train == {"optimizer": "muon"}
    assert project.model.families == ("llama",)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("scope.minutes", "section.key=value"),
        ("=3", "section.key=value"),
        ("scope..minutes=3", "section.key=value"),
        ("data.mix.7.weight=3", "no place in a list of 1"),
        ("scope.minutes.x=3", "holds a value"),
        ("data.mix.0.path=1", "holds a value"),
        ("data.mix=3", "should be a valid tuple"),
        ("scope.minutes=[", "not valid YAML"),
        ("scope.minuten=3", "Did you mean 'minutes'"),
    ],
)
def test_wrong_overrides_are_named(override: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        read_project(written(tmp_path, {"scope": {"minutes": 1}, "data": {"mix": ["news"]}}), [override])


def test_a_mistake_is_blamed_on_the_override_that_made_it(tmp_path: Path) -> None:
    path = written(tmp_path, {"data": {"mix": ["news"]}, "model": {"families": ["bert"], "objectives": {}}})
    with pytest.raises(UsageError, match=r"^In --set train\.steps=3: train\.steps is decided"):
        read_project(path, ["scope.minutes=2", "train.steps=3"])
    with pytest.raises(UsageError, match=r"^In --set model\.objectives=.* --set model\.families=\[gpt2\]: .*'bert'"):
        read_project(path, ["model.objectives={bert: masked}", "model.families=[gpt2]"])
    path = written(tmp_path, {"data": {"mix": ["news"]}, "scope": {"minuts": 1}})
    with pytest.raises(UsageError, match=r"^In .*project\.yaml: There is no 'scope\.minuts'"):
        read_project(path, ["scope.seed=1"])


def test_the_resolved_file_can_be_given_back() -> None:
    project = parse_project({"data": {"mix": ["news"]}, "train": {"betas": [0.9, 0.99]}, "scope": {"about": "žluť: x"}})
    assert parse_project(yaml.safe_load(dump_project(project))) == project


def test_the_quickstart_is_a_project() -> None:
    project = read_project(Path(__file__).parents[2] / "projects" / "quickstart.yaml")
    assert project.model.families == ("bert", "gpt2", "t5")


def test_every_field_of_the_schema_is_described() -> None:
    schema = Project.model_json_schema()
    for name, section in schema["$defs"].items():
        for key, field in section["properties"].items():
            assert field.get("description"), f"{name}.{key}"
    assert "learning_rate" in schema["properties"]["train"]["properties"]
    assert "steps" not in schema["properties"]["train"]["properties"]
