/** `lookup`: makes one call for one transaction and prints the normalized answer. */
import type { Command } from 'commander'
import type { Reply } from '../core/calls/answer.ts'
import type { Config } from '../config.ts'
import { readTextFile } from '../config/environment.ts'
import { NAME, VERSION } from '../version.ts'
import { EXIT_FAILED } from '../config/exit-codes.ts'
import { settingsHelp, withSettings } from './settings.ts'
import { terminalJson } from './terminal-json.ts'

interface Options {
  readonly docType?: string
  readonly showPersonal?: true
}

interface Ids {
  readonly transactionId: string
  readonly merchantBizId: string
}

export function addLookupCommand(program: Command): void {
  program
    .command('lookup')
    .description('call CheckResult once for one transaction and print the normalized answer')
    .argument('<transactionId>')
    .argument('<merchantBizId>')
    .option(
      '--doc-type <code>',
      'document type code that was sent with Initialize; it selects the document family',
    )
    .option('--show-personal', 'print personal fields; without this option they are masked')
    .addHelpText(
      'after',
      settingsHelp('needs Alibaba Cloud credentials; uses CHECKRESULT_ENDPOINT and CHECKRESULT_TIMEOUT'),
    )
    .action((transactionId: string, merchantBizId: string, options: Options) =>
      withSettings(['checkresult', 'credentials'], (config) =>
        lookup(config, { transactionId, merchantBizId }, options),
      ),
    )
}

type LookupConfig = Pick<Config, 'checkresult' | 'credentials'>

async function lookup(config: LookupConfig, ids: Ids, options: Options): Promise<void> {
  const reply = await callOnce(config, ids)
  const { classify } = await import('../core/calls/classify.ts')
  const outcome = classify(reply)
  if (outcome.kind !== 'final') {
    const { noResultLines } = await import('./lookup/no-result.ts')
    process.stderr.write(`${noResultLines(outcome, reply).join('\n')}\n`)
    process.exitCode = EXIT_FAILED
    return
  }
  const [{ normalize }, { schemaJson }, { logicalFields, withIsoTimes }] = await Promise.all([
    import('../core/normalize/normalize.ts'),
    import('../adapters/registry/schemas.ts'),
    import('./lookup/iso-times.ts'),
  ])
  const nowMs = Date.now()
  // Without an event its coordinates and its time are not known.
  const {
    source: _,
    completedAt: __,
    ...result
  } = normalize(outcome.answer, {
    event: {
      ...ids,
      productCode: null,
      docType: options.docType ?? null,
      completedAt: nowMs,
      passed: null,
      subCode: null,
    },
    attempts: 1,
    checkedAtMs: nowMs,
    source: { topic: '', partition: 0, offset: 0n },
    pii: options.showPersonal ? 'include' : 'mask',
  })
  const readable = withIsoTimes(result, logicalFields(JSON.parse(schemaJson('verification-result'))))
  process.stdout.write(`${terminalJson(readable)}\n`)
}

async function callOnce(config: LookupConfig, ids: Ids): Promise<Reply> {
  const [{ createCheckResultClient }, { createCredentialProvider }, { createLog }, { systemClock }] =
    await Promise.all([
      import('../adapters/alibaba/client.ts'),
      import('../adapters/alibaba/credentials.ts'),
      import('../adapters/pino/log.ts'),
      import('../adapters/system-clock.ts'),
    ])
  const credentials = createCredentialProvider({
    config: config.credentials,
    readText: readTextFile,
    clock: systemClock,
    log: createLog({ level: 'silent', name: NAME, version: VERSION }),
    metrics: { credentialRefresh: () => undefined, credentialsExpire: () => undefined },
  })
  const { endpoint, timeoutMs } = config.checkresult
  const client = createCheckResultClient({ endpoint, credentials, timeoutMs })
  try {
    return await client.check(ids, config.checkresult.timeoutMs)
  } finally {
    await client.close()
    credentials.close()
  }
}
