import { describe, expect, test } from 'vitest'
import { parseAnswer } from '../../../src/adapters/alibaba/answer.ts'
import { classify, type Outcome } from '../../../src/core/classify.ts'
import { normalize } from '../../../src/core/normalize/normalize.ts'
import { DOCUMENT_FAMILY_SYMBOLS, type VerificationResult } from '../../../src/core/schema-types.ts'
import { PEOPLE, SAMPLE_DOCUMENTS, personOf } from '../../../src/simulator/documents.ts'
import {
  SCENARIOS,
  scenarioNamed,
  scenarioOf,
  type Expected,
  type Response,
  type Scenario,
} from '../../../src/simulator/scenarios.ts'

type Made =
  { readonly kind: 'result'; readonly result: VerificationResult } | Exclude<Outcome, { kind: 'final' }>

/** What the service makes of a response: its own parser, table and normalizer. */
function made(response: Response, docType: string | null): Made {
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

/** Asks until the service would ask no more, and gives what it ends with and how it went on before. */
function inTheEnd({ respond, docType }: Scenario, calls: number, person: number) {
  const before: string[] = []
  for (let call = 1; call <= 20; call += 1) {
    const end = made(respond({ call, calls, person }), docType)
    if (!GO_AGAIN.has(end.kind)) return { end, before }
    before.push(end.kind)
  }
  return { end: null, before }
}

function asExpected(end: Made | null): Expected | null {
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

/** The document the service makes of a scenario, for one person. */
function documentOf(name: string, person = 3) {
  const { end } = inTheEnd(scenario(name), 1, person)
  return end?.kind === 'result' ? end.result.document : null
}

describe('what the service makes of a scenario is what the scenario expects:', () => {
  test.each(SCENARIOS.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const { end, before } = inTheEnd(one, 2, 5)
    expect(before.includes('deferred')).toBe(one.defers)
    expect(asExpected(end)).toEqual(one.expected)
  })

  test('for every person, all seven families come out with sex and date of birth', () => {
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

  test('however the document is wrapped, the same fields come out', () => {
    const usual = documentOf('passhkid2018')
    for (const name of ['doublyencoded', 'plainobject', 'newlines', 'spoofclean', 'code200']) {
      expect(documentOf(name)).toEqual(usual)
    }
    const passport = documentOf('passpassport')?.fields
    expect(documentOf('snakecase')?.fields).toMatchObject({ ...passport, raw: expect.anything() as unknown })
  })

  test('only what the customer changed is edited', () => {
    const edited = Object.entries(documentOf('edited')?.editedFields ?? {}).filter(
      ([, value]) => value !== null,
    )
    expect(edited).toEqual([
      ['englishName', 'TESTPERSON, CORRECTED'],
      ['raw', {}],
    ])
  })

  test('members by page come out as one document, without a page lost', () => {
    expect(documentOf('pages')?.fields).toMatchObject({
      passportNo: documentOf('passpassport')?.fields?.passportNo,
      raw: { page_note: 'TEST' },
    })
  })

  test('of dates nobody can be sure of none is guessed', () => {
    expect(documentOf('odddates')?.fields).toMatchObject({
      birthDate: null,
      issueDate: null,
      expiryDate: null,
    })
  })

  test('an empty ocrIdInfo leaves a document without fields', () => {
    expect(documentOf('blankocr')).toMatchObject({ ocrPassed: false, fields: null })
  })

  test.each([
    ['screenremark', ['SCREEN_REMARK']],
    ['tampered', ['TAMPER', 'PHOTO_COPY']],
    ['newforgery', ['OTHER']],
    ['spoofclean', ['SCREEN_REMARK']],
  ])('%s names the signs of forgery %j', (name, spoofTypes) => {
    const { end } = inTheEnd(scenario(name), 1, 3)
    expect(end).toMatchObject({ result: { risk: { spoofTypes } } })
  })

  test('members nobody documented are kept as they are', () => {
    expect(documentOf('unknownmembers')?.fields?.raw).toMatchObject({
      favoriteColor: 'TEST',
      cardEdition: '7',
    })
  })
})

describe('the number behind the name', () => {
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

  test.each(counting)('of %s says how many calls go wrong at first', (name) => {
    const named = scenarioOf(`${name}3x01`)
    expect(named).toMatchObject({ calls: 3, scenario: { name } })
    expect(inTheEnd(scenario(name), 3, 0).before).toHaveLength(3)
  })

  test('is 1 where there is none', () => {
    expect(scenarioOf('notyetx')?.calls).toBe(1)
    expect(scenarioOf('notyet')?.calls).toBe(1)
    expect(scenarioOf('notyet0')?.calls).toBe(1)
  })
})

describe('names', () => {
  test('are letters and digits, short enough to leave room in an id of 32', () => {
    for (const { name } of SCENARIOS) expect(name).toMatch(/^[a-z0-9]{1,20}$/)
  })

  test('are unlike each other: none begins another', () => {
    const names = SCENARIOS.map(({ name }) => name)
    expect(names.filter((name) => names.some((other) => other !== name && other.startsWith(name)))).toEqual(
      [],
    )
    expect(new Set(names).size).toBe(names.length)
  })

  test('are found at the beginning of an id, and nowhere else', () => {
    for (const { name } of SCENARIOS) {
      expect(scenarioOf(`${name}x0001`)?.scenario.name).toBe(name)
      expect(scenarioOf(`x${name}`)).toBeNull()
    }
  })

  test.each(['hksb7ba1b28130d24e015d694361bee4', 'sha0123456789abcdef', '', '42'])(
    'are not found in the id %j',
    (id) => {
      expect(scenarioOf(id)).toBeNull()
    },
  )
})

describe('people', () => {
  test('are the same for the same number', () => {
    for (const one of SCENARIOS) {
      expect(one.respond({ call: 9, calls: 1, person: 7 })).toEqual(
        one.respond({ call: 9, calls: 1, person: 7 }),
      )
    }
  })

  test('bear names that say they are made up', () => {
    for (const { members } of SAMPLE_DOCUMENTS) {
      for (const person of people) {
        const { name, englishName, surname } = members(personOf(person))
        expect(`${name} ${englishName} ${surname}`).toMatch(/测试|TESTPERSON/)
      }
    }
  })

  test('have document members as the vendor documents them: strings, each by its name', () => {
    for (const { members } of SAMPLE_DOCUMENTS) {
      for (const [name, value] of Object.entries(members(personOf(0)))) {
        expect(name).toMatch(/^[a-z][A-Za-z]+$/)
        expect(value).toBeTypeOf('string')
      }
    }
  })
})

describe('between them, the scenarios show', () => {
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
  ])('the code %s', (code) => {
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
    ['sex as a letter', /sex\\":\\"M\\"/],
    ['sex as a word', /sex\\":\\"Male\\"/],
    ['sex as a sign', /sex\\":\\"男\\"/],
    ['sex as a sign and a letter', /sex\\":\\"男M\\"/],
    ['a name with a comma', /CESHI,/],
    ['a masked name', /"\*\*\\"/],
    ['a trailing comma', /"spoofResult\\":\\"Y\\",\}/],
    ['a missing comma', /98\.0\\"ocrIdPassed/],
    ['a face attack', /faceAttack\\":\\"Y/],
  ])('%s', (_, text) => {
    expect(finalBodies).toMatch(text)
  })
})
