// Checks the types of every file, components too.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = dirname(dirname(fileURLToPath(import.meta.url)))
const checker = join(HERE, 'node_modules/vue-tsc/bin/vue-tsc.js')
process.exitCode = spawnSync(process.execPath, [checker, '--noEmit'], { cwd: HERE, stdio: 'inherit' }).status ?? 1
