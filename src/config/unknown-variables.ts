/** Warnings about unknown environment variables that resemble a known one. */
import { distance } from 'fastest-levenshtein';

const MAX_DISTANCE = 2;
/** Shorter names are not compared: an unrelated variable such as HOME would resemble HOST. */
const MIN_NAME_CHARS = 6;
/** Letters that must agree after the first word: RATE_LIMT matches RATE_LIMIT_PER_MINUTE, LOG_FORMAT nothing. */
const MIN_SHARED_CHARS = 2;

const PREFIX = 'ATELIER_';

/** @returns one message per suspicious name: "Unknown environment variable STATE_DI. Did you mean STATE_DIR?" */
export function describeUnknownVariables(names: readonly string[], known: readonly string[]): string[] {
  return names
    .filter((name) => !known.includes(name) && !isServiceLink(name, names))
    .flatMap((name) => {
      const isPrefixed = name.startsWith(PREFIX);
      const meant = findMeant(isPrefixed ? name.slice(PREFIX.length) : name, known);
      if (meant) return [`Unknown environment variable ${name}. Did you mean ${meant}?`];
      return isPrefixed
        ? [`Unknown environment variable ${name}. The variables of Atelier have no prefix.`]
        : [];
    });
}

function findMeant(name: string, known: readonly string[]): string | undefined {
  return (
    known.find((each) => each === name) ??
    known.find((each) => isWithinTwoLetters(name, each)) ??
    known.find((each) => sharesPrefix(name, each))
  );
}

/** Kubernetes sets ATELIER_SERVICE_HOST, ATELIER_PORT and more for a service named `atelier`. */
function isServiceLink(name: string, names: readonly string[]): boolean {
  const [, service] = /^(.+?)_(?:SERVICE_|PORT$|PORT_)/.exec(name) ?? [];
  return service !== undefined && names.includes(`${service}_SERVICE_HOST`);
}

function isWithinTwoLetters(name: string, known: string): boolean {
  return Math.min(name.length, known.length) >= MIN_NAME_CHARS && distance(name, known) <= MAX_DISTANCE;
}

function sharesPrefix(name: string, known: string): boolean {
  const word = known.indexOf('_') + 1;
  return word > 0 && name.startsWith(known.slice(0, word + MIN_SHARED_CHARS));
}
