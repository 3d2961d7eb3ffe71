/**
 * FNV-1a, finished as murmur3 does: small, and the same on every machine. An unsigned 32-bit number. Without the finish
 * ids that differ in their last digits only would get numbers near each other, and a mix of outcomes the wrong shares.
 */
export function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
