import type { TypedDocumentString } from '@/api/generated/graphql'

/** An operation of src/api/documents, known to the server by its digest. */
export type Operation<Result, Variables> = TypedDocumentString<Result, Variables>

/** What is sent in place of the text. */
export function idOf(document: Operation<never, never> | Operation<any, any>): string {
  return (document as unknown as { __meta__: { hash: string } }).__meta__.hash
}
