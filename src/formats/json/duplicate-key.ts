/** Finds duplicate keys in JSON objects. JSON.parse silently keeps the last one. */

/** Strings and structure. Numbers, commas, true, false and null are irrelevant for keys. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:]/g;

/**
 * @param json text that JSON.parse accepts
 * @returns the first key that occurs twice in an object, compared after unescaping; undefined if there is none
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
