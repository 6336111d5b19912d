// Writes the typed client and the list of trusted documents from ../../schema.graphql and src/api/documents.
//
//   node scripts/generate.mjs [folder]    folder: where src/api/generated and documents.json go; here by default
//
// The digest of a document is that of the very text in documents.json: the client sends it as `documentId`.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
// One copy of graphql for all: its ES module would be another one than the generator's.
const require = createRequire(import.meta.url)
const { parse } = require('graphql')
const { codegen } = require('@graphql-codegen/core')
const { preset } = require('@graphql-codegen/client-preset')

const HERE = dirname(dirname(fileURLToPath(import.meta.url)))
const TARGET = process.argv[2] ?? HERE
const DOCUMENTS = join(HERE, 'src/api/documents')
const GENERATED = 'src/api/generated'

// What the server sends as text or number; a scalar that is missing here fails the generation.
const scalars = { Date: 'string', DateTime: 'string', Decimal: 'string', Long: 'number', UUID: 'string', Upload: 'never' }

const texts = readdirSync(DOCUMENTS).sort().filter((name) => name.endsWith('.graphql'))
const sections = await preset.buildGeneratesSection({
  baseOutputDir: `${GENERATED}/`,
  presetConfig: {
    fragmentMasking: false,
    persistedDocuments: { mode: 'replaceDocumentWithHash', hashAlgorithm: 'sha256' },
  },
  config: {
    documentMode: 'string', enumsAsTypes: true, onlyOperationTypes: true, scalars, strictScalars: true,
    useTypeImports: true,
    // Codes are branched on as text: a new one of the server's changes nothing here.
    enumValues: { ErrorCode: '@/api/failure#Code' },
  },
  schema: parse(readFileSync(join(HERE, '../../schema.graphql'), 'utf8')),
  documents: texts.map((name) => {
    const rawSDL = readFileSync(join(DOCUMENTS, name), 'utf8')
    return { location: `src/api/documents/${name}`, rawSDL, document: parse(rawSDL) }
  }),
  documentTransforms: [], plugins: [], pluginMap: {},
})

mkdirSync(join(TARGET, GENERATED), { recursive: true })
for (const section of sections) {
  const text = await codegen(section)
  const name = section.filename.split('/').at(-1)
  if (name === 'graphql.ts') writeFileSync(join(TARGET, GENERATED, name), text)
  if (name === 'persisted-documents.json') writeFileSync(join(TARGET, 'documents.json'), trusted(JSON.parse(text)))
}

function trusted(list) {
  for (const [digest, text] of Object.entries(list)) {
    const own = 'sha256:' + createHash('sha256').update(text, 'utf8').digest('hex')
    if (own !== digest) throw new Error(`${digest} is not the digest of its document, which is ${own}`)
  }
  return `${JSON.stringify(Object.fromEntries(Object.entries(list).map(([digest, text]) => [digest.slice('sha256:'.length), text]).sort()), null, 2)}\n`
}
