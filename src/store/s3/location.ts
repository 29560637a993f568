/** The location of blobs in an S3-compatible object store, from BLOB_URL. */

interface BlobLocation {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
  readonly region: string;
}

const PARAMETERS = ['endpoint', 'region'];
/** Characters of object names that need no escaping anywhere. */
const PREFIX = /^[\w.-]+(\/[\w.-]+)*$/;

/**
 * Parses `s3://bucket/prefix?endpoint=https://host:port&region=name`. The default endpoint is AWS.
 * @throws RangeError that does not repeat the URL
 */
export function parseBlobUrl(url: string, defaultRegion: string): BlobLocation {
  const { protocol, host: bucket, pathname, searchParams, username, password } = new URL(url);
  const prefix = pathname.replace(/^\/|\/$/g, '');
  if (protocol !== 's3:' || !/^[\w.-]+$/.test(bucket) || username !== '' || password !== '') {
    throw new RangeError('A blob URL begins with s3:// and the name of a bucket.');
  }
  if (prefix !== '' && !PREFIX.test(prefix)) {
    throw new RangeError(
      'The prefix of a blob URL consists of letters, digits, and the characters / . _ and -.',
    );
  }
  const unknown = [...searchParams.keys()].filter((name) => !PARAMETERS.includes(name));
  if (unknown.length > 0) throw new RangeError('The parameters of a blob URL are endpoint and region.');
  const region = searchParams.get('region') ?? defaultRegion;
  const endpoint = new URL(searchParams.get('endpoint') ?? `https://s3.${region}.amazonaws.com`);
  if (!/^https?:$/.test(endpoint.protocol) || endpoint.search !== '') {
    throw new RangeError('The endpoint of a blob URL is an address that begins with http:// or https://.');
  }
  return {
    endpoint: endpoint.href.replace(/\/$/, ''),
    bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
    region,
  };
}
