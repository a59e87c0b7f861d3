"""Writes hashes.json and canonical/ from the second implementation; run it as a script."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import corpus
import second


def main() -> None:
    folder = corpus.FOLDER / "canonical"
    folder.mkdir(exist_ok=True)
    hashes = {}
    for case in corpus.cases("valid.yaml"):
        text, strategy_id, logic_hash = second.canonical(case["document"])
        (folder / f"{case['name'].replace(' ', '-')}.json").write_text(text, encoding="utf-8")
        hashes[case["name"]] = {"strategy_id": strategy_id, "logic_hash": logic_hash}
    (corpus.FOLDER / "hashes.json").write_text(json.dumps(hashes, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
