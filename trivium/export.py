"""A model in the form that other programs open: a Hugging Face folder, or a GGUF file.

What was written is read again and judged by the parity gate before it takes its place.

    load ── record ── round ── write aside ── read again ── record ── compare ── rename into place
                                                                         └── past the bound: kept as NAME.rejected

Everything is computed in float32, whose numbers hold those of the smaller precisions exactly: what the gate measures is
what the export did to the model. A folder is held against the rounded model too, to the last digit.
"""

__all__ = ["FORMS", "Export", "export_model"]

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import torch

from trivium.adapt.low_rank import adapted_layers
from trivium.errors import ModelError, ParityError, TriviumError, UsageError, nearest
from trivium.evaluate.parity import BOUNDS, Bound, Parity, compare
from trivium.evaluate.recording import Recording, record
from trivium.files import atomic_folder, fsync_folder, storage_errors
from trivium.language_model import LanguageModel, load
from trivium.text.gguf import write_gguf

#: The forms there are, with the precisions of each.
FORMS: Mapping[str, tuple[str, ...]] = {
    "hf": ("float32", "bfloat16", "float16"),
    "gguf": ("float32", "float16", "q8_0"),
}
_GGUF_KINDS = {"float32": "f32", "float16": "f16", "q8_0": "q8_0"}
_TORCH = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Export:
    """What was written, and how the gate judged it: `parity` against the model as it was."""

    target: Path
    form: str
    dtype: str
    bytes: int
    seconds: float
    parity: Parity

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a report."""
        return {
            "target": str(self.target),
            "form": self.form,
            "dtype": self.dtype,
            "bytes": self.bytes,
            "seconds": self.seconds,
            "parity": self.parity.to_dict(),
        }


def export_model(
    reference: str | Path,
    target: Path,
    form: str = "hf",
    dtype: str | None = None,
    max_shard_bytes: int | None = None,
    force: bool = False,
    merge: bool = False,
    base: str | Path | None = None,
) -> Export:
    """Write a model in another form, and see that it still says what it said.

    `dtype` is the precision written: of a folder the model's own unless told, of a GGUF float16. With `merge` the
    reference is an adapter, and it is written with its base as one model; `base` says where that is, if no longer where
    it was. Raises `UsageError` for a target that is there (unless `force`), for a form that this model cannot have, and
    for an adapter without `merge`; `ParityError` past the bound of `BOUNDS`: then what was written stands beside the
    target, its name ending in `.rejected`, and what stood at the target is as it was.
    """
    started = time.monotonic()
    _check_options(form, dtype, max_shard_bytes)
    _check_target(reference, target, form, force)
    lm = load(reference, device="cpu", base=base)
    _check_adapter(lm, reference, merge)
    if form == "gguf":
        _check_gguf(lm)
    stored = reduce(torch.promote_types, [parameter.dtype for parameter in lm.model.parameters()])
    own = next((name for name in _TORCH if _TORCH[name] == stored), "float32")
    written = dtype or ("float16" if form == "gguf" else own)
    lm.model.float()
    if merge:
        stored = torch.float32  # a sum fills all digits, in whatever precision its terms were stored
    exact = written in _TORCH and torch.promote_types(stored, _TORCH[written]) == _TORCH[written]
    # Where nothing is rounded, nothing may differ. The tokenizer of a GGUF is the same in another file.
    bound = replace(BOUNDS["float32" if exact else written], same_file=form == "hf")
    if merge:  # each matrix is rounded anew, in the last of float32's digits: the gap grows with depth and logits
        bound = replace(bound, logit_gap=None)
    before = record(lm.model, lm.tokenizer, lm.start_id)
    if merge:
        lm = lm.merged()
    with _aside(target, form) as place:
        rounded = _write(lm, place, form, written, max_shard_bytes, None if exact else before)
        del lm  # one model in memory at a time
        try:
            parity = _judged(place, before, rounded, bound)
            parity.require()
        except ParityError as error:
            kept = _reject(place, target)
            raise ParityError(f"{error} What was written is kept as {kept}; {target} is as it was.") from error
    size = sum(file.stat().st_size for file in ([target] if target.is_file() else target.rglob("*")) if file.is_file())
    return Export(target, form, written, size, time.monotonic() - started, parity)


def _check_options(form: str, dtype: str | None, max_shard_bytes: int | None) -> None:
    if form not in FORMS:
        raise UsageError(f"There is no form '{form}'.{nearest(form, FORMS)} There are: {', '.join(FORMS)}.")
    if dtype is not None and dtype not in FORMS[form]:
        raise UsageError(
            f"The form {form} has no dtype '{dtype}'.{nearest(dtype, FORMS[form])} It has: {', '.join(FORMS[form])}."
        )
    if max_shard_bytes is not None and max_shard_bytes <= 0:
        raise UsageError(f"A file of weights cannot hold {max_shard_bytes:,} bytes: give a size above 0.")
    if max_shard_bytes is not None and form == "gguf":
        raise UsageError("A GGUF is one file here: leave the shards out, or choose the form hf.")


def _check_target(reference: str | Path, target: Path, form: str, force: bool) -> None:
    if (form == "gguf") != (target.suffix == ".gguf"):
        end = "must" if form == "gguf" else "must not"
        raise UsageError(f"The name of what has the form {form} {end} end in .gguf, and this is {target}.")
    if not target.exists():
        return
    if not force:
        raise UsageError(f"{target} is there already. Choose another name, or replace it with --force.")
    if (target.is_dir() and form == "gguf") or (target.is_file() and form == "hf"):
        kinds = "a folder, and a GGUF is a file" if target.is_dir() else "a file, and the form hf is a folder"
        raise UsageError(f"{target} is {kinds}. Choose another name.")
    if target.is_dir() and any(target.iterdir()) and not (target / "config.json").is_file():
        raise UsageError(f"{target} holds other things than a model, which would be lost. Choose another name.")
    if any(target.glob("run.yaml")) or any(target.glob("checkpoint-*")):
        raise UsageError(f"{target} is a run, whose checkpoints and records would be lost. Choose another name.")
    source = Path(reference).expanduser()
    if source.exists() and target.samefile(source):
        raise UsageError(f"{target} is the model itself, which is not replaced by its export. Choose another name.")


def _check_adapter(lm: LanguageModel, reference: str | Path, merge: bool) -> None:
    adapted = bool(adapted_layers(lm.model))
    if adapted and not merge:
        raise UsageError(f"{reference} is an adapter. With --merge it is written as one model with its base.")
    if merge and not adapted:
        raise UsageError(f"{reference} is no adapter, so there is nothing to merge: leave --merge out.")


def _check_gguf(lm: LanguageModel) -> None:
    if lm.architecture.kind != "decoder" or lm.model.head is None:
        raise UsageError(
            f"GGUF is for programs that run decoders with a vocabulary head, and this is another kind of model "
            f"({lm.architecture.kind}). Export it with --format hf: Trivium and transformers open that."
        )


def _write(
    lm: LanguageModel, place: Path, form: str, written: str, max_shard_bytes: int | None, like: Recording | None
) -> Recording | None:
    """Write the model; what its rounded weights then say in a recording like `like`, which the folder must say too."""
    if form == "gguf":
        write_gguf(place, lm.model, lm.tokenizer, _GGUF_KINDS[written])
        return None
    if written == "float16":
        _check_range(lm)
    lm.model.to(_TORCH[written])
    lm.save(place, max_shard_bytes)
    if like is None:
        return None
    lm.model.float()
    return record(lm.model, lm.tokenizer, lm.start_id, like)


def _check_range(lm: LanguageModel) -> None:
    largest = torch.finfo(torch.float16).max
    for name, parameter in lm.model.named_parameters():
        if float(parameter.detach().abs().max()) > largest:
            raise ModelError(
                f"'{name}' holds numbers beyond {largest:,.0f}, the largest of float16. Export to bfloat16 or float32."
            )


def _judged(place: Path, before: Recording, rounded: Recording | None, bound: Bound) -> Parity:
    """What was written, read again and held against what was said before, and against the rounded model exactly."""
    try:
        again = load(place, device="cpu", dtype=torch.float32)
    except TriviumError as error:
        raise ParityError(f"What was written cannot be read again: {error}") from error
    after = record(again.model, again.tokenizer, again.start_id, before)
    if rounded is not None:
        exact = compare(rounded, after, BOUNDS["float32"])
        if not exact.passed:
            return exact
    return compare(before, after, bound)


@contextmanager
def _aside(target: Path, form: str) -> Iterator[Path]:
    """Where to write, so that the target appears whole: a folder beside it, or a file in one."""
    if form == "hf":
        with atomic_folder(target) as folder:
            yield folder
        return
    folder = target.with_name(f".{target.name}.{os.getpid()}.partial")
    with storage_errors(target):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield folder / target.name
            with (folder / target.name).open("rb") as stream:
                os.fsync(stream.fileno())
            (folder / target.name).replace(target)
            fsync_folder(target.parent)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _reject(place: Path, target: Path) -> Path:
    gguf = target.suffix == ".gguf"  # keeps its suffix, so that it can be opened and looked at
    rejected = target.with_name(f"{target.stem}.rejected.gguf" if gguf else f"{target.name}.rejected")
    if rejected.is_dir():
        shutil.rmtree(rejected)
    rejected.unlink(missing_ok=True)
    return place.rename(rejected)
