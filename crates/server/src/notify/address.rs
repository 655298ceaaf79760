//! Which addresses webhooks may go to.
//!
//! Whoever may make a webhook chooses where this server connects to. So that nobody reaches through it what only it can
//! reach (a metadata service, a database on the same network), names are resolved here, every address is checked, and
//! the connection is made to the addresses that were checked.
//!
//! Sources: the IANA special-purpose address registries for IPv4 and IPv6, RFC 6890, RFC 6598 (carrier-grade NAT),
//! RFC 6052 (NAT64), RFC 4193 (unique local addresses).

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Metadata services of clouds outside of the link-local networks.
const METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// A destination that webhooks may not go to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// An address that is not to be reached.
    #[error("{host} is at {address}, {why}; webhooks go to public addresses only")]
    Address {
        /// As it stands in the URL.
        host: String,
        /// What it resolved to.
        address: IpAddr,
        /// What is special about it.
        why: &'static str,
    },
    /// A name without an address.
    #[error("{0} has no address")]
    Nowhere(String),
}

/// Resolves names to addresses that webhooks may go to, or refuses.
#[derive(Debug, Clone, Copy)]
pub struct CheckedResolver {
    /// Whether this machine and private networks are allowed.
    pub allow_private: bool,
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            check_all(&host, &found, allow_private)?;
            Ok::<Addrs, Box<dyn Error + Send + Sync>>(Box::new(found.into_iter()))
        })
    }
}

/// Refuses a URL whose host is an address that webhooks may not go to; a name is checked when it is resolved.
pub fn check_literal(url: &reqwest::Url, allow_private: bool) -> Result<(), Refused> {
    let host = url.host_str().unwrap_or_default();
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) => check(host, address, allow_private),
        Err(_) => Ok(()),
    }
}

/// One address that may not be reached is enough: which of them would be used is not ours to decide.
fn check_all(host: &str, found: &[SocketAddr], allow_private: bool) -> Result<(), Refused> {
    if found.is_empty() {
        return Err(Refused::Nowhere(host.to_owned()));
    }
    found.iter().try_for_each(|found| check(host, found.ip(), allow_private))
}

fn check(host: &str, address: IpAddr, allow_private: bool) -> Result<(), Refused> {
    match special(address) {
        None => Ok(()),
        Some(Special { is_private: true, .. }) if allow_private => Ok(()),
        Some(Special { why, .. }) => Err(Refused::Address { host: host.to_owned(), address, why }),
    }
}

/// What is special about an address.
struct Special {
    why: &'static str,
    /// Whether an operator may allow it.
    is_private: bool,
}

const fn never(why: &'static str) -> Special {
    Special { why, is_private: false }
}

const fn private(why: &'static str) -> Special {
    Special { why, is_private: true }
}

fn special(address: IpAddr) -> Option<Special> {
    if METADATA.contains(&address) {
        return Some(never("a metadata service"));
    }
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<Special> {
    let special = match address.octets() {
        [127, ..] => private("a loopback address"),
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] => private("a private address"),
        [100, 64..=127, ..] => private("an address behind carrier-grade NAT"),
        [169, 254, ..] => never("a link-local address, where metadata services are"),
        [0, ..] => never("an unspecified address"),
        [224..=239, ..] => never("a multicast address"),
        [240..=255, ..] => never("a reserved address"),
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [198, 18 | 19, ..] | [192, 88, 99, _] => {
            never("an address for special purposes")
        }
        _ => return None,
    };
    Some(special)
}

fn special_v6(address: Ipv6Addr) -> Option<Special> {
    if let Some(inner) = address.to_ipv4_mapped() {
        return special(IpAddr::V4(inner));
    }
    let special = match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => private("a loopback address"),
        [0, 0, 0, 0, 0, 0, 0, 0] => never("an unspecified address"),
        [0xfc00..=0xfdff, ..] => private("a private address"),
        [0xfe80..=0xfebf, ..] => never("a link-local address"),
        [0xff00..=0xffff, ..] => never("a multicast address"),
        [0x64, 0xff9b, ..] => never("a NAT64 address, which leads to an IPv4 address"),
        [0x2002, ..] => never("a 6to4 address, which leads to an IPv4 address"),
        // IETF protocol assignments (Teredo among them), documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => never("an address for special purposes"),
        // Nothing else is assigned to be reached from everywhere.
        [0x2000..=0x3fff, ..] => return None,
        _ => never("a reserved address"),
    };
    Some(special)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(address: &str, allow_private: bool) -> bool {
        check("host", address.parse().unwrap(), allow_private).is_err()
    }

    #[test]
    fn public_addresses_are_reached() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.167.1.1",
            "2606:4700:4700::1111",
            "2a00:1450:4001:81b::200e",
            "::ffff:1.1.1.1",
        ] {
            assert!(!is_refused(address, false), "{address}");
        }
    }

    #[test]
    fn this_machine_and_private_networks_are_reached_only_when_the_operator_allows() {
        for address in [
            "127.0.0.1",
            "127.255.255.254",
            "::1",
            "10.0.0.1",
            "10.255.255.255",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "fc00::1",
            "fd12:3456::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_refused(address, false), "{address}");
            assert!(!is_refused(address, true), "{address}");
        }
    }

    #[test]
    fn what_is_no_place_to_send_to_is_never_reached() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "240.0.0.1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "198.18.0.1",
            "192.0.0.1",
            "::7f00:1",
            "4000::1",
        ] {
            assert!(is_refused(address, true), "{address}");
        }
    }

    #[test]
    fn one_wrong_address_of_a_name_is_enough() {
        let at = |addresses: &[&str]| -> Vec<SocketAddr> {
            addresses.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect()
        };
        assert_eq!(check_all("name", &at(&["1.1.1.1", "2606:4700:4700::1111"]), false), Ok(()));
        let refused = check_all("name", &at(&["1.1.1.1", "10.0.0.1"]), false).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "name is at 10.0.0.1, a private address; webhooks go to public addresses only"
        );
        assert_eq!(check_all("name", &[], false), Err(Refused::Nowhere("name".to_owned())));
    }

    #[test]
    fn an_address_in_a_url_is_checked_however_it_is_written() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://169.254.169.254/latest/meta-data",
            "https://10.0.0.1:8443/x",
        ] {
            assert!(check_literal(&url.parse().unwrap(), false).is_err(), "{url}");
        }
        assert_eq!(check_literal(&"https://1.1.1.1/".parse().unwrap(), false), Ok(()));
        assert_eq!(check_literal(&"https://example.com/".parse().unwrap(), false), Ok(()));
    }
}
