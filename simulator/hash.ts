/**
 * FNV-1a with murmur3's finalizer: small, and the same on every machine. Returns an unsigned 32-bit integer.
 * Without the finalizer, ids that differ only in their last digits would get similar numbers, and the mix of
 * scenarios would have wrong shares.
 */
export function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
