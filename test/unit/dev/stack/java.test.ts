import { describe, expect, test } from 'vitest'
import { findJava, findMaven, javaProblem, majorVersion } from '../../../../dev/stack/java.ts'

const NOWHERE = { PATH: '/nonexistent' }

describe('the Java check', () => {
  test('reports what to install if there is no Java', async () => {
    await expect(findJava(NOWHERE)).rejects.toThrow(
      'The local Kafka and schema registry need Java 17 or newer, but there is none on the PATH. Install it with `apt-get install default-jre-headless` (Debian, Ubuntu) or `brew install --cask temurin` (macOS).',
    )
  })

  test('reports a JAVA_HOME that does not exist', async () => {
    await expect(findJava({ ...process.env, JAVA_HOME: '/nonexistent' })).rejects.toThrow(
      'there is none in JAVA_HOME (/nonexistent)',
    )
  })
})

test('reports what to install if there is no Maven', async () => {
  await expect(findMaven(NOWHERE)).rejects.toThrow(
    'Install it with `apt-get install maven` (Debian, Ubuntu) or `brew install maven` (macOS).',
  )
})

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['java version "1.8.0_392"', 8],
  ['openjdk version "26-ea" 2026-03-17', 26],
  ['Unable to locate a Java Runtime.', undefined],
])('reads "%s" as version %s', (text, version) => {
  expect(majorVersion(text)).toBe(version)
})

test('reports the version of a Java that is too old', () => {
  expect(javaProblem('openjdk version "11.0.2" 2019-01-15', undefined)).toContain(
    'the one on the PATH is Java 11',
  )
})

test('accepts a Java that is new enough', () => {
  expect(javaProblem('openjdk version "21.0.1" 2023-10-17', undefined)).toBeUndefined()
})
