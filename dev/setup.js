/**
 * Runs before every npm script (`prestart`, `pretest`, ...). Installs the packages if they differ from the lock file,
 * otherwise returns immediately and prints nothing. Plain JavaScript for Node 18 and newer, because neither the
 * packages nor the Node that runs the rest may be installed yet.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.js'
import { installReason, nodeProblem } from './packages.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const LOCK_TIMEOUT_MS = 10 * 60_000

function currentReason() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  return installReason(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
    existsSync(installed) ? readFileSync(installed, 'utf8') : undefined,
  )
}

/**
 * npm passes its own path to scripts. It must not run on the Node inside the node_modules that it is about to
 * replace.
 */
function npm() {
  const { npm_execpath: script, npm_node_execpath: node } = process.env
  return script?.endsWith('npm-cli.js') ? [node ?? process.execPath, script] : ['npm']
}

/** Checks again, because another process may have installed the packages while this one waited for the lock. */
function installPackages() {
  const reason = currentReason()
  if (reason === undefined) return
  process.stderr.write(`Installing packages (${reason}) ...\n`)
  const [command = 'npm', ...args] = npm()
  const { status, error } = spawnSync(
    command,
    // Install scripts of packages are disabled: none is needed, and npm before version 11 has no allow list.
    [...args, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  if (status !== 0)
    throw new Error(`npm ci failed${error ? ` (${error.message})` : ''}: the packages are not installed.`)
}

/** @param {number} pid */
function sayWaiting(pid) {
  process.stderr.write(`Waiting for process ${pid}, which is installing packages ...\n`)
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

if (currentReason() !== undefined) {
  const lock = join(root, '.cache', 'setup.lock')
  await withLock(lock, { timeoutMs: LOCK_TIMEOUT_MS, onWait: sayWaiting }, installPackages).catch(
    (/** @type {Error} */ error) => fail(error.message),
  )
}

const problem = nodeProblem({
  running: process.versions.node,
  bundled: existsSync(join(root, 'node_modules', '.bin', 'node')),
  platform: process.platform,
})
if (problem !== undefined) fail(problem)
