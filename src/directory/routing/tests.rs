use proptest::prelude::*;

use super::*;

fn route(domains: &[&str], callers: Option<&[&str]>, source: &str) -> Route {
    Route {
        domains: domains.iter().map(|domain| parse(domain)).collect(),
        callers: callers.map(|callers| callers.iter().map(|&caller| caller.to_owned()).collect()),
        to: Destination::Source(source.into()),
    }
}

fn parse(domain: &str) -> Domain {
    match domain.strip_prefix('.') {
        Some(domain) => Domain::Below(domain.to_owned()),
        None => Domain::Exactly(domain.to_owned()),
    }
}

fn asked<'a>(routing: &'a Routing, identifier: &str, caller: &str) -> Option<&'a str> {
    let (_, route) = routing.find(identifier, caller)?;
    Some(&route.to.sources()[0])
}

#[test]
fn the_first_route_that_fits_decides() {
    let routing = Routing::new(vec![
        route(&["acme.com"], Some(&["payroll"]), "payroll"),
        route(&["acme.com", "acme.de", "bücher.example"], None, "staff"),
        route(&[".acme.com", ".CO.uk"], None, "branches"),
        route(&[], Some(&["shop", "payroll"]), "shop"),
        route(&[], None, "customers"),
    ]);
    for (identifier, caller, source) in [
        ("ada@acme.com", "auth0", "staff"),
        ("ada@acme.com", "payroll", "payroll"),
        ("ada@acme.de", "payroll", "staff"),
        ("ada@ACME.DE", "auth0", "staff"),
        ("ada@bücher.EXAMPLE", "auth0", "staff"),
        ("ada@bu\u{308}cher.example", "auth0", "staff"),
        ("ada@bucher.example", "auth0", "customers"),
        ("ada@x@acme.com", "auth0", "staff"),
        ("ada@acme.com@x", "auth0", "customers"),
        ("ada@acme.com.evil.example", "auth0", "customers"),
        ("ada@sub.acme.com", "auth0", "branches"),
        ("ada@a.b.ACME.com", "auth0", "branches"),
        ("ada@.acme.com", "auth0", "customers"),
        ("ada@evilacme.com", "auth0", "customers"),
        ("ada@shop.co.uk", "auth0", "branches"),
        ("ada@co.uk", "auth0", "customers"),
        ("acme.com", "auth0", "customers"),
        ("ada", "auth0", "customers"),
        ("ada", "shop", "shop"),
        ("ada", "payroll", "shop"),
        ("ada", "Shop", "customers"),
    ] {
        assert_eq!(
            asked(&routing, identifier, caller),
            Some(source),
            "{identifier} {caller}"
        );
    }
}

#[test]
fn nobody_is_asked_where_no_route_fits() {
    let routing = Routing::new(vec![route(&["acme.com"], Some(&["auth0"]), "staff")]);
    assert_eq!(asked(&routing, "ada@acme.com", "auth0"), Some("staff"));
    for (identifier, caller) in [("ada", "auth0"), ("ada@acme.de", "auth0"), ("ada@acme.com", "shop")] {
        assert_eq!(asked(&routing, identifier, caller), None, "{identifier} {caller}");
    }
}

#[test]
fn what_a_domain_covers() {
    for (one, other, covers) in [
        ("acme.com", "ACME.com", true),
        ("acme.com", ".acme.com", false),
        (".acme.com", "acme.com", false),
        (".acme.com", ".acme.com", true),
        (".acme.com", "a.b.acme.com", true),
        (".acme.com", ".b.acme.com", true),
        (".b.acme.com", ".acme.com", false),
        (".acme.com", "evilacme.com", false),
    ] {
        assert_eq!(parse(one).covers(&parse(other)), covers, "{one} {other}");
    }
}

fn domain() -> impl Strategy<Value = String> {
    proptest::collection::vec("[a-cA-C]", 1..4).prop_map(|labels| labels.join("."))
}

fn domains() -> impl Strategy<Value = Vec<Domain>> {
    let one = prop_oneof![domain().prop_map(Domain::Exactly), domain().prop_map(Domain::Below)];
    proptest::collection::vec(one, 0..3)
}

fn routes() -> impl Strategy<Value = Vec<Route>> {
    let callers = proptest::option::of(proptest::collection::vec("[xy]", 1..3));
    let one = (domains(), callers).prop_map(|(domains, callers)| (domains, callers));
    proptest::collection::vec(one, 0..6).prop_map(|routes| {
        let numbered = routes.into_iter().enumerate();
        numbered
            .map(|(number, (domains, callers))| Route {
                domains,
                callers,
                to: Destination::Source(number.to_string().into()),
            })
            .collect()
    })
}

proptest! {
    /// Said another way: labels compared from the right.
    #[test]
    fn a_domain_has_what_ends_in_its_labels(domain in domain(), asked in domain()) {
        let labels = |text: &str| text.to_ascii_lowercase().split('.').map(str::to_owned).collect::<Vec<_>>();
        let (wanted, given) = (labels(&domain), labels(&asked));
        prop_assert_eq!(Domain::Exactly(domain.clone()).has(&asked), wanted == given);
        prop_assert_eq!(Domain::Below(domain).has(&asked), given.len() > wanted.len() && given.ends_with(&wanted));
    }

    #[test]
    fn what_is_covered_is_had(one in domain(), other in domain(), asked in domain()) {
        for one in [Domain::Exactly(one.clone()), Domain::Below(one.clone())] {
            for other in [Domain::Exactly(other.clone()), Domain::Below(other.clone())] {
                prop_assert!(!one.covers(&other) || !other.has(&asked) || one.has(&asked));
            }
        }
    }

    /// No route before the one found fits, and a route that is put behind it changes nothing.
    #[test]
    fn order_decides(routes in routes(), domain in domain(), caller in "[xyz]", more in routes()) {
        let identifier = format!("ada@{domain}");
        let found = Routing::new(routes.clone()).find(&identifier, &caller).map(|(at, _)| at);
        for (at, route) in routes.iter().enumerate() {
            let alone = Routing::new(vec![route.clone()]).find(&identifier, &caller).is_some();
            prop_assert!(!alone || found.is_some_and(|found| found <= at));
            prop_assert!(found != Some(at) || alone);
        }
        let longer = Routing::new(routes.into_iter().chain(more).collect());
        prop_assert!(found.is_none() || longer.find(&identifier, &caller).map(|(at, _)| at) == found);
    }
}
