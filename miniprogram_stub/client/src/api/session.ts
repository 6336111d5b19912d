// Who is signed in on this device, in all windows of a browser. The refresh token is spent once, by one caller at a time.
import { computed, ref } from 'vue'
import { exchange, failureIn } from '@/api/exchange'
import { Failure, failureOf } from '@/api/failure'
import { type RefreshSessionMutation, RefreshSessionDocument, SignOutDocument } from '@/api/generated/graphql'
import { idOf } from '@/api/documents'
import { forget, keepFor } from '@/api/kept'
import { newKey } from '@/api/keys'
import { alone, onWrittenElsewhere, reopen } from '@/api/windows'

const PLACE = 'linli.session'
const EARLY_MS = 30_000
const PATIENCE_MS = 8_000
// How long the server lets an access token live; one that ends sooner is found out by its answer.
const LIFE_MS = 15 * 60_000

interface Credentials {
  accessToken: string
  accessExpiresAt: string
  refreshToken: string
}

interface Held extends Credentials {
  /** Which sign-in it came from: the same in all windows and after each refresh, another for whoever comes next. */
  owner: string
  /** When the access token ends, by this device's clock, which may be hours from the server's. */
  until: number
}

const held = ref<Held | null>(stored())
let refreshing: Promise<void> | null = null
keepFor(held.value?.owner ?? '')

/** Which sign-in it is; empty where nobody is signed in. */
export const owner = computed(() => held.value?.owner ?? '')
export const isSignedIn = computed(() => held.value !== null)

/** Begin a session with what a sign-in gave; nothing is left of the one before, here or at the server. */
export function begin(credentials: Credentials): void {
  const before = held.value
  forget()
  hold(credentials, newKey())
  if (before) exchange(idOf(SignOutDocument), {}, before.accessToken).catch(() => undefined)
}

/** End it on this device, with everything that was kept for it. */
export function end(): void {
  const mine = owner.value
  take(null)
  // By now another window may hold somebody else's, which is not for this one to end.
  if ((stored()?.owner ?? mine) !== mine) return
  uni.removeStorageSync(PLACE)
  forget()
}

/** Go along with other windows: signed in, out, or in as somebody else, of whom this one then begins anew. */
export function followWindows(): void {
  onWrittenElsewhere(PLACE, () => {
    const before = owner.value
    take(stored())
    if (before && owner.value && owner.value !== before) reopen()
  })
}

function stored(): Held | null {
  return uni.getStorageSync(PLACE) || null
}

function take(found: Held | null): void {
  held.value = found
  keepFor(owner.value)
}

function hold(credentials: Credentials, of: string): void {
  take({ ...credentials, owner: of, until: Date.now() + LIFE_MS })
  uni.setStorageSync(PLACE, held.value)
}

/** The access token, a new one where it is about to end; empty where nobody is signed in. Failure SESSION_OVER as `refresh`. */
export async function accessToken(): Promise<string> {
  if (held.value && held.value.until - Date.now() < EARLY_MS) await refresh(held.value.accessToken)
  return held.value?.accessToken ?? ''
}

/**
 * Spend the refresh token, unless `stale` is not the token in use any more: somebody else was faster.
 *
 * Failure SESSION_OVER where the session ended or gave way to another one: what was asked for is not asked as somebody else.
 */
export async function refresh(stale: string): Promise<void> {
  if (held.value?.accessToken !== stale) return
  const mine = owner.value
  refreshing ??= alone(() => renew(stale)).finally(() => {
    refreshing = null
  })
  await refreshing
  if (owner.value !== mine) throw new Failure('SESSION_OVER')
}

async function renew(stale: string): Promise<void> {
  if (isRenewed(stale)) return
  const { refreshToken, owner: mine } = held.value!
  const answer = await askedTwice(refreshToken)
  // Signed out meanwhile, or in as somebody else.
  if (held.value?.refreshToken !== refreshToken) return
  const refused = failureIn(answer) ?? refusalIn(answer.data as RefreshSessionMutation)
  if (!refused) return hold((answer.data as RefreshSessionMutation).refreshSession.credentials!, mine)
  // A server that is overloaded or away has said nothing about the session.
  if (refused.isOnTheWay || refused.code === 'THROTTLED' || refused.code === 'INTERNAL') throw refused
  // Where windows cannot wait for each other, another one may have spent it first.
  if (isRenewed(stale)) return
  end()
  throw new Failure('SESSION_OVER')
}

/** Whether `stale` is in use no more, because another window renewed, ended or replaced it; this one goes along. */
function isRenewed(stale: string): boolean {
  const found = stored()
  if (found?.accessToken !== stale) take(found)
  return held.value?.accessToken !== stale
}

// The server forgives a token that is spent again within two minutes: so a lost answer costs nobody the session.
async function askedTwice(refreshToken: string): ReturnType<typeof exchange> {
  const send = () => exchange(idOf(RefreshSessionDocument), { input: { refreshToken } }, '', { patienceMs: PATIENCE_MS })
  try {
    return await send()
  } catch (thrown) {
    if (!failureOf(thrown).isOnTheWay) throw thrown
    return await send()
  }
}

function refusalIn({ refreshSession }: RefreshSessionMutation): Failure | null {
  const error = refreshSession.errors[0]
  if (error) return new Failure(error.code, error.message)
  return refreshSession.credentials ? null : new Failure('UNREADABLE')
}
