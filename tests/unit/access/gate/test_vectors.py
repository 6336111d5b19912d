from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from domains.access.gate import vectors
from domains.access.gate.reasons import Reason

TEXT = vectors.FILE.read_text(encoding="utf-8")
# a full disk is nothing that a text can bring about
NOT_IN_A_TEXT = {Reason.NOT_RECORDED}


def test_the_committed_file_is_what_the_cases_make() -> None:
    assert vectors.document() == TEXT, "run python -m domains.access.gate.vectors --write"


def test_the_verifier_answers_as_the_vectors_say() -> None:
    assert vectors.differences(TEXT) == []


def test_every_reason_has_a_vector() -> None:
    content = json.loads(TEXT)["vectors"]
    answers = {Reason(step["expected"]) for vector in content for step in vector["steps"]}
    assert answers == set(Reason) - NOT_IN_A_TEXT
    assert len({vector["name"] for vector in content}) == len(content) >= 30


def test_a_difference_is_told() -> None:
    changed = TEXT.replace('"expected": "UNKNOWN_KEY"', '"expected": "OK"')
    assert vectors.differences(changed) == ["an unknown key, step 2: UNKNOWN_KEY, expected OK"]


def test_the_folder_works_under_another_name_with_nothing_of_the_product(tmp_path: Path) -> None:
    shutil.copytree(
        vectors.FILE.parent, tmp_path / "vendor_gate", ignore=shutil.ignore_patterns("__pycache__")
    )
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop()); from vendor_gate import vectors; status = vectors.main();"
        "theirs = {name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names);"
        "print(sorted(name for name in theirs if not name.startswith('_'))); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "['cbor2', 'cryptography', 'vendor_gate']"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_to_do_in_both_languages(reason: Reason) -> None:
    assert 3 <= len(reason.chinese) <= 30
    assert 3 <= len(reason.english) <= 60
    assert reason.english.isascii()
