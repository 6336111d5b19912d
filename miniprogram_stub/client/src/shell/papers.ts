// Receipts and statements: issued under a number that stays, fetched with the session, opened by what the device has.
import { computed, ref, shallowRef } from 'vue'
import { useAction } from '@/api/action'
import { serverAddress } from '@/api/exchange'
import { Failure } from '@/api/failure'
import { IssueReceiptDocument, IssueStatementDocument } from '@/api/generated/graphql'
import { accessToken } from '@/api/session'
import { platform } from '@/platform'
import { yearUntilToday } from '@/shell/writing'

/** Open papers, one at a time. */
export function usePapers() {
  const receipt = useAction(IssueReceiptDocument, (answer) => answer.issueReceipt, true)
  const statement = useAction(IssueStatementDocument, (answer) => answer.issueStatement, true)
  const isFetching = ref(false)
  const lost = shallowRef<Failure | null>(null)
  const isBusy = computed(() => receipt.isBusy.value || statement.isBusy.value || isFetching.value)
  const failure = computed(() => receipt.failure.value ?? statement.failure.value ?? lost.value)

  async function open(paper: { number: string; address: string } | null | undefined): Promise<void> {
    if (!paper) return
    isFetching.value = true
    const url = serverAddress() + paper.address
    const fetching = accessToken().then((token) => platform.openPaper({ url, token, name: `${paper.number}.pdf` }))
    const isOpen = await fetching.catch(() => false)
    isFetching.value = false
    if (!isOpen) lost.value = new Failure('UNAVAILABLE')
  }

  /** The receipt of a payment, by the id that `payment.receipt` or a bill's payments give. */
  async function openReceipt(payment: string): Promise<void> {
    if (isBusy.value) return
    lost.value = null
    await open((await receipt.run(() => ({ input: { payment } })))?.document)
  }

  /** What a house was billed and paid in the last twelve months. */
  async function openStatement(house: string): Promise<void> {
    if (isBusy.value) return
    lost.value = null
    await open((await statement.run(() => ({ input: { house, ...yearUntilToday() } })))?.document)
  }

  return { openReceipt, openStatement, isBusy, failure }
}
