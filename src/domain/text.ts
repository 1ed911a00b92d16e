/** What is wrong with a text, or null. PostgreSQL cannot store NUL, and a lone surrogate is no character. */
export function textFault(text: string): { code: string; detail: string } | null {
  if (text.includes('\0')) return { code: 'nul_character', detail: 'Holds the character U+0000; remove it.' };
  if (!text.isWellFormed())
    return { code: 'lone_surrogate', detail: 'Holds half of a surrogate pair; send whole characters.' };
  return null;
}

/** Escapes one token of a JSON Pointer (RFC 6901), cut to 64 characters; a pair of surrogates that is cut becomes U+FFFD. */
export function escapePointer(token: string): string {
  return token.slice(0, 64).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1');
}
