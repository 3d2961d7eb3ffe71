import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { textFiles } from '../../../../dev/language/files.ts'

test('text files exclude links, nested repositories, binary, ignored and deleted files', () => {
  const root = mkdtempSync(join(tmpdir(), 'checkresult-language-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const git = (...words: string[]): void => void execFileSync('git', words, { cwd: root, stdio: 'ignore' })
  git('init')
  for (const name of ['kept.md', 'deleted.md', 'ignored.md']) writeFileSync(join(root, name), 'text')
  writeFileSync(join(root, '.gitignore'), 'ignored.md')
  writeFileSync(join(root, 'binary.md'), 'a\0b')
  git('add', 'deleted.md')
  rmSync(join(root, 'deleted.md'))
  mkdirSync(join(root, 'folder'))
  symlinkSync('folder', join(root, 'link-to-folder'))
  symlinkSync('nowhere', join(root, 'broken-link'))
  git('init', 'nested')

  expect(textFiles(`${root}/`)).toEqual([
    { path: '.gitignore', text: 'ignored.md' },
    { path: 'kept.md', text: 'text' },
  ])
})
