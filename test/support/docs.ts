/** Reads README.md and the pages in docs/, for tests of their content. */
import { readdirSync, readFileSync } from 'node:fs'

const ROOT = new URL('../../', import.meta.url)

export interface Page {
  /** Path relative to the checkout. */
  readonly path: string
  readonly text: string
}

export function readPage(path: string): Page {
  return { path, text: readFileSync(new URL(path, ROOT), 'utf8') }
}

/** All documentation pages, including the chart's. */
export function pages(): readonly Page[] {
  const docs = readdirSync(new URL('docs/', ROOT)).filter((name) => name.endsWith('.md'))
  const others = [
    'README.md',
    'CONTRIBUTING.md',
    'DESIGN.md',
    'SECURITY.md',
    'helm/checkresult-stream/README.md',
  ]
  return [...others, ...docs.map((name) => `docs/${name}`)].map(readPage)
}

/** The commands in `sh` blocks, joined over continuation lines and without trailing comments. */
export function commandsOf({ text }: Page): readonly string[] {
  return [...text.matchAll(/^ *```sh\n(.*?)^ *```/gms)].flatMap(([, block = '']) => commandsIn(block))
}

function commandsIn(block: string): readonly string[] {
  const lines = block
    .replaceAll(/\\\n\s*/g, '')
    .replaceAll(/\|\n\s*/g, '| ')
    .split('\n')
  return lines.map((line) => line.replace(/^#.*| # .*$/, '').trim()).filter((line) => line !== '')
}

/** The anchors that GitHub generates for the headings. */
export function anchorsOf({ text }: Page): ReadonlySet<string> {
  const headings = [...text.replaceAll(/^```.*?^```/gms, '').matchAll(/^#+ (.+)$/gm)]
  return new Set(
    headings.map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** Commands in single backticks, except those with placeholders such as `npm start -- COMMAND`. */
export function inlineCommandsOf({ text }: Page): readonly string[] {
  const outside = text.replaceAll(/^ *```.*?^ *```/gms, '')
  return [...outside.matchAll(/`((?:npm|npx|node|helm|docker|kubectl|redis-cli) [^`]+)`/g)]
    .map(([, command = '']) => command)
    .filter((command) => !/COMMAND|\.\.\./.test(command))
}
