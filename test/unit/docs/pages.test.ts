import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { aboutSetting, SETTING_NAMES } from '../../../src/config/settings.ts'
import { anchorsOf, pages, readPage, type Page } from '../../support/docs.ts'

const MAX_README_BYTES = 10_000
const all = new Map(pages().map((page) => [page.path, page]))
const readme = readPage('README.md')

/** Links to documentation pages, relative to the repository root, with their anchors. */
function linksOf({ path, text }: Page): readonly { readonly to: string; readonly anchor: string }[] {
  return [...text.matchAll(/\]\(([^)\s]*?)(?:#([^)\s]*))?\)/g)].flatMap(([, target = '', anchor = '']) => {
    if (/^[a-z]+:/.test(target)) return []
    const to = target === '' ? path : posix.normalize(posix.join(posix.dirname(path), target))
    return all.has(to) ? [{ to, anchor }] : []
  })
}

test('the README has at most 10 KB', () => {
  expect(Buffer.byteLength(readme.text)).toBeLessThanOrEqual(MAX_README_BYTES)
})

test('every page is at most two clicks from the README', () => {
  const first = new Set(linksOf(readme).map(({ to }) => to))
  const second = new Set([...first].flatMap((path) => linksOf(all.get(path) ?? readme).map(({ to }) => to)))
  expect(
    [...all.keys()].filter((path) => !first.has(path) && !second.has(path) && path !== 'README.md'),
  ).toEqual([])
})

test.each([...all.values()])('anchors that $path links to exist', (page) => {
  const dead = linksOf(page).filter(({ to, anchor }) => {
    const target = all.get(to)
    return anchor !== '' && target !== undefined && !anchorsOf(target).has(anchor)
  })
  expect(dead).toEqual([])
})

describe('the settings table in the README', () => {
  const rows = [...readme.text.matchAll(/^\| `([A-Z_]+)` +\| (.*?) +\|/gm)]

  test('has ten rows', () => {
    expect(rows).toHaveLength(10)
  })

  test.each(rows.map(([, name = '', shown = '']) => [name, shown.replaceAll('`', '').trim()]))(
    'shows the correct default of %s: %s',
    (name, shown) => {
      const known = SETTING_NAMES.find((one) => one === name)
      if (known === undefined) throw new Error(`There is no setting ${name}.`)
      const { default: fixed, otherwise = '' } = aboutSetting(known)
      expect(shown).toBe(fixed ?? otherwise)
    },
  )
})
