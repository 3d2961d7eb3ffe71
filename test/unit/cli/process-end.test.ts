import { expect, onTestFinished, test, vi } from 'vitest'
import { stopWhileLoading } from '../../../src/cli/process-end.ts'
import type { Log } from '../../../src/ports.ts'

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s while the service loads ends the process with 0 and a last line',
  (signal) => {
    const before = process.listeners(signal)
    const exit = vi.spyOn(process, 'exit').mockReturnValue(undefined as never)
    onTestFinished(() => exit.mockRestore())
    const info = vi.fn<Log['info']>()
    const remove = stopWhileLoading({ info, warn: vi.fn<Log['warn']>(), error: vi.fn<Log['error']>() })
    onTestFinished(remove)

    for (const listener of process.listeners(signal))
      if (!before.includes(listener)) Reflect.apply(listener, process, [signal])

    expect(info.mock.calls).toEqual([['Stopped before the service started.', { reason: signal }]])
    expect(exit.mock.calls).toEqual([[0]])
    remove()
    expect(process.listeners(signal)).toEqual(before)
  },
)
