"""From a bearer token to an actor: read anew for every request."""

from __future__ import annotations

from domains.identity import queries as identity
from domains.identity.service.sessions import seen
from domains.identity.tokens import Claims, signer
from domains.kernel.actor import Actor, Origin
from domains.kernel.errors import Unauthenticated
from domains.residents import queries as residents


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header; None without one. Another scheme is refused."""
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("TOKEN_INVALID", "登录凭证无效,请重新登录")
    return token.strip()


async def actor_for(token: str | None, origin: Origin) -> Actor:
    """The caller: anonymous without a token; an invalid one raises Unauthenticated."""
    return await actor_of(signer().open(token) if token is not None else None, origin)


async def actor_of(claims: Claims | None, origin: Origin, *, is_request: bool = True) -> Actor:
    """The caller whose session these claims name: anonymous without any; SESSION_ENDED once it is over.
    What is not a request of theirs does not keep the session from idling out."""
    if claims is None:
        return Actor(origin=origin)
    session = await identity.live_session(claims)
    if is_request:
        await seen(session.id, session.last_seen_at)
    is_staff = session.kind == "staff"
    confined = is_staff and session.must_change_password
    held = await identity.grants(session.account_id) if is_staff and not confined else ()
    tied = () if is_staff else await residents.ties(session.account_id)
    return Actor(
        kind="staff" if is_staff else "resident",
        account_id=session.account_id,
        session_id=session.id,
        name=session.name,
        houses=tied,
        grants=held,
        operator=is_staff and not confined and session.is_operator,
        confined=confined,
        origin=origin,
    )
