"""Folders of weights: round trips, the hub's files, and a clear word about every file that is not right."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

from tests.test_architecture import TINY
from trivium.errors import ModelError, StorageError
from trivium.families import t5
from trivium.families.registry import family_named
from trivium.model import Transformer
from trivium.weights.folder import load_folder, read_architecture, save_folder

Weights = dict[str, torch.Tensor]
CLASSES = {
    "bert": hf.AutoModelForMaskedLM,
    "gpt2": hf.AutoModelForCausalLM,
    "llama": hf.AutoModelForCausalLM,
    "t5": hf.AutoModelForSeq2SeqLM,
}


def random_model(family: str = "gpt2") -> Transformer:
    model = Transformer(TINY[family], torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # biases and norms away from their start
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return model


def saved(folder: Path, model: Transformer, change: Callable[[Weights], Weights] = dict) -> Path:
    """The folder of a model, its file of weights changed."""
    save_folder(folder, model)
    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors")
    return folder


def assert_same(model: Transformer, other: Transformer) -> None:
    assert other.architecture == model.architecture
    for (name, first), (_, second) in zip(model.named_parameters(), other.named_parameters(), strict=True):
        assert first.dtype == second.dtype, name
        assert torch.equal(first, second), name


# ---- round trips ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "architecture",
    [*TINY.values(), t5.preset(vocab=61, dim=24, depth=2, heads=3, hidden=20, gated=True, tied=False)],
    ids=[*TINY, "t5 v1.1"],
)
def test_a_model_goes_round(architecture, tmp_path: Path) -> None:
    model = Transformer(architecture)
    save_folder(tmp_path, model)
    again = load_folder(tmp_path)
    assert_same(model, again)
    assert not again.training
    assert all(parameter.requires_grad for parameter in again.parameters())
    assert (again.head.projection.weight is again.tokens.weight) == architecture.head.tied
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


def test_ids_and_extra_fields_stand_in_the_config(tmp_path: Path) -> None:
    save_folder(tmp_path, random_model(), {"bos_token_id": 5, "pad_token_id": None}, {"trained_on": "tales"})
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["bos_token_id"], config["trained_on"], config["dtype"]) == (5, "tales", "float32")
    assert "pad_token_id" not in config
    assert read_architecture(tmp_path) == TINY["gpt2"]


def test_precision_is_kept_or_cast(tmp_path: Path) -> None:
    model = random_model("llama").bfloat16()
    save_folder(tmp_path, model)
    assert json.loads((tmp_path / "config.json").read_text())["dtype"] == "bfloat16"
    assert_same(model, load_folder(tmp_path))
    assert_same(model.float(), load_folder(tmp_path, dtype=torch.float32))


def test_loading_draws_no_random_number(tmp_path: Path) -> None:
    save_folder(tmp_path, random_model())
    before = torch.get_rng_state()
    load_folder(tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


# ---- files as the hub has them -------------------------------------------------------------------------------------


def test_files_of_the_bare_model_leave_the_prefix_out(tmp_path: Path) -> None:
    model = random_model()
    folder = saved(tmp_path, model, lambda ws: {name.removeprefix("transformer."): w for name, w in ws.items()})
    assert "wte.weight" in load_file(folder / "model.safetensors")
    assert_same(model, load_folder(folder))


def test_old_buffers_and_heads_of_other_tasks_are_passed_over(tmp_path: Path) -> None:
    gpt2, bert = random_model("gpt2"), random_model("bert")
    masks = {f"transformer.h.{i}.attn.bias": torch.ones(1, 1, 40, 40) for i in range(2)}
    assert_same(gpt2, load_folder(saved(tmp_path / "gpt2", gpt2, lambda ws: ws | masks)))
    others = {"bert.pooler.dense.weight": torch.ones(24, 24), "cls.seq_relationship.bias": torch.ones(2)}
    assert_same(bert, load_folder(saved(tmp_path / "bert", bert, lambda ws: ws | others)))


def test_norms_may_have_their_names_of_2018(tmp_path: Path) -> None:
    """bert-base-uncased's own file says gamma and beta."""
    model = random_model("bert")

    def renamed(weights: Weights) -> Weights:
        old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
        return {
            next((name.replace(new, old[new]) for new in old if name.endswith(new)), name): w
            for name, w in weights.items()
        }

    folder = saved(tmp_path, model, renamed)
    assert "bert.embeddings.LayerNorm.gamma" in load_file(folder / "model.safetensors")
    assert_same(model, load_folder(folder))


SECOND_NAMES = {
    "gpt2": ("lm_head.weight", "transformer.wte.weight"),
    "bert": ("cls.predictions.decoder.bias", "cls.predictions.bias"),
    "t5": ("encoder.embed_tokens.weight", "shared.weight"),
}


@pytest.mark.parametrize("family", SECOND_NAMES)
def test_a_tensor_that_is_there_twice_must_be_the_same(family: str, tmp_path: Path) -> None:
    model, (second, first) = random_model(family), SECOND_NAMES[family]
    assert_same(model, load_folder(saved(tmp_path, model, lambda ws: ws | {second: ws[first].clone()})))
    folder = saved(tmp_path, model, lambda ws: ws | {second: ws[first] + 1})
    with pytest.raises(ModelError, match=f"'{second}' is another name of a tensor .* values differ"):
        load_folder(folder)


def sharded(folder: Path, model: Transformer) -> Path:
    save_folder(folder, model)
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names, index = sorted(weights), {}
    for number, part in enumerate((names[::2], names[1::2])):
        save_file({name: weights[name] for name in part}, folder / f"part-{number}.safetensors")
        index |= dict.fromkeys(part, f"part-{number}.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    return folder


@pytest.mark.parametrize("family", TINY)
def test_weights_in_several_files(family: str, tmp_path: Path) -> None:
    model = random_model(family)
    assert_same(model, load_folder(sharded(tmp_path, model)))


def test_an_index_that_is_not_right(tmp_path: Path) -> None:
    folder = sharded(tmp_path, random_model())
    (folder / "part-1.safetensors").unlink()
    with pytest.raises(ModelError, match=r"lacks part-1.safetensors, which model.safetensors.index.json names"):
        load_folder(folder)
    for content in ("{", "[]", "{}", '{"weight_map": []}', '{"weight_map": {"a": 1}}'):
        (folder / "model.safetensors.index.json").write_text(content)
        with pytest.raises(ModelError, match=r"index.json is no index of weight files"):
            load_folder(folder)


# ---- what is not right ---------------------------------------------------------------------------------------------


def without(name: str) -> Callable[[Weights], Weights]:
    return lambda weights: {other: w for other, w in weights.items() if other != name}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("transformer.wpe.weight"), "lacks transformer.wpe.weight"),
        (without("transformer.h.1.attn.c_attn.bias"), "lacks transformer.h.1.attn.c_attn.bias"),
        (
            lambda ws: ws | {"transformer.h.2.ln_1.weight": torch.ones(24)},
            "holds transformer.h.2.ln_1.weight, which no",
        ),
        (lambda ws: ws | {"transformer.wte.weight": torch.ones(60, 24)}, r"wte.weight' as \(60, 24\), .* \(61, 24\)"),
        (
            lambda ws: ws | {"transformer.h.0.attn.c_attn.weight": torch.ones(72, 24)},
            r"c_attn.weight' as \(72, 24\), and the config asks for \(24, 72\)",
        ),
        (lambda ws: {"x": torch.ones(1)}, r"lacks .*, .*, .* and \d+ more and holds transformer.x"),
    ],
)
def test_tensors_that_do_not_fit_are_named(change, said: str, tmp_path: Path) -> None:
    folder = saved(tmp_path, random_model(), change)
    with pytest.raises(ModelError, match=said):
        load_folder(folder)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:5],
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:8] + b"[" + data[9:],
        lambda data: b"\xff" * 8 + data[8:],
        lambda data: data.replace(b'"F32"', b'"F16"', 1),
    ],
    ids=["empty", "no header", "half", "a byte short", "a byte long", "header", "length of header", "type"],
)
def test_a_file_that_is_not_whole(spoil: Callable[[bytes], bytes], tmp_path: Path) -> None:
    save_folder(tmp_path, random_model())
    path = tmp_path / "model.safetensors"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ModelError, match=r"is not whole .* truncated or altered. Fetch it again"):
        load_folder(tmp_path)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("{", "is not JSON"),
        ("\ufeff{}", "is not JSON"),
        ("[]", "holds list, and a config is an object"),
        ("{}", "type 'None' is not known"),
        ('{"model_type": "mamba"}', "type 'mamba' is not known"),
        ('{"model_type": "gpt2"}', "this gpt2 has no 'vocab_size'"),
    ],
)
def test_a_config_that_is_not_right(config: str, said: str, tmp_path: Path) -> None:
    save_folder(tmp_path, random_model())
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ModelError, match=said):
        load_folder(tmp_path)


def test_a_folder_that_is_not_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no config.json"):
        load_folder(tmp_path)
    save_folder(tmp_path, random_model())
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"holds neither model.safetensors nor"):
        load_folder(tmp_path)


# ---- places that cannot be written ---------------------------------------------------------------------------------


@contextlib.contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """A limit of the system's, which a write meets as it meets the end of a disk: half of a file, then an error."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_no_room_for_the_weights_leaves_the_old_model(tmp_path: Path) -> None:
    model = random_model()
    save_folder(tmp_path, model)
    with pytest.raises(StorageError, match="larger than this system allows"), files_no_larger_than(10_000):
        save_folder(tmp_path, random_model())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    assert_same(model, load_folder(tmp_path))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_disk_that_is_full_when_the_config_comes(tmp_path: Path) -> None:
    (tmp_path / f".config.json.{os.getpid()}.partial").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="The disk is full"):
        save_folder(tmp_path, random_model())


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("")
    with pytest.raises(StorageError, match="Cannot write"):
        save_folder(tmp_path / "model", random_model())


# ---- several files, and little memory ------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama", "t5"])
def test_shards_are_those_of_hugging_face(family: str, tmp_path: Path) -> None:
    model, limit = random_model(family), 10_000
    save_folder(tmp_path, model, max_shard_bytes=limit)
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    files = sorted(path.name for path in tmp_path.glob("*.safetensors"))
    assert files == [f"model-{number:05}-of-{len(files):05}.safetensors" for number in range(1, len(files) + 1)]
    total = 0
    for name in files:
        weights = load_file(tmp_path / name)
        size = sum(tensor.nbytes for tensor in weights.values())
        assert size <= limit or len(weights) == 1
        assert {index["weight_map"][tensor] for tensor in weights} == {name}
        total += size
    assert index["metadata"]["total_size"] == total
    assert_same(model, load_folder(tmp_path))
    opened = CLASSES[family].from_pretrained(tmp_path)
    with_limit, without = opened.state_dict(), tmp_path / "whole"
    save_folder(without, model)
    for name, tensor in CLASSES[family].from_pretrained(without).state_dict().items():
        assert torch.equal(with_limit[name], tensor), name


def test_weights_of_another_number_of_files_leave_nothing_behind(tmp_path: Path) -> None:
    model = random_model()
    save_folder(tmp_path, model, max_shard_bytes=10_000)
    save_folder(tmp_path, model, max_shard_bytes=30_000)
    assert_same(model, load_folder(tmp_path))
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert {path.name for path in tmp_path.glob("*.safetensors")} == set(index["weight_map"].values())
    save_folder(tmp_path, model)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    save_folder(tmp_path, model, max_shard_bytes=30_000)
    assert not (tmp_path / "model.safetensors").exists()
    assert_same(model, load_folder(tmp_path))


def test_others_may_read_the_weights(tmp_path: Path) -> None:
    save_folder(tmp_path, random_model())
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1, "the weights are as open as the config"


def test_an_old_file_of_weights_is_read(tmp_path: Path) -> None:
    model = random_model()
    save_folder(tmp_path, model)
    torch.save(load_file(tmp_path / "model.safetensors"), tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    found = load_folder(tmp_path)
    with (tmp_path / "pytorch_model.bin").open("rb+") as stream:
        stream.write(bytes(60_000))  # no tensor is a view of the file
    assert_same(model, found)


_PEAK = """
import sys
from pathlib import Path
import torch
from trivium.weights.folder import load_folder

def peak():
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))

small, large, dtype = sys.argv[1:]
for _ in range(2):
    load_folder(Path(small))  # what torch imports on first use is not the model's
before = peak()
model = load_folder(Path(large), getattr(torch, dtype))
print((peak() - before) / sum(parameter.nbytes for parameter in model.parameters()))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says the largest memory so far")
@pytest.mark.parametrize(
    ("family", "stored", "dtype", "old"),
    [
        ("llama", "bfloat16", "bfloat16", False),
        ("llama", "bfloat16", "float32", False),
        ("gpt2", "float32", "float32", False),
        ("gpt2", "float32", "float32", True),
    ],
)
def test_loading_takes_little_more_than_the_model(family: str, stored: str, dtype: str, old: bool, tmp_path) -> None:
    """At the size of GPT-2 and SmolLM2: cast, split, transposed (GPT-2's are), from either kind of file."""
    sizes = {
        "llama": {"vocab": 49_152, "dim": 576, "depth": 30, "heads": 9, "kv_heads": 3, "hidden": 1536},
        "gpt2": {"vocab": 50_257, "dim": 768, "depth": 12, "heads": 12},
    }
    for name, size in (("small", {"vocab": 61, "dim": 24, "depth": 1, "heads": 2}), ("large", sizes[family])):
        with torch.device("meta"):
            model = Transformer(family_named(family).preset(**{"positions": 1024, **size}))
        model = model.to(getattr(torch, stored)).to_empty(device="cpu")
        if model.architecture.head.tied:
            model.head.projection.weight = model.tokens.weight
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(0.5)
        save_folder(tmp_path / name, model)
        del model
        if old:
            torch.save(load_file(tmp_path / name / "model.safetensors"), tmp_path / name / "pytorch_model.bin")
            (tmp_path / name / "model.safetensors").unlink()
    arguments = [str(tmp_path / "small"), str(tmp_path / "large"), dtype]
    done = subprocess.run([sys.executable, "-c", _PEAK, *arguments], capture_output=True, text=True, check=True)
    assert float(done.stdout) <= 1.3
