/** Bytes with their FNV-1a behind them, lowest byte first, computed with whole numbers. */
export function withChecksum(bytes: readonly number[]): Uint8Array {
  const sum = bytes.reduce((hash, byte) => ((hash ^ BigInt(byte)) * 0x01000193n) % 2n ** 32n, 0x811c9dc5n);
  return new Uint8Array([...bytes, ...[0n, 8n, 16n, 24n].map((shift) => Number((sum >> shift) % 256n))]);
}
