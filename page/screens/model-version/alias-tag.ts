/** Preconditions of a move: the alias must still be what the user sees. */
import type { Alias } from '../../../src/domain/models/alias.ts';
import { request } from '../../api/client.ts';

/** A tag that matches no state, so the service refuses the change and describes the current state. */
const STALE = '"stale"';

/** The part of an alias that the user sees. */
type ShownAlias = Pick<Alias, 'version'> & Partial<Pick<Alias, 'movedAt'>>;

/** ETag of the alias, unless it has been moved since it was shown. @throws ApiProblem */
export async function readTag(path: string, shown: ShownAlias): Promise<string> {
  const response = await request(path, { isRecorded: false });
  const { version, movedAt }: Alias = await response.json();
  const isSame = version === shown.version && movedAt === (shown.movedAt ?? movedAt);
  return (isSame && response.headers.get('etag')) || STALE;
}
