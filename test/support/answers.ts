/** Sample answers in the vendor's format. The people are fictitious: CESHI is Chinese for "test". */
import { parseAnswer } from '../../src/adapters/alibaba/answer.ts'
import type { CheckAnswer, DocumentAnswer, FinalAnswer, OcrMembers } from '../../src/core/calls/answer.ts'
import type { NormalizeContext } from '../../src/core/normalize/normalize.ts'
import type { DocumentFamily, DocumentFields } from '../../src/core/records/schema-types.ts'

export interface Sample {
  readonly family: DocumentFamily
  readonly docType: string
  readonly members: Readonly<Record<string, string>>
  /** The expected fields, with readable dates. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Days since 1970-01-01. */
export function days(isoDate: string): number {
  return Date.parse(`${isoDate}T00:00:00Z`) / 86_400_000
}

const PERMIT = {
  name: '测试',
  englishName: 'CESHI, CESHI',
  sex: '女',
  birthDate: '1990年06月02日',
  idNumber: 'H00000000',
  issueDate: '2013-01-02',
  expiryDate: '2032/02/10',
  originOfIssue: 'Testland Immigration Administration',
}
const PERMIT_FIELDS = {
  ...PERMIT,
  sex: 'FEMALE',
  birthDate: days('1990-06-02'),
  issueDate: days('2013-01-02'),
  expiryDate: days('2032-02-10'),
}
const PASSPORT = {
  surname: 'TESTPERSON',
  givenname: 'ALPHA',
  sex: 'M',
  birthDate: '1990-02-01',
  passportNo: 'X00000000',
  nationality: 'UTO',
  expiryDate: '2031-12-31',
  countryCode: 'UTO',
}

/** One sample for each of the seven families, in the format of ID_OCR. */
export const SAMPLES: readonly Sample[] = [
  {
    family: 'HONG_KONG_IDENTITY_CARD',
    docType: '00000008',
    members: {
      name: '测试',
      englishName: 'TESTPERSON, ALPHA',
      nameCode: '0000 0000',
      sex: 'M',
      birthDate: '01-02-1990',
      idNumber: 'A000000(0)',
      currentIssueDate: '23-09-10',
      firstIssueDate: '(09-99)',
      isPermanent: 'Y',
      symbols: '***AZ',
    },
    fields: {
      name: '测试',
      englishName: 'TESTPERSON, ALPHA',
      nameCode: '0000 0000',
      sex: 'MALE',
      birthDate: days('1990-02-01'),
      idNumber: 'A000000(0)',
      currentIssueDate: days('2010-09-23'),
      firstIssueDate: '1999-09',
      isPermanent: true,
      symbols: '***AZ',
    },
  },
  {
    family: 'EXIT_ENTRY_PERMIT_HONG_KONG_MACAO',
    docType: '00000007',
    members: { ...PERMIT, placeOfIssue: 'Testland' },
    fields: { ...PERMIT_FIELDS, placeOfIssue: 'Testland' },
  },
  {
    family: 'MAINLAND_TRAVEL_PERMIT_HONG_KONG_MACAO_RESIDENTS',
    docType: '00000009',
    members: PERMIT,
    fields: PERMIT_FIELDS,
  },
  {
    family: 'PASSPORT',
    docType: '01000000',
    members: PASSPORT,
    fields: { ...PASSPORT, sex: 'MALE', birthDate: days('1990-02-01'), expiryDate: days('2031-12-31') },
  },
  {
    family: 'MACAO_IDENTITY_CARD',
    docType: 'MAC01001',
    members: {
      surnameCN: '测',
      givennameCN: '试',
      surname: 'TESTPERSON',
      givenname: 'BETA',
      sex: 'F',
      birthDate: '1990-02-01',
      idNumber: '0000000(0)',
      expiryDate: '2030-06-30',
      placeOfBirth: 'AS',
    },
    fields: {
      surnameCN: '测',
      givennameCN: '试',
      surname: 'TESTPERSON',
      givenname: 'BETA',
      sex: 'FEMALE',
      birthDate: days('1990-02-01'),
      idNumber: '0000000(0)',
      expiryDate: days('2030-06-30'),
      placeOfBirth: 'AS',
    },
  },
  {
    family: 'MAINLAND_TRAVEL_PERMIT_TAIWAN_RESIDENTS',
    docType: '00000012',
    members: { ...PERMIT, sex: 'Female', placeOfIssue: 'Testland' },
    fields: { ...PERMIT_FIELDS, placeOfIssue: 'Testland' },
  },
  {
    family: 'MAINLAND_RESIDENT_IDENTITY_CARD',
    docType: 'CHN01001',
    members: {
      name: '测试',
      sex: '男',
      ethnicity: '汉',
      birthDate: '19900602',
      idNumber: '00000019900602000X',
      address: '虚构省测试市样本路0号',
    },
    fields: {
      name: '测试',
      sex: 'MALE',
      ethnicity: '汉',
      birthDate: days('1990-06-02'),
      idNumber: '00000019900602000X',
      address: '虚构省测试市样本路0号',
    },
  },
]

export function sampleOf(family: DocumentFamily): Sample {
  const found = SAMPLES.find((sample) => sample.family === family)
  if (found === undefined) throw new Error(`There is no sample for ${family}.`)
  return found
}

/** A body with this ExtIdInfo. */
export function bodyWith(extIdInfo: unknown, more: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    RequestId: '130A2C10-B9EE-4D84-88E3-5384FF039795',
    Code: 'Success',
    Message: 'success',
    Result: { Passed: 'Y', SubCode: '200', ExtIdInfo: extIdInfo, ...more },
  }
}

/** An answer without a document, except for the given members. */
export function answerWith(given: Partial<FinalAnswer>): FinalAnswer {
  return {
    requestId: '130A2C10-B9EE-4D84-88E3-5384FF039795',
    passed: 'Y',
    subCode: '200',
    document: 'absent',
    spoofed: null,
    spoofTypes: [],
    faceAttacked: null,
    droppedMembers: [],
    ...given,
  }
}

export function answerOf(
  fields: Readonly<Record<string, string>> | null,
  editedFields: Readonly<Record<string, string>> | null = null,
): FinalAnswer {
  return answerWith({
    document: {
      ocrPassed: true,
      fields: fields as OcrMembers | null,
      editedFields: editedFields as OcrMembers | null,
    },
  })
}

interface ContextGiven extends Partial<NormalizeContext> {
  readonly docType?: string | null
}

export function contextOf({ docType = null, ...given }: ContextGiven = {}): NormalizeContext {
  return {
    event: {
      transactionId: 'hks00000000000000000000000000test',
      merchantBizId: 'test0000000000000000000000000000',
      productCode: 'ID_OCR',
      docType,
      completedAt: 1_790_000_000_000,
      passed: null,
      subCode: null,
    },
    attempts: 1,
    checkedAtMs: 1_790_000_000_500,
    source: { topic: 'verification.completed', partition: 3, offset: 42n },
    pii: 'include',
    ...given,
  }
}

/** The fields that are not null, without an empty `raw`. */
export function saying(fields: DocumentFields | null | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields ?? {}).filter(
      ([name, value]) => value !== null && (name !== 'raw' || Object.keys(value as object).length > 0),
    ),
  )
}

export function answerTo(extIdInfo: unknown, more?: Readonly<Record<string, unknown>>): CheckAnswer {
  const { answer } = parseAnswer(bodyWith(extIdInfo, more))
  if (answer === null) throw new Error('no answer')
  return answer
}

export function documentIn(extIdInfo: unknown): DocumentAnswer {
  const { document } = answerTo(extIdInfo)
  if (typeof document === 'string') throw new Error(`the document is ${document}`)
  return document
}
