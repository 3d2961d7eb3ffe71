import { describe, expect, test } from 'vitest'
import { parseAnswer } from '../../../src/adapters/alibaba/answer.ts'
import { classify, type Outcome } from '../../../src/core/calls/classify.ts'
import { normalize } from '../../../src/core/normalize/normalize.ts'
import { DOCUMENT_FAMILY_SYMBOLS, type VerificationResult } from '../../../src/core/records/schema-types.ts'
import { PEOPLE, SAMPLE_DOCUMENTS, personOf } from '../../../simulator/documents.ts'
import {
  SCENARIOS,
  scenarioNamed,
  scenarioOf,
  type Expected,
  type Response,
  type Scenario,
} from '../../../simulator/scenarios.ts'

type Processed =
  { readonly kind: 'result'; readonly result: VerificationResult } | Exclude<Outcome, { kind: 'final' }>

/** Processes a response with the service's own parser, classification and normalizer. */
function processed(response: Response, docType: string | null): Processed {
  const outcome = classify(replyOf(response))
  if (outcome.kind !== 'final') return outcome
  const event = {
    transactionId: 't',
    merchantBizId: 'b',
    productCode: null,
    docType,
    completedAt: 0,
    passed: null,
    subCode: null,
  }
  const source = { topic: 't', partition: 0, offset: 0n }
  return {
    kind: 'result',
    result: normalize(outcome.answer, { event, attempts: 1, checkedAtMs: 0, source, pii: 'include' }),
  }
}

function replyOf(response: Response): Parameters<typeof classify>[0] {
  if (response.kind === 'json') {
    const body: unknown = JSON.parse(`{"RequestId":"REQUEST",${response.body}`)
    return { kind: 'answer', status: response.status, retryAfterMs: null, ...parseAnswer(body) }
  }
  if (response.kind === 'error') {
    const { status, code, retryAfterMs = null } = response
    return { kind: 'answer', status, code, retryAfterMs, requestId: 'REQUEST', answer: null }
  }
  const failure = response.kind === 'hang' ? 'timeout' : 'network'
  return { kind: 'no-answer', failure, status: null, retryAfterMs: null }
}

const GO_AGAIN = new Set(['deferred', 'throttled', 'unavailable', 'blocked'])

/** Repeats the call until the service would stop, and returns the last outcome and all earlier ones. */
function finalOutcome({ respond, docType }: Scenario, calls: number, person: number) {
  const before: string[] = []
  for (let call = 1; call <= 20; call += 1) {
    const end = processed(respond({ call, calls, person }), docType)
    if (!GO_AGAIN.has(end.kind)) return { end, before }
    before.push(end.kind)
  }
  return { end: null, before }
}

function toExpected(end: Processed | null): Expected | null {
  if (end === null) return { kind: 'deferred' }
  if (end.kind === 'rejected') return { kind: 'dead-letter', reason: end.reason }
  if (end.kind !== 'result') return null
  const { verdict, risk, document } = end.result
  if (verdict === 'UNKNOWN') return null
  return { kind: 'result', verdict, risky: risk.detected, document: document !== null }
}

const people = Array.from({ length: PEOPLE }, (_, number) => number)

function scenario(name: string): Scenario {
  const found = scenarioNamed(name)
  if (found === undefined) throw new Error(`no scenario ${name}`)
  return found
}

/** The document that the service makes of a scenario for one person. */
function documentOf(name: string, person = 3) {
  const { end } = finalOutcome(scenario(name), 1, person)
  return end?.kind === 'result' ? end.result.document : null
}

describe('the service', () => {
  test.each(SCENARIOS.map((one) => [one.name, one] as const))(
    'handles the scenario %s as expected',
    (_, one) => {
      const { end, before } = finalOutcome(one, 2, 5)
      expect(before.includes('deferred')).toBe(one.defers)
      expect(toExpected(end)).toEqual(one.expected)
    },
  )

  test('all seven document families are read with sex and date of birth, for every person', () => {
    const families = new Set<string>()
    for (const { family } of SAMPLE_DOCUMENTS) {
      for (const person of people) {
        const document = documentOf(`pass${family}`, person)
        families.add(document?.family ?? 'none')
        expect(document?.fields?.sex).toMatch(/^(?:MALE|FEMALE)$/)
        expect(document?.fields?.birthDate).toBeTypeOf('number')
      }
    }
    expect([...families].sort()).toEqual(
      DOCUMENT_FAMILY_SYMBOLS.filter((family) => family !== 'OTHER').sort(),
    )
  })

  test('a document gives the same fields in every wrapping', () => {
    const usual = documentOf('passhkid2018')
    for (const name of ['doublyencoded', 'plainobject', 'newlines', 'spoofclean', 'code200']) {
      expect(documentOf(name)).toEqual(usual)
    }
    const passport = documentOf('passpassport')?.fields
    expect(documentOf('snakecase')?.fields).toMatchObject({ ...passport, raw: expect.anything() as unknown })
  })

  test('only fields that the customer changed count as edited', () => {
    const edited = Object.entries(documentOf('edited')?.editedFields ?? {}).filter(
      ([, value]) => value !== null,
    )
    expect(edited).toEqual([
      ['englishName', 'TESTPERSON, CORRECTED'],
      ['raw', {}],
    ])
  })

  test('a document of several pages becomes one document without losing a page', () => {
    expect(documentOf('pages')?.fields).toMatchObject({
      passportNo: documentOf('passpassport')?.fields?.passportNo,
      raw: { page_note: 'TEST' },
    })
  })

  test('ambiguous dates are not guessed', () => {
    expect(documentOf('odddates')?.fields).toMatchObject({
      birthDate: null,
      issueDate: null,
      expiryDate: null,
    })
  })

  test('an empty ocrIdInfo gives a document without fields', () => {
    expect(documentOf('blankocr')).toMatchObject({ ocrPassed: false, fields: null })
  })

  test.each([
    ['screenremark', ['SCREEN_REMARK']],
    ['tampered', ['TAMPER', 'PHOTO_COPY']],
    ['newforgery', ['OTHER']],
    ['spoofclean', ['SCREEN_REMARK']],
  ])('%s has the forgery signs %j', (name, spoofTypes) => {
    const { end } = finalOutcome(scenario(name), 1, 3)
    expect(end).toMatchObject({ result: { risk: { spoofTypes } } })
  })

  test('undocumented members are kept as they are', () => {
    expect(documentOf('unknownmembers')?.fields?.raw).toMatchObject({
      favoriteColor: 'TEST',
      cardEdition: '7',
    })
  })
})

describe('the number in a scenario name', () => {
  const counting = [
    'notyet',
    'pending',
    'flaky',
    'throttled',
    'html502',
    'reset',
    'hang',
    'drip',
    'oversized',
    'error500',
  ]

  test.each(counting)('%s gives the number of calls that fail first', (name) => {
    const named = scenarioOf(`${name}3x01`)
    expect(named).toMatchObject({ calls: 3, scenario: { name } })
    expect(finalOutcome(scenario(name), 3, 0).before).toHaveLength(3)
  })

  test('defaults to 1', () => {
    expect(scenarioOf('notyetx')?.calls).toBe(1)
    expect(scenarioOf('notyet')?.calls).toBe(1)
    expect(scenarioOf('notyet0')?.calls).toBe(1)
  })
})

describe('scenario names', () => {
  test('consist of letters and digits and leave room in a transaction id of 32 characters', () => {
    for (const { name } of SCENARIOS) expect(name).toMatch(/^[a-z0-9]{1,20}$/)
  })

  test('are not prefixes of each other', () => {
    const names = SCENARIOS.map(({ name }) => name)
    expect(names.filter((name) => names.some((other) => other !== name && other.startsWith(name)))).toEqual(
      [],
    )
    expect(new Set(names).size).toBe(names.length)
  })

  test('are recognized only at the beginning of a transaction id', () => {
    for (const { name } of SCENARIOS) {
      expect(scenarioOf(`${name}x0001`)?.scenario.name).toBe(name)
      expect(scenarioOf(`x${name}`)).toBeNull()
    }
  })

  test.each(['hksb7ba1b28130d24e015d694361bee4', 'sha0123456789abcdef', '', '42'])(
    'are not recognized in the transaction id %j',
    (id) => {
      expect(scenarioOf(id)).toBeNull()
    },
  )
})

describe('generated people', () => {
  test('are the same for the same number', () => {
    for (const one of SCENARIOS) {
      expect(one.respond({ call: 9, calls: 1, person: 7 })).toEqual(
        one.respond({ call: 9, calls: 1, person: 7 }),
      )
    }
  })

  test('have names that are recognizably fictitious', () => {
    for (const { members } of SAMPLE_DOCUMENTS) {
      for (const person of people) {
        const { name, englishName, surname } = members(personOf(person))
        expect(`${name} ${englishName} ${surname}`).toMatch(/测试|TESTPERSON/)
      }
    }
  })

  test('have document members as the vendor documents them: strings under their documented names', () => {
    for (const { members } of SAMPLE_DOCUMENTS) {
      for (const [name, value] of Object.entries(members(personOf(0)))) {
        expect(name).toMatch(/^[a-z][A-Za-z]+$/)
        expect(value).toBeTypeOf('string')
      }
    }
  })
})

describe('the scenarios together', () => {
  const finalBodies = SCENARIOS.flatMap(({ respond }) => {
    const last = respond({ call: 9, calls: 1, person: 4 })
    return last.kind === 'json' ? [last.body] : []
  }).join('\n')
  const firstCodes = SCENARIOS.flatMap(({ respond }) => {
    const first = respond({ call: 1, calls: 1, person: 4 })
    return first.kind === 'error' ? [first.code] : []
  })

  test.each([
    'InvalidParameter',
    'MissingParameter',
    'TransactionIdInvalid',
    'ProcessNotCompleted',
    'InternalError',
    'ServiceUnavailable',
    'Throttling.User',
  ])('cover the code %s', (code) => {
    expect(firstCodes).toContain(code)
  })

  test.each([
    ['a date with hyphens', /"\d{4}-\d\d-\d\d\\"/],
    ['a date with slashes', /"\d{4}\/\d\d\/\d\d\\"/],
    ['a date of eight digits', /"\d{8}\\"/],
    ['a date in Chinese', /"\d{4}年\d\d月\d\d日\\"/],
    ['the day first', /"\d\d-\d\d-\d{4}\\"/],
    ['a month in parentheses', /"\(\d\d-\d\d\)\\"/],
    ['an empty expiry', /expiryDate\\":\\"\\"/],
    ['an open-ended expiry', /长期/],
    ['sex as a Latin character', /sex\\":\\"M\\"/],
    ['sex as a word', /sex\\":\\"Male\\"/],
    ['sex as a Chinese character', /sex\\":\\"男\\"/],
    ['sex as a Chinese and a Latin character', /sex\\":\\"男M\\"/],
    ['a name with a comma', /CESHI,/],
    ['a masked name', /"\*\*\\"/],
    ['a trailing comma', /"spoofResult\\":\\"Y\\",\}/],
    ['a missing comma', /98\.0\\"ocrIdPassed/],
    ['a face attack', /faceAttack\\":\\"Y/],
  ])('cover %s', (_, text) => {
    expect(finalBodies).toMatch(text)
  })
})
