/** What the service promises of its outputs. */
export const DELIVERIES = ['exactly-once', 'at-least-once'] as const
/**
 * `exactly-once`: outputs and offset in one transaction. `at-least-once`: for brokers without transactions; outputs first,
 * the offset behind them, so that what was in hand at a crash comes out again.
 */
export type Delivery = (typeof DELIVERIES)[number]
