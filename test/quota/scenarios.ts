/** Which scenarios of the simulator the transactions name: its log of arrivals names no transaction, but these. */
export const EVENT_SCENARIO = 'passhkid2018'
export const OUTSIDE_SCENARIO = 'passpassport'
