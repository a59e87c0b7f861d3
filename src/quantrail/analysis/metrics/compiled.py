"""Compiled kernels, loaded on first use and cached on disk in the user's cache folder.

numba keys a cached function by its own file only, so a kernel that calls another file would go
stale in silence. The folder therefore carries a hash of every kernel source of the package.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import platformdirs


@cache
def load_kernels(module: str) -> ModuleType:
    """Import a module of compiled functions with numba's cache pointed at the user's cache folder.

    ``NUMBA_CACHE_DIR`` wins when it is set. numba itself is first imported here: it costs a second.
    """
    import numba

    if "NUMBA_CACHE_DIR" in os.environ:
        return importlib.import_module(module)
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(_cache_folder(module))
    try:
        return importlib.import_module(module)
    finally:
        settings.CACHE_DIR = before


def _cache_folder(module: str) -> Path:
    package = module.rpartition(".")[0]
    digest = hashlib.sha256()
    for source in sorted(files(package).iterdir(), key=lambda entry: entry.name):
        if source.name.endswith(".py"):
            digest.update(source.read_bytes())
    return Path(platformdirs.user_cache_dir("quantrail")) / "kernels" / digest.hexdigest()[:16]
