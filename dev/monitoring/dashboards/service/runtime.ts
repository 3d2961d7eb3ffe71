/** The row on the processes. */
import type { Row } from '../dashboard.ts'
import { chart } from '../panels.ts'
import { metric, rate } from '../queries.ts'

export const runtime: Row = {
  title: 'Runtime',
  panels: [
    chart(
      {
        title: 'CPU',
        description: 'CPU cores that each replica uses.',
        unit: 'none',
        width: 8,
        queries: [{ expr: rate(metric('process_cpu_seconds_total'), 'instance'), legend: '{{instance}}' }],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Memory',
        description: 'Resident memory and used heap of each replica.',
        unit: 'bytes',
        width: 8,
        queries: [
          {
            expr: `max by (instance) (${metric('process_resident_memory_bytes')})`,
            legend: '{{instance}}: resident',
          },
          {
            expr: `max by (instance) (${metric('nodejs_heap_size_used_bytes')})`,
            legend: '{{instance}}: heap',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Event loop lag',
        description: 'Delay of timers (p99). Heartbeats and permits depend on timers.',
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
        description: 'Share of time spent in garbage collection, by kind.',
        unit: 'percentunit',
        width: 8,
        queries: [
          {
            expr: rate(metric('nodejs_gc_duration_seconds_sum'), 'instance, kind'),
            legend: '{{instance}}: {{kind}}',
          },
        ],
      },
      { min: 0 },
    ),
    chart(
      {
        title: 'Open files and connections',
        description: 'Open file descriptors of each replica, including connections.',
        unit: 'short',
        width: 8,
        queries: [{ expr: `max by (instance) (${metric('process_open_fds')})`, legend: '{{instance}}' }],
      },
      { min: 0 },
    ),
    chart({
      title: 'Uptime',
      description: 'How long each replica has been running. A restart sets it to 0.',
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
