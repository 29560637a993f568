/** Context in which a source of original files is opened. */

export interface SourceContext {
  /** Creates an empty folder that is removed afterwards. */
  makeTemporary(): Promise<string>;
  say(line: string): void;
  readonly signal: AbortSignal;
}
