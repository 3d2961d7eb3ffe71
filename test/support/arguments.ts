/**
 * Options of the large suites: how to parse their values, and how to pass them from the command to the tests in an
 * environment variable.
 */

export function names(text: string): string[] {
  return text.split(',').filter((name) => name !== '')
}

/** The command that repeats a run, saved with its figures. */
export function commandText(
  script: string,
  options: Readonly<Record<string, string | number | boolean>>,
): string {
  const words = Object.entries(options).flatMap(([name, value]) => {
    if (value === false || value === '') return []
    return value === true ? [`--${name}`] : [`--${name} ${value}`]
  })
  return [`npm run ${script}`, ...(words.length === 0 ? [] : ['--', ...words])].join(' ')
}

export const MAX_SEEDS = 1_000_000

/** Without passed-on options, the tests use the defaults of `parse`. */
export function byEnvironment<Options>(variable: string, parse: (args: readonly string[]) => Options) {
  return {
    passOn: (options: Options, environment: NodeJS.ProcessEnv): void => {
      Object.assign(environment, { [variable]: JSON.stringify(options) })
    },
    readOptions: (environment: NodeJS.ProcessEnv): Options => {
      const text = environment[variable]
      return text === undefined ? parse([]) : (JSON.parse(text) as Options)
    },
  }
}
