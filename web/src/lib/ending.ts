// When to speak of tokens that are about to end: 30, 7 and 1 days before, each time once. A token that was made to live
// no longer than that ends as it should, and nobody is told.

const day = 86_400;
export const steps = [1, 7, 30] as const;
export type Step = (typeof steps)[number];

export interface Life {
  jti: string;
  issued: number;
  expires: number;
}

/** stepOf returns the smallest number of days within which a token ends, undefined when there is nothing to say. */
export function stepOf(t: Life, now: number): Step | undefined {
  const left = t.expires - now;
  const step = left > 0 ? steps.find((days) => left <= days * day) : undefined;
  return step && t.expires - t.issued > step * day ? step : undefined;
}

/** Heard is the step up to which somebody has put the notice about a token away. */
export type Heard = Record<string, number>;

/** unheard returns those of which there is something new to say, the most urgent first. */
export function unheard<T extends Life>(tokens: readonly T[], heard: Heard, now: number): T[] {
  const says = (t: T): boolean => {
    const step = stepOf(t, now);
    return step !== undefined && step < (heard[t.jti] ?? Infinity);
  };
  return tokens.filter(says).sort((a, b) => a.expires - b.expires);
}

/** hear returns what has been heard once these tokens have been spoken of; tokens that are gone are forgotten. */
export function hear(tokens: readonly Life[], now: number): Heard {
  return Object.fromEntries(tokens.flatMap((t) => {
    const step = stepOf(t, now);
    return step === undefined ? [] : [[t.jti, step]];
  }));
}
