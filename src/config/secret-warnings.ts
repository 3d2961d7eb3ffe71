/** Secrets and other texts that were most likely changed on the way into the environment. Messages never hold a part of one. */
import { isQuoted, type EnvironmentValue } from './errors.ts'
import { aboutSetting, type SettingName } from './settings.ts'

export function secretWarnings(
  environmentValues: ReadonlyMap<SettingName, EnvironmentValue>,
  invalid: ReadonlySet<SettingName>,
): string[] {
  return [...environmentValues].flatMap(([name, { variable, text }]) => {
    const { holds } = aboutSetting(name)
    const isSecret = holds === 'secret'
    if (!isSecret && (holds !== 'text' || invalid.has(name))) return []
    const what = isSecret ? 'secret' : 'value'
    const where = variable === name ? `The value of ${variable}` : `The file of ${variable}`
    if (isQuoted(text)) {
      return [
        `${where} begins and ends with a quotation mark, which is taken as part of the ${what}. Remove both unless the ${what} really has them: a shell removes quotation marks, but an env file of Docker, a Kubernetes secret and a mounted file do not.`,
      ]
    }
    if (text.trim() !== text) {
      return [
        `${where} begins or ends with a blank, which is taken as part of the secret. Remove it unless the secret really has it.`,
      ]
    }
    return []
  })
}
