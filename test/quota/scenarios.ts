/** Simulator scenarios by caller. The arrival log has the scenario of each call but not its transaction id. */
export const EVENT_SCENARIO = 'passhkid2018'
export const OUTSIDE_SCENARIO = 'passpassport'
