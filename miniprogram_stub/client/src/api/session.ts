// Who is signed in on this device. The refresh token is spent once, by one caller at a time.
import { computed, ref } from 'vue'
import { exchange, failureIn } from '@/api/exchange'
import { Failure, failureOf } from '@/api/failure'
import { type RefreshSessionMutation, RefreshSessionDocument } from '@/api/generated/graphql'
import { idOf } from '@/api/documents'
import { forget } from '@/api/kept'

const PLACE = 'linli.session'
const EARLY_MS = 30_000

interface Credentials {
  accessToken: string
  accessExpiresAt: string
  refreshToken: string
}

const held = ref<Credentials | null>(uni.getStorageSync(PLACE) || null)
let refreshing: Promise<void> | null = null

export const isSignedIn = computed(() => held.value !== null)

/** Begin a session with what a sign-in gave; nothing is left of the one before. */
export function begin(credentials: Credentials): void {
  forget()
  hold(credentials)
}

function hold(credentials: Credentials): void {
  held.value = credentials
  uni.setStorageSync(PLACE, credentials)
}

/** End it on this device, with everything that was kept for it. */
export function end(): void {
  held.value = null
  uni.removeStorageSync(PLACE)
  forget()
}

/** The access token, a new one where it is about to end; empty where nobody is signed in. */
export async function accessToken(): Promise<string> {
  if (held.value && Date.parse(held.value.accessExpiresAt) - Date.now() < EARLY_MS) await refresh(held.value.accessToken)
  return held.value?.accessToken ?? ''
}

/** Spend the refresh token, unless `stale` is not the token in use any more: somebody else was faster. */
export async function refresh(stale: string): Promise<void> {
  if (!held.value || held.value.accessToken !== stale) return
  refreshing ??= spend(held.value.refreshToken).finally(() => {
    refreshing = null
  })
  await refreshing
}

async function spend(refreshToken: string): Promise<void> {
  const answer = await askedTwice(refreshToken)
  // Signed out meanwhile, or in as somebody else.
  if (held.value?.refreshToken !== refreshToken) return
  const refused = failureIn(answer) ?? refusalIn(answer.data as RefreshSessionMutation)
  if (!refused) return hold((answer.data as RefreshSessionMutation).refreshSession.credentials!)
  // A server that is overloaded or away has said nothing about the session.
  if (refused.isOnTheWay || refused.code === 'THROTTLED' || refused.code === 'INTERNAL') throw refused
  end()
  throw new Failure('SESSION_OVER')
}

// The server forgives a token that is spent again within ten seconds: so a lost answer costs nobody the session.
async function askedTwice(refreshToken: string): ReturnType<typeof exchange> {
  const send = () => exchange(idOf(RefreshSessionDocument), { input: { refreshToken } }, '')
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
