/** What JSON.parse does not tell: of a field that is named twice it takes the last. */

/** Numbers, commas, true, false and null say nothing of fields. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g;

/**
 * @param json text that JSON.parse takes
 * @returns the first field that an object names a second time, in whatever spelling
 */
export function findDuplicateKey(json: string): string | undefined {
  const opened: Set<string>[] = [];
  let text = '';
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '{' || token === '[') opened.push(new Set());
    else if (token === '}' || token === ']') opened.pop();
    else if (token === ':') {
      const fields = opened.at(-1);
      const field: string = JSON.parse(text);
      if (fields?.has(field)) return field;
      fields?.add(field);
    } else text = token;
  }
  return undefined;
}
