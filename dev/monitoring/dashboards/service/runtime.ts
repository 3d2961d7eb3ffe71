/** The processes. */
import type { Row } from '../dashboard.ts'
import { chart } from '../panels.ts'
import { metric, rate } from '../queries.ts'

export const runtime: Row = {
  title: 'Runtime',
  panels: [
    chart(
      {
        title: 'CPU',
        description: 'Cores used by each replica.',
        unit: 'none',
        width: 8,
        queries: [{ expr: rate(metric('process_cpu_seconds_total'), 'instance'), legend: '{{instance}}' }],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Memory',
        description: 'Resident memory and the used heap of each replica.',
        unit: 'bytes',
        width: 8,
        queries: [
          {
            expr: `max by (instance) (${metric('process_resident_memory_bytes')})`,
            legend: '{{instance}} resident',
          },
          {
            expr: `max by (instance) (${metric('nodejs_heap_size_used_bytes')})`,
            legend: '{{instance}} heap',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Event loop lag',
        description: 'How late timers are: 99% are no later than this. Heartbeats and permits are timers.',
        unit: 's',
        width: 8,
        queries: [
          {
            expr: `max by (instance) (${metric('nodejs_eventloop_lag_p99_seconds')})`,
            legend: '{{instance}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Garbage collection',
        description: 'Share of the time spent collecting, by kind.',
        unit: 'percentunit',
        width: 8,
        queries: [
          {
            expr: rate(metric('nodejs_gc_duration_seconds_sum'), 'instance, kind'),
            legend: '{{instance}} {{kind}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Open files and connections',
        description: 'Descriptors of each replica.',
        unit: 'short',
        width: 8,
        queries: [{ expr: `max by (instance) (${metric('process_open_fds')})`, legend: '{{instance}}' }],
      },
      { min: 0 },
    ),
    chart({
      title: 'Up since',
      description: 'How long each replica has been running. It falls to 0 at a restart.',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: `time() - max by (instance) (${metric('process_start_time_seconds')})`,
          legend: '{{instance}}',
        },
      ],
    }),
  ],
}
