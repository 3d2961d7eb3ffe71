/**
 * Documents of people who do not exist: plausible in form, invented in content, and the same for the same number.
 * The names say so (TESTPERSON; CESHI is Chinese for "test"), and the numbers are from unassigned ranges.
 */

/** A document of one family as the vendor's OCR returns it: every member is a string. */
export interface SampleDocument {
  /** Name of the family, used in scenario names. */
  readonly family: string
  /** Document type sent with Initialize. */
  readonly docType: string
  readonly members: (person: Person) => Readonly<Record<string, string>>
}

export interface Person {
  readonly number: number
  readonly digits: string
  readonly given: string
  readonly male: boolean
  readonly birth: { readonly year: number; readonly month: string; readonly day: string }
}

const GIVEN = ['ALPHA', 'BETA', 'GAMMA', 'DELTA', 'EPSILON', 'ZETA', 'ETA', 'THETA'] as const

export const PEOPLE = 64

export function personOf(number: number): Person {
  return {
    number,
    digits: String(number).padStart(6, '0'),
    given: GIVEN[number % GIVEN.length] ?? 'ALPHA',
    male: number % 2 === 0,
    birth: {
      year: 1950 + (number % 50),
      month: String(1 + (number % 12)).padStart(2, '0'),
      day: String(1 + (number % 28)).padStart(2, '0'),
    },
  }
}

const dashed = ({ birth }: Person): string => `${birth.year}-${birth.month}-${birth.day}`
const dayFirst = ({ birth }: Person): string => `${birth.day}-${birth.month}-${birth.year}`
const chinese = ({ birth }: Person): string => `${birth.year}年${birth.month}月${birth.day}日`
const slashed = ({ birth }: Person): string => `${birth.year}/${birth.month}/${birth.day}`
const initial = ({ male }: Person): string => (male ? 'M' : 'F')
const word = ({ male }: Person): string => (male ? 'Male' : 'Female')
const sign = ({ male }: Person): string => (male ? '男' : '女')
const both = ({ male }: Person): string => (male ? '男M' : '女F')

function hongKong(person: Person): Record<string, string> {
  return {
    name: '测试',
    englishName: `TESTPERSON, ${person.given}`,
    nameCode: '3261 6107',
    sex: initial(person),
    birthDate: dayFirst(person),
    idNumber: `A${person.digits}(0)`,
    currentIssueDate: '23-09-10',
    firstIssueDate: '(09-99)',
    isPermanent: person.male ? 'Y' : 'N',
    symbols: '***AZ',
  }
}

function permit(person: Person, number: string): Record<string, string> {
  return {
    name: '测试',
    englishName: `CESHI,${person.given}`,
    birthDate: chinese(person),
    idNumber: number,
    issueDate: '2013-01-02',
    expiryDate: '2032/02/10',
    originOfIssue: 'Test Immigration Administration',
  }
}

export const SAMPLE_DOCUMENTS: readonly SampleDocument[] = [
  { family: 'hkid2003', docType: '00000006', members: hongKong },
  {
    family: 'hkid2018',
    docType: '00000008',
    members: (person) => ({ ...hongKong(person), birthDate: dashed(person) }),
  },
  {
    family: 'exitentry',
    docType: '00000007',
    members: (person) => ({
      ...permit(person, `C0${person.digits}0`),
      sex: sign(person),
      placeOfIssue: 'Testland',
    }),
  },
  {
    family: 'homereturn',
    docType: '00000009',
    members: (person) => ({ ...permit(person, `H0${person.digits}00`), sex: both(person), expiryDate: '' }),
  },
  {
    family: 'passport',
    docType: '01000000',
    members: (person) => ({
      surname: 'TESTPERSON',
      givenname: person.given,
      sex: initial(person),
      birthDate: dashed(person),
      passportNo: `X0${person.digits}`,
      nationality: 'UTO',
      expiryDate: '2031-12-31',
      countryCode: 'UTO',
    }),
  },
  {
    family: 'macaoid',
    docType: 'MAC01001',
    members: (person) => ({
      surnameCN: '测',
      givennameCN: '试',
      surname: 'TESTPERSON',
      givenname: person.given,
      sex: initial(person),
      birthDate: dashed(person),
      idNumber: `0${person.digits}(0)`,
      expiryDate: '2030-06-30',
      placeOfBirth: 'AS',
    }),
  },
  {
    family: 'taiwanpermit',
    docType: '00000012',
    members: (person) => ({
      ...permit(person, `T0${person.digits}`),
      sex: word(person),
      placeOfIssue: 'Testland',
    }),
  },
  {
    family: 'mainlandid',
    docType: '00000001',
    members: (person) => ({
      name: '测试',
      sex: sign(person),
      ethnicity: '汉',
      birthDate: slashed(person).replaceAll('/', ''),
      idNumber: `000000${person.birth.year}${person.birth.month}${person.birth.day}000X`,
      address: '虚构省测试市样本路0号',
      expiryDate: '长期',
    }),
  },
]

/** A passport with the member names of eKYC_PRO. */
export function snakeCasePassport(person: Person): Record<string, string> {
  return {
    surname: 'TESTPERSON',
    given_names: person.given,
    sex: word(person),
    date_of_birth: dashed(person),
    passport_number: `X0${person.digits}`,
    nationality: 'UTO',
    date_of_expiry: '2031-12-31',
    country_code: 'UTO',
    personal_number: `0000${person.digits}`,
  }
}

/** The members that `OcrValueStandard` adds: a few fields again, in one format for all documents. */
export function standardOf(person: Person): Record<string, string> {
  return {
    surname_s: 'TESTPERSON',
    given_name_s: person.given,
    date_of_birth_s: dashed(person),
    sex_s: initial(person),
  }
}
