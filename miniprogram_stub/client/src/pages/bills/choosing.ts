// Which of the bills that are to be paid one pays at once: all of a compound's, unless one takes some off.
import { computed, ref } from 'vue'
import type { BillsQuery } from '@/api/generated/graphql'

export type DueBill = NonNullable<NonNullable<BillsQuery['viewer']>['due']>['nodes'][number]

/** Whether it can be paid now: somebody may be paying it at this moment. */
export function isPayable(bill: DueBill): boolean {
  return !bill.isBeingPaid && bill.outstandingFen > 0
}

/** The choice among bills. */
export function useChoice(bills: () => DueBill[]) {
  const leftOut = ref<string[]>([])
  const asked = ref('')
  const payable = computed(() => bills().filter(isPayable))
  // One payment is for bills of one compound.
  const compound = computed(() => (payable.value.find((each) => each.compound === asked.value) ?? payable.value[0])?.compound ?? '')
  const chosen = computed(() => payable.value.filter((each) => each.compound === compound.value && !leftOut.value.includes(each.id)))
  const sumFen = computed(() => chosen.value.reduce((sum, each) => sum + each.outstandingFen, 0))
  const isSeveral = computed(() => new Set(payable.value.map((each) => each.compound)).size > 1)

  /** Take a bill in, or leave it out. */
  function turn(bill: DueBill): void {
    const isIn = chosen.value.includes(bill)
    asked.value = bill.compound
    leftOut.value = isIn ? [...leftOut.value, bill.id] : leftOut.value.filter((id) => id !== bill.id)
  }

  return { chosen, sumFen, isSeveral, turn }
}
