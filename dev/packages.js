/**
 * The decisions of `setup.js`, without side effects: must packages be installed, and is there a Node that can run the
 * code?
 */

export const OLDEST_NODE = 24

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockEntry */

/**
 * The reason why packages must be installed; undefined if they match the lock file. npm records the packages of
 * node_modules as its last step, so an interrupted install counts as none, and a manual install is recognized.
 *
 * @param {string} lockFile text of package-lock.json
 * @param {string | undefined} installedFile text of node_modules/.package-lock.json, undefined if there is none
 * @returns {string | undefined}
 */
export function installReason(lockFile, installedFile) {
  if (installedFile === undefined) return 'none are installed yet'
  const wanted = packagesOf(lockFile)
  const installed = packagesOf(installedFile)
  const current =
    Object.keys(installed).every((path) => path in wanted) &&
    Object.entries(wanted).every(([path, entry]) => path === '' || isInstalled(entry, installed[path]))
  return current ? undefined : 'package-lock.json changed'
}

/**
 * npm omits optional packages for other platforms.
 *
 * @param {LockEntry} wanted
 * @param {LockEntry | undefined} installed
 */
function isInstalled(wanted, installed) {
  if (installed === undefined) return wanted.optional === true
  return installed.version === wanted.version && installed.integrity === wanted.integrity
}

/**
 * @param {string} text
 * @returns {Record<string, LockEntry>}
 */
function packagesOf(text) {
  const { packages } = /** @type {{ packages: Record<string, LockEntry> }} */ (JSON.parse(text))
  return packages
}

/**
 * The message for a user whose Node is too old; undefined if there is one that is new enough.
 *
 * @param {{ running: string, bundled: boolean, platform: string }} node `bundled`: node_modules contains its own Node,
 *   which `npm run` prefers
 * @returns {string | undefined}
 */
export function nodeProblem({ running, bundled, platform }) {
  if (bundled || Number.parseInt(running, 10) >= OLDEST_NODE) return undefined
  const how = platform === 'darwin' ? '`brew install node`' : 'from https://nodejs.org/en/download'
  return `Node ${OLDEST_NODE} or newer is required, but this is ${running}. Install it (${how}) and run the command again.`
}
