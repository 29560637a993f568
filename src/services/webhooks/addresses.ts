/** Addresses that webhooks may reach: public ones, by the special-purpose registries of IANA, and listed ranges. */
import { BlockList, isIP } from 'node:net';

/** https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast (RFC 5771). */
const SPECIAL_IPV4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, with the metadata services of clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // relays of 6to4, deprecated
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
];

/**
 * The only range of public IPv6 addresses. Outside of it are, among others, loopback, IPv4-mapped addresses (::ffff:0:0/96),
 * NAT64 (64:ff9b::/96, 64:ff9b:1::/48), unique-local (fc00::/7), link-local (fe80::/10) and multicast (ff00::/8).
 */
const GLOBAL_IPV6 = '2000::/3';
/** https://www.iana.org/assignments/iana-ipv6-special-registry, within 2000::/3. */
const SPECIAL_IPV6 = [
  '2001::/23', // protocol assignments, with Teredo and ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, with an embedded IPv4 address
  '3fff::/20', // documentation
];

const special = toBlockList([...SPECIAL_IPV4, ...SPECIAL_IPV6]);
const globalIpv6 = toBlockList([GLOBAL_IPV6]);

/** @param ranges addresses, or networks such as `10.0.0.0/8` */
export function toBlockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address, prefix] = range.split('/');
    const family = isIP(address!) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address!, family);
    else list.addSubnet(address!, Number(prefix), family);
  }
  return list;
}

/** Whether the address is on the public internet, or in a range of `allowed`. */
export function isReachable(address: string, allowed: BlockList): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (allowed.check(address, family)) return true;
  return !special.check(address, family) && (family === 'ipv4' || globalIpv6.check(address, family));
}
