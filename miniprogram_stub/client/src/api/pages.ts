// Endless lists: page after page by cursor. The first page is a query and is kept like one.
import { computed, ref, shallowRef, watch } from 'vue'
import type { Operation } from '@/api/documents'
import { type Failure, failureOf } from '@/api/failure'
import { useQuery } from '@/api/query'
import { ask } from '@/api/transport'

/** A page of a connection, as every connection of the API has it. */
export interface Page<Node> {
  nodes: Node[]
  pageInfo: { hasNextPage: boolean; endCursor?: string | null }
}

/**
 * An endless list.
 *
 * @param variables of the first page, without `after`
 * @param page where in the answer the connection is; null where it may not be seen
 */
export function usePages<Result, Variables extends { after?: string | null }, Node>(
  document: Operation<Result, Variables>,
  variables: () => Omit<Variables, 'after'>,
  page: (answer: Result) => Page<Node> | null | undefined,
) {
  const first = useQuery(document, () => ({ ...variables(), after: null }) as unknown as Variables)
  const later = shallowRef<Page<Node>[]>([])
  const isFetching = ref(false)
  const moreFailure = shallowRef<Failure | null>(null)
  const pages = computed(() => {
    const start = first.data.value && page(first.data.value)
    return start ? [start, ...later.value] : []
  })
  const nodes = computed(() => pages.value.flatMap((each) => each.nodes))
  const hasMore = computed(() => pages.value.at(-1)?.pageInfo.hasNextPage ?? false)
  // A list that was read again begins anew: cursors of the old one may skip what came since.
  watch(first.data, () => {
    later.value = []
  })

  async function more(): Promise<void> {
    const start = first.data.value
    if (isFetching.value || first.isWaiting.value || !hasMore.value) return
    isFetching.value = true
    moreFailure.value = null
    try {
      const after = pages.value.at(-1)?.pageInfo.endCursor
      const answer = await ask(document, { ...variables(), after } as unknown as Variables, true)
      const next = page(answer)
      if (next && start === first.data.value) later.value = [...later.value, next]
    } catch (thrown) {
      moreFailure.value = failureOf(thrown)
    } finally {
      isFetching.value = false
    }
  }

  return { first, nodes, hasMore, isFetching, moreFailure, more, refresh: first.refresh }
}

/** What an endless list of `Node` offers to a screen. */
export type Pages<Node> = Pick<ReturnType<typeof usePages<unknown, { after?: string | null }, Node>>, 'nodes' | 'hasMore' | 'isFetching' | 'moreFailure' | 'more'>
