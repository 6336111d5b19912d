"""Keys are made once, kept for our eyes only, and a damaged one is named instead of replaced."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.keys import MADE, BadKey, Keys, load_keys
from api.settings import Settings


def test_missing_keys_are_made_once_and_readable_by_the_owner_only(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    first, second = load_keys(settings), load_keys(settings)
    assert first.token_pem == second.token_pem
    assert first.file_link == second.file_link
    assert (
        second.keyring.decrypt(first.keyring.encrypt("13800001111", "person.phone"), "person.phone")
        == "13800001111"
    )
    files = sorted((tmp_path / "keys").iterdir())
    assert [file.name for file in files] == sorted(name for name, _ in MADE.values())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_processes_that_start_at_once_have_the_same_keys(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with ThreadPoolExecutor(8) as pool:
        made: list[Keys] = list(pool.map(lambda _: load_keys(settings), range(8)))
    assert len({keys.token_pem for keys in made}) == 1
    assert len({keys.file_link for keys in made}) == 1
    assert len(list((tmp_path / "keys").iterdir())) == len(MADE)


def test_given_keys_are_used_and_nothing_is_written(tmp_path: Path) -> None:
    given = {name: make() for name, (_, make) in MADE.items()}
    keys = load_keys(Settings(home=tmp_path, **given))  # type: ignore[arg-type]  # pydantic reads the texts
    assert keys.token_pem == given["token_key_pem"].strip()
    assert not (tmp_path / "keys").exists()


def test_production_without_wechat_pay_makes_no_key_for_it(tmp_path: Path) -> None:
    given = {name: make() for name, (_, make) in MADE.items() if name != "wechat_pay_key_pem"}
    without = Settings(home=tmp_path, **given).model_copy(update={"profile": "production"})  # type: ignore[arg-type]  # as above
    assert load_keys(without).wechat_pay_pem == ""
    assert not (tmp_path / "keys").exists()


def test_the_highest_version_encrypts_and_the_others_still_open(tmp_path: Path) -> None:
    index = "ab12" * 16
    old = Settings(home=tmp_path, data_keys="1:" + "01" * 16, index_key=index)  # type: ignore[arg-type]  # as above
    both = Settings(home=tmp_path, data_keys="1:" + "01" * 16 + ",2:" + "02" * 16, index_key=index)  # type: ignore[arg-type]  # as above
    sealed = load_keys(old).keyring.encrypt("text", "a.b")
    keyring = load_keys(both).keyring
    assert keyring.current == 2
    assert keyring.decrypt(sealed, "a.b") == "text"


@pytest.mark.parametrize("name", sorted(MADE))
@pytest.mark.parametrize(
    "content", ["", "zz", "-----BEGIN PRIVATE KEY-----\nnothing\n-----END PRIVATE KEY-----"]
)
def test_a_damaged_key_is_named_and_left_as_it_is(tmp_path: Path, name: str, content: str) -> None:
    settings = Settings(home=tmp_path)
    load_keys(settings)
    damaged = tmp_path / "keys" / MADE[name][0]
    damaged.write_text(content)
    with pytest.raises(BadKey) as refused:
        load_keys(settings)
    assert str(damaged) in str(refused.value)
    assert damaged.read_text() == content


def test_keys_are_not_shown(tmp_path: Path) -> None:
    keys = load_keys(Settings(home=tmp_path))
    assert keys.token_pem not in repr(keys)
    assert keys.file_link.hex() not in repr(keys)
