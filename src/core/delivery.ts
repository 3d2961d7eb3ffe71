/** The delivery guarantee for outputs. */
export const DELIVERIES = ['exactly-once', 'at-least-once'] as const
/**
 * `exactly-once`: outputs and offset are committed in one transaction. `at-least-once`, for brokers without
 * transactions: the offset is committed after the outputs, so outputs may repeat after a crash.
 */
export type Delivery = (typeof DELIVERIES)[number]
