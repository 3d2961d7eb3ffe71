/** Shows the progress of a long run: a bar on a terminal, otherwise a line every few seconds. A short run shows nothing. */
import cliProgress from 'cli-progress'

export interface Progress {
  show(moment: Moment): void
  /** Removes the bar. */
  end(): void
}

export interface Moment {
  readonly read: number
  readonly total: number
  /** Shown after the percentage; may be empty. */
  readonly note: string
}

const SHORT_MS = 1_000
const LINE_EVERY_MS = 5_000

export function createProgress(stream: NodeJS.WriteStream, nowMs: () => number): Progress {
  return stream.isTTY ? onTerminal(stream, nowMs) : inLines(stream, nowMs)
}

function onTerminal(stream: NodeJS.WriteStream, nowMs: () => number): Progress {
  const bar = new cliProgress.SingleBar({
    stream,
    format: '{bar} {percentage} %{note}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
  })
  const startedMs = nowMs()
  return {
    show: ({ read, total, note }) => {
      const payload = { note: note === '' ? '' : `  ${note}` }
      if (bar.isActive) bar.update(read, payload)
      else if (nowMs() - startedMs >= SHORT_MS) bar.start(total, read, payload)
    },
    end: () => bar.stop(),
  }
}

function inLines(stream: NodeJS.WritableStream, nowMs: () => number): Progress {
  let lastMs = nowMs()
  return {
    show: ({ read, total, note }) => {
      if (nowMs() - lastMs < LINE_EVERY_MS) return
      lastMs = nowMs()
      const percent = total === 0 ? 100 : Math.floor((read / total) * 100)
      stream.write(`${percent} % read${note === '' ? '' : `, ${note}`}\n`)
    },
    end: () => undefined,
  }
}
