//! Which addresses may be dialled. What is checked is the address itself, after its name was resolved, and no other one is
//! dialled: whoever owns a name may give it another address the next moment.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use idbridge_source::BoxError;
use tower::Service;

use crate::Origin;

/// The same for a name without an address, so that nobody can find out by it what listens where.
pub(crate) const OUT_OF_REACH: &str = "the host has no address that may be dialled";

/// Any address, for an upstream whose host is as trusted as the settings that name it; or public addresses, and networks
/// that are listed.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// `None`: any address.
    networks: Option<Arc<[Network]>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Network {
    first: u128,
    bits: u32,
}

impl Reach {
    /// Public addresses and these networks, each an address with or without the length of its prefix: `10.1.0.0/16`.
    pub fn public_and(networks: &[String]) -> Result<Self, String> {
        let parse = |(index, text): (usize, &String)| {
            Network::parse(text).ok_or_else(|| {
                let number = index + 1;
                format!("item {number} is no network such as \"10.1.0.0/16\" or \"fd00:1::/64\"")
            })
        };
        let networks: Result<Vec<Network>, String> = networks.iter().enumerate().map(parse).collect();
        Ok(Self {
            networks: Some(networks?.into()),
        })
    }

    pub fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_listed = |networks: &[Network]| networks.iter().any(|network| network.holds(address));
        self.networks
            .as_deref()
            .is_none_or(|networks| is_public(address) || is_listed(networks))
    }

    /// `false` if the origin's host is an address that is out of reach. Of a name nobody knows yet.
    pub fn admits_host(&self, origin: &Origin) -> bool {
        let host = origin.host().trim_start_matches('[').trim_end_matches(']');
        host.parse().map_or(true, |address| self.admits(address))
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(most);
        let bits = 128 - most + length;
        let first = number(address);
        // A network begins where its prefix ends: anything else is a slip.
        let fits = length <= most && first & !mask(bits) == 0;
        fits.then_some(Self { first, bits })
    }

    fn holds(self, address: IpAddr) -> bool {
        number(address) & mask(self.bits) == self.first
    }
}

/// An IPv4 address as the IPv6 address that stands for it.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn mask(bits: u32) -> u128 {
    u128::MAX.checked_shl(128 - bits).unwrap_or(0)
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Not in IANA's registry of special-purpose addresses (RFC 6890), and not multicast.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b, c) {
        (0 | 10 | 127, ..) | (169, 254, _) | (192, 168, _) | (192, 0, 0 | 2) => true,
        (100, 64..=127, _) | (172, 16..=31, _) | (198, 18 | 19, _) => true,
        (192, 88, 99) | (198, 51, 100) | (203, 0, 113) => true,
        _ => a >= 224,
    };
    !special
}

/// Global unicast (RFC 4291: 2000::/3), without what stands there for something else: Teredo and the other assignments of
/// 2001::/23, 6to4, documentation. NAT64 (64:ff9b::/96) and unique local addresses are outside of it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global = a & 0xe000 == 0x2000;
    let special = matches!((a, b), (0x2001, 0..=0x1ff | 0xdb8) | (0x2002, _) | (0x3fff, 0..=0xfff));
    global && !special
}

/// Resolves as the system does, and leaves out what is out of reach.
#[derive(Clone, Debug)]
pub(crate) struct Resolver<R = GaiResolver> {
    inner: R,
    reach: Reach,
}

impl Resolver {
    pub(crate) fn new(reach: Reach) -> Self {
        Self {
            inner: GaiResolver::new(),
            reach,
        }
    }
}

impl<R> Service<Name> for Resolver<R>
where
    R: Service<Name, Future: Send + 'static>,
    R::Response: Iterator<Item = SocketAddr>,
    R::Error: Into<BoxError>,
{
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (reach, resolving) = (self.reach.clone(), self.inner.call(name));
        Box::pin(async move {
            let found = resolving.await.map_err(Into::into)?;
            let admitted: Vec<SocketAddr> = found.filter(|address| reach.admits(address.ip())).collect();
            if admitted.is_empty() {
                return Err(OUT_OF_REACH.into());
            }
            Ok(admitted.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};

    use hyper_util::client::legacy::connect::HttpConnector;
    use tokio::net::TcpListener;
    use tower::ServiceExt as _;

    use super::*;

    fn reach(networks: &[&str]) -> Reach {
        let networks: Vec<String> = networks.iter().map(|text| (*text).to_owned()).collect();
        Reach::public_and(&networks).expect("networks")
    }

    #[test]
    fn only_public_addresses_are_admitted_unless_they_are_listed() {
        let public = [
            "1.1.1.1",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "2a00::1",
        ];
        let other = [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "fd00::1",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "::7f00:1",
        ];
        for address in public {
            assert!(reach(&[]).admits(address.parse().expect("an address")), "{address}");
        }
        for address in other {
            let address: IpAddr = address.parse().expect("an address");
            assert!(!reach(&[]).admits(address), "{address}");
            assert!(reach(&[&address.to_string()]).admits(address), "{address}, listed");
            assert!(Reach::default().admits(address), "{address}");
        }
    }

    #[test]
    fn a_network_is_its_prefix_and_no_more() {
        let reach = reach(&["10.1.0.0/16", "fd00:1::/64", "127.0.0.1"]);
        for (address, is_admitted) in [
            ("10.1.255.255", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.0", false),
            ("fd00:1::ffff", true),
            ("fd00:2::1", false),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
        ] {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(reach.admits(address), is_admitted, "{address}");
        }
        for bad in [
            "",
            "10.1.0.0/33",
            "10.1.0.1/16",
            "10.1/16",
            "acme.example.com",
            "fd00::/129",
            "10.0.0.0/-1",
        ] {
            assert!(Reach::public_and(&[bad.to_owned()]).is_err(), "{bad}");
        }
        assert!(reach.admits("1.1.1.1".parse().expect("an address")));
        assert!(self::reach(&["0.0.0.0/0"]).admits("10.9.9.9".parse().expect("an address")));
    }

    #[test]
    fn a_host_that_is_an_address_is_known_at_once_however_it_is_written() {
        for host in [
            "127.0.0.1",
            "[::1]",
            "[::ffff:7f00:1]",
            "2130706433",
            "0x7f.1",
            "017700000001",
            "127.1",
        ] {
            let origin = Origin::parse(&format!("https://{host}")).expect("an origin");
            assert!(!reach(&[]).admits_host(&origin), "{host}");
        }
        let name = Origin::parse("https://localhost").expect("an origin");
        assert!(reach(&[]).admits_host(&name), "a name is judged when it is resolved");
    }

    /// A name that is given these addresses.
    #[derive(Clone)]
    struct Named(Vec<SocketAddr>);

    impl Service<Name> for Named {
        type Response = std::vec::IntoIter<SocketAddr>;
        type Error = std::io::Error;
        type Future = Ready<Result<Self::Response, std::io::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), std::io::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Name) -> Self::Future {
            ready(Ok(self.0.clone().into_iter()))
        }
    }

    #[tokio::test]
    async fn what_is_checked_is_what_is_dialled() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        let other = SocketAddr::from(([127, 0, 0, 2], port));
        let local = SocketAddr::from(([127, 0, 0, 1], port));
        let dial = async |addresses: Vec<SocketAddr>, networks: &[&str]| {
            let resolver = Resolver {
                inner: Named(addresses),
                reach: reach(networks),
            };
            let uri = format!("http://rebound.example.com:{port}/").parse().expect("a URI");
            let tcp = HttpConnector::new_with_resolver(resolver).oneshot(uri).await;
            tcp.map(|io| io.into_inner().peer_addr().expect("an address"))
        };
        assert!(
            dial(vec![local], &[]).await.is_err(),
            "a public name with a loopback address"
        );
        assert!(
            dial(vec![local], &["127.0.0.2"]).await.is_err(),
            "another address is listed"
        );
        let dialled = dial(vec![other, local], &["127.0.0.1"]).await.expect("a connection");
        assert_eq!(dialled, local, "the listed one of two");
        let said = dial(vec![local], &[]).await.expect_err("out of reach");
        let cause = std::error::Error::source(&said).map(ToString::to_string);
        assert_eq!(cause.as_deref(), Some(OUT_OF_REACH));
    }
}
