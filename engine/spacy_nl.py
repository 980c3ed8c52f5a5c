"""Room `engine`: builds the Dutch spaCy folder (tokeniser and lemma tables). May know spaCy only.

    python -m engine.spacy_nl .ademruimte/spacy-nl

Rasa's SpacyNLP loads it by path. Everything comes from installed packages: nothing is downloaded.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

STAMP = "made-from.txt"


def build(target: Path) -> bool:
    """Make the folder, or leave it when it came from the same packages; returns whether it was made.

    Raises:
        ModuleNotFoundError: spaCy is not installed.
        ValueError: spacy-lookups-data is not installed, so there are no lemma tables.
    """
    made_from = "\n".join(f"{name} {version(name)}" for name in ("spacy", "spacy-lookups-data"))
    stamp = target / STAMP
    if stamp.is_file() and stamp.read_text() == made_from:
        return False
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # spaCy looks whether TensorFlow is there, aloud
    import spacy  # noqa: PLC0415 - it takes seconds to import and is not needed when the folder is there

    nlp = spacy.blank("nl")
    nlp.add_pipe("lemmatizer", config={"mode": "lookup"})
    nlp.initialize()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".spacy-nl-", dir=target.parent))
    try:
        nlp.to_disk(draft)
        (draft / STAMP).write_text(made_from)
        shutil.rmtree(target, ignore_errors=True)
        draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return True


def main(arguments: list[str] | None = None) -> int:
    """Build the folder and say in one line what happened."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.spacy_nl", description="Build the Dutch spaCy folder."
    )
    parser.add_argument("path", type=Path)
    path: Path = parser.parse_args(arguments).path
    print(f"built {path}" if build(path) else f"{path} is up to date", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
