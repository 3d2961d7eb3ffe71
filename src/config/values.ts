/**
 * The kinds of values that a setting can have: how its text is read, and what is expected. Reading never throws: an invalid
 * text gives a zod issue, and its message is made of `expected` and `example`.
 */
import { z } from 'zod'
import { DURATION, ZERO, durationMs, parseDuration, type Duration } from './duration.ts'
import { areCertificates } from './pem.ts'
import { Secret } from './secret.ts'

export interface Value<T> {
  readonly schema: z.ZodType<T, string>
  /** Completes "Expected …". */
  readonly expected: string
  readonly example: string
  /** Regular expression for the chart's schema, if its form is not clear from the type of the value. */
  readonly pattern?: string
  /** Bounds in milliseconds, if the value is a duration. */
  readonly range?: DurationRange
}

export interface DurationRange {
  readonly minMs: number
  readonly maxMs: number
}

export const MAX_TOPIC_LENGTH = 249

export function wholeNumber(min: number, max: number, example: number): Value<number> {
  return {
    schema: digits.pipe(z.int().min(min).max(max)),
    expected: `an integer from ${min} to ${max}`,
    example: String(example),
  }
}

export function oneOf<const T extends string>(options: readonly [T, ...T[]], example: NoInfer<T>): Value<T> {
  return { schema: z.enum(options), expected: `one of ${options.join(', ')}`, example }
}

/** A name of Kafka, or one of ours. */
export function plainName(maxLength: number, example: string): Value<string> {
  return {
    schema: z
      .string()
      .max(maxLength)
      .regex(/^[\w.-]+$/),
    expected: `up to ${maxLength} letters, digits, dots, dashes or underscores`,
    example,
  }
}

export function topic(example: string): Value<string> {
  return {
    schema: plainName(MAX_TOPIC_LENGTH, example).schema.refine((text) => text !== '.' && text !== '..'),
    expected: `a topic name (up to ${MAX_TOPIC_LENGTH} letters, digits, dots, dashes or underscores)`,
    example,
  }
}

/** The brokers accept the same names as for topics. */
export const groupInstanceId: Value<string> = {
  ...plainName(MAX_TOPIC_LENGTH, 'checkresult-0'),
  schema: topic('checkresult-0').schema,
}

/** A name that the vendor or an operator has chosen. */
export function word(example: string): Value<string> {
  return {
    schema: z
      .string()
      .max(8_192)
      .regex(/^[\x21-\x7e]+$/),
    expected: 'text without spaces',
    example,
  }
}

export function filePath(example: string): Value<string> {
  return { schema: z.string().min(1), expected: 'the path of a readable file', example }
}

/** Certificates are not secret, but their files are renewed like those of secrets. */
export function pemCertificates(example: string): Value<Secret> {
  return {
    schema: read((text) => (areCertificates(text) ? new Secret(text) : undefined)),
    expected: 'the path of a PEM file with certificates',
    example,
  }
}

export function pemKey(example: string): Value<Secret> {
  return {
    schema: read((text) => (/-----BEGIN [A-Z ]+-----/.test(text) ? new Secret(text) : undefined)),
    expected: 'the path of a PEM file with a private key',
    example,
  }
}

export function secret(example: string): Value<Secret> {
  return {
    schema: z
      .string()
      .regex(/^[^\p{Cc}]+$/u)
      .transform((text) => new Secret(text)),
    expected: 'one line of text',
    example,
  }
}

/** An access key or a token: a space in it is a copy-and-paste mistake. */
export function secretWord(example: string): Value<Secret> {
  return {
    schema: word(example).schema.transform((text) => new Secret(text)),
    expected: 'text without spaces',
    example,
  }
}

const digits = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number)

export const yesOrNo: Value<boolean> = {
  schema: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['true', 'false']))
    .transform((text) => text === 'true')
    .pipe(z.boolean()),
  expected: 'true or false',
  example: 'true',
}

export const userName: Value<string> = {
  schema: z.string().regex(/^[^\p{Cc}]+$/u),
  expected: 'one line of text',
  example: 'checkresult',
}

export const host: Value<string> = {
  schema: z
    .string()
    .max(255)
    .regex(/^[\w.:-]+$/),
  expected: 'an address or a host name to listen on',
  example: '0.0.0.0',
}

/** No IPv6 literals, because kafkajs splits at the first colon. */
export const brokers: Value<readonly string[]> = {
  schema: read((text) => {
    const all = list(text)
    return all.every(isHostAndPort) ? all : undefined
  }),
  expected: 'a comma-separated list of host:port, without scheme or IPv6 literals',
  example: 'kafka-1.example:9092,kafka-2.example:9092',
}

export const endpoint: Value<string> = {
  schema: read((text) => {
    const url = parseHttpUrl(text)
    if (url === undefined || url.pathname !== '/') return undefined
    return url.protocol === 'https:' || isLoopback(url.origin) ? url.origin : undefined
  }),
  expected: 'an https:// URL without path, user or query (http:// only for a loopback address)',
  example: 'https://cloudauth-intl.cn-hongkong.aliyuncs.com',
}

export const registryUrl: Value<string> = {
  schema: read((text) => parseHttpUrl(text)?.href.replace(/\/+$/, '')),
  expected: 'an http:// or https:// URL without user, password or query',
  example: 'https://registry.example/apis/ccompat/v7',
}

export const tokenUrl: Value<string> = {
  schema: read((text) => {
    const url = parseHttpUrl(text)
    if (url === undefined) return undefined
    return url.protocol === 'https:' || isLoopback(url.origin) ? url.href : undefined
  }),
  expected: 'an https:// URL without user, password or query (http:// only for a loopback address)',
  example: 'https://login.example/oauth2/token',
}

export const quotaKey: Value<string> = {
  schema: z
    .string()
    .max(200)
    .regex(/^[\w.:{}-]+$/),
  expected: 'up to 200 letters, digits, dots, colons, dashes, underscores or braces',
  example: 'checkresult:quota',
}

/** May hold a password. Its path is the number of a database. */
export const redisUrl: Value<Secret> = {
  schema: read((text) => {
    const url = /^rediss?:\/\//.test(text) ? URL.parse(text) : null
    const fits = url !== null && url.hostname !== '' && /^(\/\d{0,3})?$/.test(url.pathname)
    return fits && url.search === '' && url.hash === '' ? new Secret(text) : undefined
  }),
  expected: 'a redis:// or rediss:// URL, with user, password and database number if needed',
  example: 'rediss://redis.example:6380/0',
}

/** The token in a file that another program keeps fresh. */
export function tokenFile(example: string): Value<Secret> {
  return { ...secretWord(example), expected: 'the path of a file with a token' }
}

/** A secret, because the URL may hold a token. */
export const credentialsUri: Value<Secret> = {
  schema: read((text) => (/^https?:\/\//.test(text) && URL.canParse(text) ? new Secret(text) : undefined)),
  expected: 'an http:// or https:// URL',
  example: 'http://127.0.0.1:3000/credentials',
}

/** Zero is invalid, because it would stop all calls although whoever writes it probably means "no limit". */
export const callsPerSecond: Value<number | 'unlimited'> = {
  schema: z.union([z.literal('unlimited'), digits.pipe(z.int().min(1).max(100_000))]),
  expected:
    'an integer from 1 to 100000 (to call without a limit, set CHECKRESULT_QPS=unlimited with a loopback ' +
    'CHECKRESULT_ENDPOINT)',
  example: '10',
}

/** In milliseconds. `min` and `max` are texts such as `6s`; with `min` 0 zero is allowed, with or without a unit. */
export function durationBetween(min: string, max: string, example: string): Value<number> {
  const [minMs, maxMs] = [durationMs(min), durationMs(max)]
  return {
    schema: read((text) => {
      const ms = durationMs(text)
      return ms >= minMs && ms <= maxMs ? ms : undefined
    }),
    expected: `a duration from ${min} to ${max} with its unit (ms, s, m, h or d${minMs === 0 ? '; 0 needs no unit' : ''})`,
    example,
    pattern: minMs === 0 ? `^(${ZERO}|${DURATION})$` : `^${DURATION}$`,
    range: { minMs, maxMs },
  }
}

/** The vendor deletes results after 30 days, so nothing older can get a result. */
export const duration: Value<number> = durationBetween('1ms', '30d', '6h')

/** `off` is 0. */
export const durationOrOff: Value<number> = {
  schema: z.union([z.literal('off').transform(() => 0), duration.schema]),
  expected: 'a duration up to 30d with its unit (ms, s, m, h or d), or off',
  example: '10m',
  pattern: `^(off|${DURATION})$`,
  range: { minMs: 0, maxMs: durationMs('30d') },
}

/** A percentage as a share of 1; `off` is null. */
export const shareOrOff: Value<number | null> = {
  schema: read((text) => {
    const [, percent] = /^(\d{1,2})%$/.exec(text) ?? []
    if (text === 'off') return null
    return Number(percent) > 0 ? Number(percent) / 100 : undefined
  }),
  expected: 'a percentage from 1% to 99%, or off',
  example: '50%',
}

export const ascendingDurations: Value<readonly Duration[]> = {
  schema: read((text) => {
    const all = list(text).map(parseDuration)
    if (all.length > MAX_DELAYS || !all.every((one) => one !== undefined)) return undefined
    return all.every(({ ms }, at) => ms > (all[at - 1]?.ms ?? 0) && ms <= MAX_DELAY_MS) ? all : undefined
  }),
  expected: 'one to eight durations, separated by commas, each longer than the one before and at most 1d',
  example: '10s,1m,10m',
  pattern: `^\\s*${DURATION}(\\s*,\\s*${DURATION}){0,7}\\s*$`,
}

const MAX_DELAYS = 8
const MAX_DELAY_MS = durationMs('1d')

export function isLoopback(origin: string): boolean {
  const hostname = URL.parse(origin)?.hostname ?? ''
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

/** Refuses user and password, which have their own settings, and query and fragment, which would be lost. */
function parseHttpUrl(text: string): URL | undefined {
  const url = /^https?:\/\//.test(text) ? URL.parse(text) : null
  if (url === null || /[?#@]/.test(text)) return undefined
  return url
}

function isHostAndPort(text: string): boolean {
  const [, port] = /^\w[\w.-]*:(\d{1,5})$/.exec(text) ?? []
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535
}

function list(text: string): string[] {
  return text.split(',').map((one) => one.trim())
}

/** Makes a schema from a function that returns undefined for an invalid text. */
function read<T>(parse: (text: string) => T | undefined): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    const value = parse(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom' })
    return z.NEVER
  })
}
