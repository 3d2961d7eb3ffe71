/** Replaces the generated parts of Markdown files: the text between `<!-- name -->` and `<!-- /name -->`. */
import { readFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'

export interface GeneratedPage {
  readonly url: URL
  /** The current content. */
  readonly found: string
  /** The expected content. */
  readonly current: string
}

/** Replaces the named sections of a Markdown file and formats the whole file. Writes nothing. */
export async function generatePage(
  url: URL,
  sections: Readonly<Record<string, string>>,
): Promise<GeneratedPage> {
  const found = readFileSync(url, 'utf8')
  let replaced = found
  for (const [name, content] of Object.entries(sections)) {
    const section = new RegExp(`(?<=<!-- ${name} -->\n).*(?=<!-- /${name} -->)`, 's')
    if (!section.test(found))
      throw new Error(`${url.pathname} has no section between <!-- ${name} --> and <!-- /${name} -->.`)
    replaced = replaced.replace(section, () => `\n${content.trimEnd()}\n\n`)
  }
  const options = await resolveConfig(url)
  return { url, found, current: await format(replaced, { ...options, parser: 'markdown' }) }
}

/** A Markdown table. Cells must not contain `|`. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
