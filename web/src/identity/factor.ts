// What people type and keep of a second factor.

/** spaced writes a secret in groups of four, for typing it. */
export const spaced = (secret: string): string => secret.replace(/(.{4})(?=.)/g, '$1 ');

/** typed is a code without the blanks that apps and people put into it. */
export const typed = (code: string): string => code.replace(/\s/g, '');

/** recoveryFile is the text of the file that keeps recovery codes: it says to what they belong. */
export function recoveryFile(codes: string[], user: string, head: string): string {
  return [`Recovery codes of ${user} at ${head}`, 'Each is good once, in place of a one-time code.', '', ...codes, ''].join('\n');
}

/** download is the address of a text that the browser keeps as a file. */
export const download = (text: string): string => 'data:text/plain;charset=utf-8,' + encodeURIComponent(text);
