/**
 * Healthy answers with fictitious personal data. Every text member contains a marker that must not appear outside
 * result values.
 */
import { personOf, SAMPLE_DOCUMENTS, snakeCasePassport, standardOf } from '../../simulator/documents.ts'
import type { Dice } from './dice.ts'
import { CANARY } from './events.ts'

export interface Body {
  readonly RequestId: string
  readonly Code: string
  readonly Message: string
  readonly Result: Readonly<Record<string, unknown>>
}

type Members = Readonly<Record<string, string>>

const PEOPLE = 64
/** The service parses the values of these members, so the marker would make the answer unrealistic. */
const READ = /date|^sex|permanent|^date_of/i

export function healthyBody(dice: Dice, passed: boolean): Body {
  const risky = !passed && dice.chance(0.5)
  const members = membersOf(dice)
  const edited = dice.chance(0.1) ? { ocrIdEditInfo: { ...members, englishName: `CORRECTED ${CANARY}` } } : {}
  const document = {
    ocrIdInfo: dice.chance(0.1) ? JSON.stringify(JSON.stringify(members)) : members,
    ...edited,
    ...(dice.chance(0.1) ? { ocrStandardData: standardOf(personOf(dice.below(PEOPLE))) } : {}),
    ocrIdPassed: passed ? 'Y' : 'N',
    spoofInfo: { spoofResult: risky ? 'Y' : 'N', spoofType: risky ? ['SCREEN_REMARK'] : [] },
  }
  return {
    RequestId: '130A2C10-B9EE-4D84-88E3-5384FF039795',
    Code: dice.chance(0.1) ? '200' : 'Success',
    Message: `success ${CANARY}`,
    Result: {
      Passed: passed ? 'Y' : 'N',
      SubCode: passed ? '200' : dice.pick(['205', '212', '999', CANARY]),
      ...(dice.chance(0.1) ? {} : { ExtIdInfo: dice.chance(0.2) ? document : JSON.stringify(document) }),
      ...(dice.chance(0.2) ? { ExtFaceInfo: JSON.stringify({ faceAttack: 'N', faceImg: CANARY }) } : {}),
      ...(dice.chance(0.2)
        ? { ExtSourceInfo: JSON.stringify({ fullName: CANARY }), EkycResult: CANARY }
        : {}),
    },
  }
}

function membersOf(dice: Dice): Members {
  const person = personOf(dice.below(PEOPLE))
  const sample = dice.chance(0.1) ? snakeCasePassport(person) : dice.pick(SAMPLE_DOCUMENTS).members(person)
  const marked = Object.entries(sample).map(
    ([name, value]) => [name, READ.test(name) ? value : `${value} ${CANARY}`] as const,
  )
  return { ...Object.fromEntries(marked), ...(dice.chance(0.2) ? { [CANARY]: CANARY } : {}) }
}

export function toText(body: Body): string {
  return JSON.stringify(body)
}
