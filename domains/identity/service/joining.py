"""One human, one account (一人一号): which account a proof of identity belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from domains.identity import contact, rules
from domains.identity.belongings import has_belongings
from domains.identity.events import AccountOpened, AccountsJoined, PhoneVerified
from domains.identity.models import Account, PlatformIdentity
from domains.identity.platforms.person import PlatformPerson
from domains.identity.service.sessions import end_sessions
from domains.kernel import clock, database, outbox
from notifications import addresses
from notifications.kinds import Channel

# Two sign-ins of one person, at once, take turns: what the first makes the second finds.
TURN = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"

OWNER = "SELECT account_id FROM platform_identity WHERE platform = $1 AND app_id = $2 AND open_id = $3"

# Whoever gives an account something holds it as well, so that none closes with what it was just given.
HOLD = "SELECT id FROM account WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"

# Addresses are written after their account's row is taken, by everybody who writes them.
HOLD_OPEN = "SELECT id FROM account WHERE id = $1 FOR KEY SHARE"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a person has just proved: who a platform says they are, a number they hold, or both."""

    method: str
    person: PlatformPerson | None = None
    phone: str | None = None

    @property
    def subjects(self) -> list[str]:
        """What no two sign-ins may decide about at once, in one order for everybody."""
        person = self.person
        by_platform = [f"identity:{person.platform}:{person.app_id}:{person.open_id}"] if person else []
        by_phone = [f"phone:{contact.index(self.phone).hex()}"] if self.phone else []
        return sorted(by_platform + by_phone)


async def account_of(proof: Proof) -> Account:
    """The account the proof belongs to, found, made or joined, in the open transaction.

    Raises Conflict ACCOUNTS_NOT_JOINED.
    """
    for subject in proof.subjects:
        await database.execute(TURN, subject)
    by_platform, by_phone = await _by_platform(proof.person), await _by_phone(proof.phone)
    if by_platform and by_phone and by_platform.id != by_phone.id:
        account = await _join(by_platform, by_phone)
    else:
        account = by_platform or by_phone or await _open()
    await database.execute(HOLD_OPEN, account.id)
    await _identify(account, proof.person)
    await _verify(account, proof.phone)
    return account


async def _by_platform(person: PlatformPerson | None) -> Account | None:
    if person is None:
        return None
    owner = await database.fetchval(OWNER, person.platform, person.app_id, person.open_id)
    return await Account.get_or_none(pk=owner)


async def _by_phone(phone: str | None) -> Account | None:
    if phone is None:
        return None
    return await Account.get_or_none(kind="resident", phone_index=contact.index(phone))


async def _open() -> Account:
    account = await Account.create(kind="resident")
    await addresses.know(account.id, account.language)
    await outbox.record(AccountOpened(account.id, account.kind))
    return account


async def _identify(account: Account, person: PlatformPerson | None) -> None:
    """Whom the platform vouched for last is who it reaches."""
    if person is not None:
        await PlatformIdentity.get_or_create(
            platform=person.platform, app_id=person.app_id, open_id=person.open_id,
            defaults={"account_id": account.id, "union_id": person.union_id},
        )  # fmt: skip
        await addresses.keep(account.id, Channel(person.platform), person.open_id, person.app_id)


async def _verify(account: Account, phone: str | None) -> None:
    """The number proved last is the account's; the one before may be somebody else's by now (二次放号)."""
    if phone is None or account.phone_index == contact.index(phone):
        return
    replaces = account.phone_index is not None
    account.update_from_dict(dict(contact.seal(phone)))
    await account.save(update_fields=["phone_sealed", "phone_index"])
    await addresses.keep(account.id, Channel.SMS, phone)
    await outbox.record(PhoneVerified(account.id, replaces))


async def _join(by_platform: Account, by_phone: Account) -> Account:
    await database.execute(HOLD, [by_platform.id, by_phone.id])
    claims = [
        rules.Claimant(each.id, not await has_belongings()(each.id)) for each in (by_platform, by_phone)
    ]
    kept_id, _ = rules.joined(*claims)
    kept, closed = (by_phone, by_platform) if kept_id == by_phone.id else (by_platform, by_phone)
    await PlatformIdentity.filter(account_id=closed.id).update(account_id=kept.id)
    await Account.filter(pk=closed.id).update(disabled_at=clock.now(), phone_sealed=None, phone_index=None)
    await end_sessions(closed.id, "joined")
    await addresses.join(kept.id, closed.id)
    await outbox.record(AccountsJoined(kept.id, closed.id))
    return kept
