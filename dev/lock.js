/**
 * A lock file that lets only one process at a time run an action. The file names its owner; a lock whose owner is
 * gone is taken over. Plain JavaScript without packages, because `setup.js` needs it before packages are installed.
 */
import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 100

/**
 * Runs `action` while no other process holds `file`. Throws if another process holds it for longer than `timeoutMs`.
 *
 * @template T
 * @param {string} file its folder is created if it is missing
 * @param {{ timeoutMs: number, onWait?: (ownerPid: number) => void }} options
 * @param {() => T | Promise<T>} action
 * @returns {Promise<T>}
 */
export async function withLock(file, options, action) {
  mkdirSync(dirname(file), { recursive: true })
  await acquire(file, options)
  try {
    return await action()
  } finally {
    rmSync(file, { force: true })
  }
}

/**
 * @param {string} file
 * @param {{ timeoutMs: number, onWait?: (ownerPid: number) => void }} options
 */
async function acquire(file, { timeoutMs, onWait }) {
  const deadline = Date.now() + timeoutMs
  let waiting = false
  while (!take(file)) {
    const owner = read(file)
    if (owner === undefined) continue
    const pid = Number.parseInt(owner, 10)
    if (isGone(pid)) {
      removeLeftBehind(file, owner)
    } else {
      if (!waiting) onWait?.(pid)
      waiting = true
      if (Date.now() > deadline)
        throw new Error(
          `Process ${pid} has held ${file} for too long. End the process, or delete the file if the process is another program.`,
        )
    }
    await sleep(POLL_MS)
  }
}

/**
 * A hard link appears together with its content, so nobody ever reads a lock without an owner.
 *
 * @param {string} file
 */
function take(file) {
  const mine = `${file}.${randomUUID()}`
  writeFileSync(mine, `${process.pid} ${randomUUID()}`)
  try {
    linkSync(mine, file)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  } finally {
    rmSync(mine)
  }
}

/**
 * Two processes may find the same dead owner. Only the one that creates the folder named after that owner may delete
 * its lock, and only while the lock still names it. A newer lock is never deleted.
 *
 * @param {string} file
 * @param {string} owner
 */
function removeLeftBehind(file, owner) {
  const claim = `${file}.${owner.replace(' ', '.')}`
  try {
    mkdirSync(claim)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return
    throw error
  }
  if (read(file) === owner) rmSync(file)
  rmdirSync(claim)
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** @param {number} pid */
function isGone(pid) {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return hasCode(error, 'ESRCH')
  }
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function hasCode(error, code) {
  return error instanceof Error && 'code' in error && error.code === code
}
