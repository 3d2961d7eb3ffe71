/** Renders the chart values as `values.yaml` with comments, as a JSON schema and as a Markdown table. */
import { stringify } from 'yaml'
import type { Group, Json, Leaf, Node } from './nodes.ts'

const WIDTH = 108

/** `values.yaml`: every default with its meaning above it. Values without a default are listed in comments. */
export function valuesFile(root: Group): string {
  const head = comment(
    'Generated from dev/chart. Do not edit: change dev/chart and run `npm run generate`.',
    '',
  )
  return `${head}\n${memberLines(root, '').join('\n')}`
}

function memberLines({ members }: Group, indent: string): string[] {
  return Object.entries(members).flatMap(([name, node]) => {
    const above = comment(node.meaning, indent)
    const between: string[] = indent === '' ? [''] : []
    return between.concat(above.split('\n'), nodeLines(name, node, indent))
  })
}

function nodeLines(name: string, node: Node, indent: string): string[] {
  switch (node.kind) {
    case 'group':
      return groupLines(name, node, indent)
    case 'leaf':
      return leafLines(name, node, indent)
    case 'alike':
      return [`${indent}${name}: {}`]
  }
}

function groupLines(name: string, node: Group, indent: string): string[] {
  if (!hasDefaults(node)) return [...notedLines(node, indent), `${indent}${name}: {}`]
  return [`${indent}${name}:`, ...memberLines(node, `${indent}  `)]
}

function notedLines({ members }: Group, indent: string): string[] {
  return Object.entries(members).flatMap(([name, { meaning }]) =>
    comment(`  ${name}: ${meaning}`, indent, '      ').split('\n'),
  )
}

function leafLines(name: string, { default: fallback }: Leaf, indent: string): string[] {
  const yaml = stringify({ [name]: fallback }, { lineWidth: 0, singleQuote: true, nullStr: 'null' }).trimEnd()
  return yaml.split('\n').map((line) => `${indent}${line}`)
}

function hasDefaults(node: Node): boolean {
  if (node.kind === 'group') return Object.values(node.members).some(hasDefaults)
  return node.kind === 'alike' || node.default !== undefined
}

function comment(text: string, indent: string, hanging = ''): string {
  const lines: string[] = []
  const start = text.slice(0, text.length - text.trimStart().length)
  let line = `${indent}#${start}`
  for (const word of text.trim().split(' ')) {
    if (line.length + word.length + 1 > WIDTH) {
      lines.push(line)
      line = `${indent}#${hanging}`
    }
    line += ` ${word}`
  }
  return [...lines, line].join('\n')
}

/** `values.schema.json`. Objects reject unknown names, except those with names that the user chooses. */
export function valuesSchema(root: Group): Json {
  const { properties, ...rest } = groupSchema(root)
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Values of the chart checkresult-stream',
    ...rest,
    properties: {
      ...(properties as Record<string, Json>),
      global: { type: 'object', description: 'Set by a parent chart. Not used here.' },
    },
  }
}

function groupSchema({ meaning, members }: Group): Record<string, Json> {
  const properties = Object.entries(members).map(([name, node]) => [name, nodeSchema(node)] as const)
  return {
    type: 'object',
    ...(meaning === '' ? {} : { description: meaning }),
    additionalProperties: false,
    properties: Object.fromEntries(properties),
  }
}

function nodeSchema(node: Node): Json {
  switch (node.kind) {
    case 'group':
      return groupSchema(node)
    case 'leaf':
      return leafSchema(node)
    case 'alike':
      return { description: node.meaning, $ref: `#/properties/${node.as}` }
  }
}

function leafSchema({ meaning, schema, default: fallback }: Leaf): Json {
  return { description: meaning, ...schema, ...(fallback === undefined ? {} : { default: fallback }) }
}

/** A Markdown table of all values. */
export function valuesTable(root: Group): string {
  return ['| Value | Default | Meaning |', '|---|---|---|', ...rows(root, '')].join('\n')
}

function rows({ members }: Group, prefix: string): string[] {
  return Object.entries(members).flatMap(([name, node]) => {
    const path = `${prefix}${name}`
    if (node.kind === 'leaf') return [row(path, node)]
    const itself = `| \`${path}\` | | ${node.meaning} |`
    return [itself].concat(node.kind === 'alike' ? [] : rows(node, `${path}.`))
  })
}

function row(path: string, { meaning, default: fallback }: Leaf): string {
  const shown = fallback === undefined || fallback === '' ? '' : `\`${JSON.stringify(fallback)}\``
  return `| \`${path}\` | ${shown} | ${meaning} |`
}
