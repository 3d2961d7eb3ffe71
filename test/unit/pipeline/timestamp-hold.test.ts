import { expect, test } from 'vitest'
import { TimestampHold } from '../../../src/pipeline/timestamp-hold.ts'
import { queueWith } from '../../support/permit-queue.ts'

const CLOCK = { isOff: true, description: 'The clock of this machine is 2 h behind the clock of the API.' }

test('no call is made while the brokers refuse the timestamps of any partition, and the message names the offset', () => {
  const { queue, log } = queueWith({ apiClock: CLOCK })
  const hold = new TimestampHold(queue, CLOCK)
  hold.refused('in:0')
  hold.refused('in:1')
  hold.refused('in:1')
  expect(queue.status).toBe(
    `clock: The brokers refuse the timestamps of the outputs (INVALID_TIMESTAMP). ${CLOCK.description}`,
  )
  hold.accepted('in:0')
  expect(queue.closed).toBe('clock')
  hold.accepted('in:1')
  expect(queue.closed).toBeNull()
  expect(log.lines).toHaveLength(2)
})

test('an accepted output changes nothing where none was refused', () => {
  const { queue, log } = queueWith({ apiClock: CLOCK })
  new TimestampHold(queue, CLOCK).accepted('in:0')
  expect([queue.closed, log.lines]).toEqual([null, []])
})
