/** `dlq redrive`: writes dead letters to the input topic again, or prints which ones it would redrive. */
import type { Config } from '../../config.ts'
import { positionName } from '../../core/dead-letters/stored-dead-letter.ts'
import { redrive, type RedriveTarget } from '../../pipeline/dead-letters/redrive.ts'
import type { RedriveReport, UnfitDeadLetter } from '../../pipeline/dead-letters/redrive-report.ts'
import { EXIT_FAILED } from '../../config/exit-codes.ts'
import { kafkaClient, withDeadLetters, type DlqConfig } from './dead-letter-topic.ts'
import { selectionOf, type FilterOptions } from './options.ts'
import { createProgress } from './progress.ts'
import { count, foreignLines, sourceName, table } from './render.ts'
import { terminalJson } from '../terminal-json.ts'

export interface RedriveCommandOptions extends FilterOptions {
  readonly execute?: true
  readonly json?: true
}

type RedriveConfig = DlqConfig & Pick<Config, 'deadLetters' | 'compression'>

export async function redriveCommand(config: RedriveConfig, options: RedriveCommandOptions): Promise<void> {
  // Claim before reading: after the claim another redrive cannot commit, so all of its receipts are read.
  const target = options.execute ? await claimSink(config) : null
  try {
    const report = await withDeadLetters(config, async (dlq) => {
      const progress = createProgress(process.stderr, Date.now)
      try {
        return await redrive({
          ...dlq,
          selection: selectionOf(options, Date.now()),
          maxRedrives: config.deadLetters.maxRedrives,
          target,
          signal: interruption(),
          onProgress: (read, total, sent) =>
            progress.show({ read, total, note: target === null ? '' : `${sent} redriven` }),
        })
      } finally {
        progress.end()
      }
    })
    const executed = target !== null
    process.stdout.write(options.json ? redriveJson(report, executed) : reportText(report, config, executed))
    const problem = problemOf(report, executed)
    if (problem === null) return
    process.stderr.write(`${problem}\n`)
    process.exitCode = EXIT_FAILED
  } finally {
    await target?.sink.close()
  }
}

async function claimSink(config: RedriveConfig): Promise<RedriveTarget> {
  const [{ createCluster }, { claimRedriveSink }, { DEFAULT_MAX_MESSAGE_BYTES }, { systemClock }] =
    await Promise.all([
      kafkaClient(config),
      import('../../adapters/kafka/sinks/redrive-sink.ts'),
      import('../../adapters/kafka/sinks/batches.ts'),
      import('../../adapters/system-clock.ts'),
    ])
  const { input: inputTopic, deadLetter: deadLetterTopic } = config.topics
  const sink = await claimRedriveSink({
    createCluster,
    deadLetterTopic,
    inputTopic,
    packing: {
      compression: config.compression,
      maxMessageBytes: () => DEFAULT_MAX_MESSAGE_BYTES,
    },
    clock: systemClock,
  })
  return { sink, inputTopic, deadLetterTopic }
}

/** npm forwards a signal that the terminal has already sent to this process, so two within this time count as one. */
const SAME_SIGNAL_MS = 1_000

/** Aborts at the first signal. A later one ends the process at once, which loses nothing either. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  let firstMs: number | null = null
  const onSignal = (): void => {
    firstMs ??= Date.now()
    if (Date.now() - firstMs > SAME_SIGNAL_MS) process.exit(EXIT_FAILED)
    controller.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  return controller.signal
}

/** Null if everything that was selected and is ours was redriven, or would be. */
export function problemOf({ end, groups }: RedriveReport, executed: boolean): string | null {
  switch (end.kind) {
    case 'done': {
      const refused = groups.reduce((sum, group) => sum + group.refused, 0)
      return refused === 0
        ? null
        : `${count(refused, 'dead letter')} could not be redriven. The report says why.`
    }
    case 'interrupted':
      return executed
        ? 'Interrupted. Run the command again to continue.'
        : 'Interrupted before all dead letters were read.'
    case 'fenced':
      return 'Another redrive of this dead-letter topic took over. Let it finish, or run the command again afterwards.'
    case 'failed':
      return `${end.message} What was redriven is recorded: run the command again to continue.`
  }
}

export function reportText(
  report: RedriveReport,
  config: Pick<Config, 'deadLetters'>,
  executed: boolean,
): string {
  const { groups, staying, foreign, absent, end } = report
  const sent = groups.reduce((sum, group) => sum + group.sent, 0)
  const stays = groups.reduce((sum, group) => sum + group.stays, 0)
  const lines = [
    ...(groups.length === 0 ? [] : [groupTable(report, executed)]),
    executed ? `${count(sent, 'dead letter')} redriven.` : dryRunLine(sent, groups.length > 0),
  ]
  if (stays > 0) {
    const more = stays - staying.length
    const { maxRedrives } = config.deadLetters
    lines.push(
      `${count(stays, 'dead letter')} skipped, because DEAD_LETTER_MAX_REDRIVES allows ${count(maxRedrives, 'redrive')} of each: ` +
        `${staying.map(positionName).join(', ')}${more === 0 ? '' : ` and ${more} more`}.`,
    )
  }
  lines.push(...unfitLines(report), ...foreignLines(foreign))
  // After an early end it is not known whether the remaining positions exist.
  if (end.kind === 'done' && absent.length > 0) {
    lines.push(
      `No dead letter waits at ${absent.join(', ')}: there is none, it was redriven, or another filter excludes it.`,
    )
  }
  return `${lines.join('\n')}\n`
}

function dryRunLine(sent: number, anyFound: boolean): string {
  if (sent === 0 && !anyFound) return 'Dry run: no waiting dead letter matches these filters.'
  const howTo = sent === 0 ? '' : ` Add --execute to redrive ${sent === 1 ? 'it' : 'them'}.`
  return `Dry run: ${count(sent, 'dead letter')} would be redriven.${howTo}`
}

function unfitLines({ groups, unfit }: RedriveReport): string[] {
  const all = groups.reduce((sum, { refused, incomplete }) => sum + refused + incomplete, 0)
  if (all === 0) return []
  const more = all - unfit.length
  return [
    `${count(all, 'dead letter')} cannot be redriven:`,
    ...unfit.map(
      (one) => `  ${positionName(one.deadLetter)}  event ${sourceName(one.deadLetter)}  ${whyUnfit(one)}`,
    ),
    ...(more === 0 ? [] : [`  and ${more} more`]),
  ]
}

function whyUnfit({ why }: UnfitDeadLetter): string {
  switch (why.kind) {
    case 'incomplete':
      return `it lacks the event's ${why.leftOut.join(' and ')}: send the event again from its source`
    case 'refused':
      return `${why.code}: ${REFUSALS[why.code] ?? 'the record cannot be encoded, or the brokers reject it'}`
  }
}

const TOO_LARGE = 'the event is larger than max.message.bytes of the input topic'
const REFUSALS: Readonly<Record<string, string>> = {
  MESSAGE_TOO_LARGE: TOO_LARGE,
  RECORD_LIST_TOO_LARGE: TOO_LARGE,
  INVALID_RECORD:
    'the brokers reject the record, for example because it has no key and the input or dead-letter topic is compacted',
}

/** Most redrives have no dead letter that cannot be redriven, and then no column for them. */
function groupTable({ groups }: RedriveReport, executed: boolean): string {
  const anyUnfit = groups.some(({ refused, incomplete }) => refused + incomplete > 0)
  return table(
    [
      'REASON',
      'CODE',
      executed ? 'REDRIVEN' : 'WOULD REDRIVE',
      'MAX REDRIVES',
      ...(anyUnfit ? ['CANNOT REDRIVE'] : []),
    ],
    groups.map(({ reason, code, sent, stays, refused, incomplete }) => [
      reason,
      code,
      String(sent),
      String(stays),
      ...(anyUnfit ? [String(refused + incomplete)] : []),
    ]),
  )
}

export function redriveJson(
  { groups, staying, unfit, foreign, absent, end }: RedriveReport,
  executed: boolean,
): string {
  const made = {
    executed,
    end: end.kind,
    groups: groups.map(({ sent, stays, ...group }) => ({
      ...group,
      [executed ? 'redriven' : 'wouldRedrive']: sent,
      atLimit: stays,
    })),
    atLimit: staying.map(positionName),
    cannotRedrive: unfit.map(({ deadLetter, why }) => ({
      position: positionName(deadLetter),
      source: sourceName(deadLetter),
      why,
    })),
    foreign,
    notFound: absent,
  }
  return `${terminalJson(made)}\n`
}
