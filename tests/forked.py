"""Processes of their own, without the seconds of importing torch: each is a fork of one that has imported it."""

import multiprocessing
import runpy
import sys
from multiprocessing.context import ForkServerProcess
from unittest import mock

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["trivium.cli.run", "trivium.project.run"])


def start(module: str, *arguments: str) -> ForkServerProcess:
    """`python -m module arguments`: its `exitcode` is None while it runs, and below 0 where a signal ended it."""
    process = _SERVER.Process(target=runpy.run_module, args=(module, None, "__main__", True))
    with mock.patch.object(sys, "argv", [module, *arguments]):
        process.start()
    return process
