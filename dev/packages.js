/** What `setup.js` decides, apart from what it does: is an install due, and is there a Node that can run the code. */

export const OLDEST_NODE = 24

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockEntry */

/**
 * Why packages have to be installed; undefined when they are what the lock file says. npm itself writes down what it
 * put into node_modules (as its last step, so a broken-off install counts as none): an install by hand is recognized.
 *
 * @param {string} lockFile text of package-lock.json
 * @param {string | undefined} installedFile text of node_modules/.package-lock.json, undefined when there is none
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
 * npm leaves out optional packages made for other platforms.
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
 * What to tell a user whose Node is too old, undefined when there is one that will do.
 *
 * @param {{ running: string, bundled: boolean, platform: string }} node `bundled`: node_modules brings its own Node,
 *   which `npm run` puts first
 * @returns {string | undefined}
 */
export function nodeProblem({ running, bundled, platform }) {
  if (bundled || Number.parseInt(running, 10) >= OLDEST_NODE) return undefined
  const how = platform === 'darwin' ? '`brew install node`' : 'from https://nodejs.org/en/download'
  return `Node ${OLDEST_NODE} or newer is needed, and this is ${running}: install it (${how}) and run the command again.`
}
