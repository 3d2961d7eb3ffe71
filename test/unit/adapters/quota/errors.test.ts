import { expect, test } from 'vitest'
import { explain, SlowError } from '../../../../src/adapters/quota/errors.ts'

const PASSWORD = 'hunter2-fictitious'

test.each([
  ['WRONGPASS invalid username-password pair or user is disabled.', /rejects the login/],
  ['NOAUTH Authentication required.', /rejects the login/],
  ['ERR AUTH <password> called without any password configured', /rejects the login/],
  ["NOPERM this user has no permissions to run the 'evalsha' command", /\+evalsha .+ CHECKRESULT_QUOTA_KEY/],
  ["ERR The user executing the script can't run this command or subcommand script: f_0123", /\+evalsha/],
  [
    'ERR Error running script (call to f_0123): @user_script:68: @user_script: 68: -READONLY You cannot write',
    /points to a read-only replica/,
  ],
  ["READONLY You can't write against a read only replica. script: 0123", /points to a read-only replica/],
  ['MOVED 866 10.0.0.7:6379', /cluster node that does not own the key/],
  ["OOM command not allowed when used memory > 'maxmemory'.", /maxmemory/],
  ['MISCONF Redis is configured to save RDB snapshots', /cannot save/],
  ['LOADING Redis is loading the dataset in memory', /loading its data/],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', /unexpected content/],
  ['BADLIMIT the limit is not an integer >= 1', /unexpected content/],
  ['ERR DB index is out of range', /no database with the number/],
  ['ERR max number of clients reached', /maxclients/],
  ['ERR something new', /rejected a request \(ERR\)/],
  ['Socket closed unexpectedly', /^Cannot connect to Redis\. .+ \(CLOSED\)/],
  ['Connection timeout', /^Cannot connect to Redis\. .+ \(TIMEOUT\)/],
])('explains the Redis error "%s"', (message, expected) => {
  const explanation = explain(new Error(message))
  expect(explanation).toMatch(expected)
  expect(explanation).not.toMatch(/10\.0\.0\.7|0123/)
})

test.each([
  [Object.assign(new Error(`connect to ${PASSWORD}`), { code: 'ECONNREFUSED' }), /\(ECONNREFUSED\)$/],
  [Object.assign(new Error(PASSWORD), { code: 'ENOTFOUND' }), /host in REDIS_URL cannot be resolved/],
  [Object.assign(new Error(PASSWORD), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }), /TLS handshake/],
  [Object.assign(new TypeError(PASSWORD), { code: 'ERR_INVALID_URL' }), /Percent-encode/],
  [new URIError(PASSWORD), /Percent-encode/],
  [new SlowError(PASSWORD), /does not answer in time/],
  [PASSWORD, /rejected a request \(unknown\)/],
])('shows only the kind of an error: %#', (error, expected) => {
  expect(explain(error)).toMatch(expected)
  expect(explain(error)).not.toContain(PASSWORD)
})
