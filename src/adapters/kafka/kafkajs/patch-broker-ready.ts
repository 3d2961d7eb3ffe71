/**
 * kafkajs takes a broker for connected as soon as its TCP connection is open, before it knows which versions of requests
 * the broker supports. Whoever asks for the broker in between gets an object that cannot send ("Broker not connected"): the
 * first outputs for two partitions of one leader fail. Patch: a broker is connected once its versions are known. Others
 * wait for that in `connect`, which runs once at a time.
 */
import { BrokerClass, type KafkajsBroker } from './internals.ts'

/** The previous method. */
let original: KafkajsBroker['isConnected']

export function patchBrokerReady(): void {
  original ??= BrokerClass.prototype.isConnected
  BrokerClass.prototype.isConnected = isConnected
}

/** `lookupRequest` takes no arguments until the versions are known. */
function isConnected(this: KafkajsBroker): boolean {
  return this.lookupRequest.length > 0 && original.call(this)
}
