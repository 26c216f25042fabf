//! `/api/v1/users`: one user, lists, factors, groups.

use serde_json::{Map, Value, json};

use crate::errors::{Answer, OktaError};
use crate::org::{Rights, same};
use crate::page::{PAGE, Page};
use crate::router::{Access, Endpoint, Route, not_found};
use crate::search::{self, Expression};
use crate::state::State;
use crate::{Person, Status, ids};

/// When everyone in the org was made.
pub(crate) const CREATED: &str = "2024-03-19T08:01:45.000Z";

pub(crate) fn answer(state: &State, url: &str, access: &Access, route: &Route) -> Result<Answer, OktaError> {
    if access.rights == Rights::Forbidden {
        return Err(OktaError::new("E0000006"));
    }
    let visible = |person: &Person| access.rights == Rights::ReadUsers && !state.hidden.contains(&person.id);
    let one = |key: &str| {
        let key = if key == "me" { access.owner.as_str() } else { key };
        let found = locate(&state.org.people, key).and_then(|index| state.org.people.get(index));
        found
            .filter(|person| visible(person) || person.login == access.owner)
            .ok_or_else(|| not_found(key, "User"))
    };
    match route.endpoint {
        Endpoint::Factors => {
            let by_id = state
                .org
                .people
                .iter()
                .find(|person| person.id == route.key && visible(person));
            let person = by_id.ok_or_else(|| not_found(&route.key, "User"))?;
            let factors: Vec<Value> = person
                .factors
                .iter()
                .map(|factor| factor_json(url, person, factor))
                .collect();
            Ok(Answer::ok(&Value::Array(factors)))
        }
        Endpoint::Groups => {
            let person = one(&route.key)?;
            let groups: Vec<Group<'_>> = std::iter::once(Group("Everyone"))
                .chain(person.groups.iter().map(|name| Group(name)))
                .collect();
            let base = format!("{url}/api/v1/users/{}/groups", person.id);
            let page = Page::of(route, PAGE)?;
            page.answer(
                &base,
                &groups.iter().collect::<Vec<_>>(),
                |group| group.id().into(),
                |group| group.json(url),
            )
        }
        Endpoint::Search | Endpoint::Users => {
            let (people, default_limit) = matching(state, route)?;
            let people: Vec<&Person> = people.into_iter().filter(|person| visible(person)).collect();
            let page = Page::of(route, default_limit)?;
            page.answer(
                &format!("{url}/api/v1/users"),
                &people,
                |person| (&*person.id).into(),
                |person| user_json(url, person, false),
            )
        }
        _ => {
            let user = user_json(url, one(&route.key)?, true);
            let etag = ids::of("W/\"", &user.to_string());
            Ok(Answer::ok(&user).header("etag", format!("{etag}\"")))
        }
    }
}

/// The one user whom `key` names: an id; a login in any case; or a login's part before `@`, if no two share it.
pub(crate) fn locate(people: &[Person], key: &str) -> Option<usize> {
    if ids::is_user_id(key) {
        return people.iter().position(|person| person.id == key);
    }
    if let Some(index) = people.iter().position(|person| same(&person.login, key)) {
        return Some(index);
    }
    let short = |person: &Person| person.login.split_once('@').is_some_and(|(name, _)| same(name, key));
    let mut named = people
        .iter()
        .enumerate()
        .filter(|(_, person)| short(person))
        .map(|(index, _)| index);
    match (named.next(), named.next()) {
        (Some(index), None) => Some(index),
        _ => None,
    }
}

/// The people whom the query asks for, and how many a page holds when it doesn't say.
fn matching<'a>(state: &'a State, route: &Route) -> Result<(Vec<&'a Person>, usize), OktaError> {
    let people = &state.org.people;
    // Only `search` and `filter` show deactivated users.
    let listed = people.iter().filter(|person| person.status != Status::Deprovisioned);
    if let Some(text) = route.parameter("search") {
        let indexed = state.indexed.as_ref().unwrap_or(people);
        let expression = Expression::search(text, indexed)?;
        let mut found: Vec<&Person> = indexed.iter().filter(|person| expression.matches(person)).collect();
        if let Some(key) = route.parameter("sortBy") {
            found.sort_by_key(|person| (search::text(person, key), person.id.clone()));
            if route
                .parameter("sortOrder")
                .is_some_and(|order| order.eq_ignore_ascii_case("desc"))
            {
                found.reverse();
            }
        }
        Ok((found, PAGE))
    } else if let Some(text) = route.parameter("filter") {
        let expression = Expression::filter(text)?;
        Ok((
            people.iter().filter(|person| expression.matches(person)).collect(),
            PAGE,
        ))
    } else if let Some(q) = route.parameter("q") {
        Ok((listed.filter(|person| starts_with(person, q)).collect(), 10))
    } else {
        Ok((listed.collect(), PAGE))
    }
}

/// `q` matches the beginning of the first name, the last name or the e-mail address, in any case.
fn starts_with(person: &Person, q: &str) -> bool {
    let q = q.to_lowercase();
    [
        person.first_name.as_deref(),
        person.last_name.as_deref(),
        Some(person.email.as_str()),
    ]
    .iter()
    .flatten()
    .any(|text| text.to_lowercase().starts_with(&q))
}

/// A user as Okta prints one; in lists the only link is `self`.
fn user_json(url: &str, person: &Person, single: bool) -> Value {
    let own = format!("{url}/api/v1/users/{}", person.id);
    let activated = !matches!(person.status, Status::Staged | Status::Deprovisioned);
    let has_password = person.password.is_some();
    let mut profile = Map::new();
    profile.insert("firstName".to_owned(), json!(person.first_name));
    profile.insert("lastName".to_owned(), json!(person.last_name));
    profile.insert("mobilePhone".to_owned(), Value::Null);
    profile.insert("secondEmail".to_owned(), Value::Null);
    profile.insert("login".to_owned(), json!(person.login));
    profile.insert("email".to_owned(), json!(person.email));
    profile.extend(person.locale.iter().map(|locale| ("locale".to_owned(), json!(locale))));
    profile.extend(person.attributes.clone());
    let mut credentials = Map::new();
    if has_password {
        credentials.insert("password".to_owned(), json!({}));
    }
    if let Some(verified) = person.email_verified {
        let status = if verified { "VERIFIED" } else { "UNVERIFIED" };
        let emails = json!([{"value": person.email, "status": status, "type": "PRIMARY"}]);
        credentials.insert("emails".to_owned(), emails);
    }
    credentials.insert(
        "provider".to_owned(),
        json!({"type": person.provider.kind, "name": person.provider.name}),
    );
    let mut links = json!({"self": {"href": own}});
    if single {
        for (name, path) in actions(&person.status) {
            links[*name] = json!({"href": format!("{own}/{path}"), "method": "POST"});
        }
    }
    let mut user = json!({
        "id": person.id,
        "status": person.status.as_str(),
        "created": CREATED,
        "activated": activated.then_some(CREATED),
        "statusChanged": activated.then_some(CREATED),
        "lastLogin": person.last_login,
        "lastUpdated": CREATED,
        "passwordChanged": has_password.then_some(CREATED),
        "type": {"id": ids::of("oty", "user")},
        "profile": profile,
        "credentials": credentials,
        "_links": links,
    });
    if let Some(status) = &person.transitioning {
        user["transitioningToStatus"] = json!(status.as_str());
    }
    user
}

/// What may be done to a user in this state.
fn actions(status: &Status) -> &'static [(&'static str, &'static str)] {
    match status {
        Status::Active => &[
            ("suspend", "lifecycle/suspend"),
            ("resetPassword", "lifecycle/reset_password"),
            ("expirePassword", "lifecycle/expire_password"),
            ("changePassword", "credentials/change_password"),
            ("deactivate", "lifecycle/deactivate"),
        ],
        Status::Deprovisioned | Status::Staged => &[("activate", "lifecycle/activate")],
        Status::LockedOut => &[("unlock", "lifecycle/unlock"), ("deactivate", "lifecycle/deactivate")],
        Status::Suspended => &[
            ("unsuspend", "lifecycle/unsuspend"),
            ("deactivate", "lifecycle/deactivate"),
        ],
        Status::Other(_) | Status::PasswordExpired | Status::Provisioned | Status::Recovery => &[
            ("resetPassword", "lifecycle/reset_password"),
            ("deactivate", "lifecycle/deactivate"),
        ],
    }
}

fn factor_json(url: &str, person: &Person, factor: &crate::Factor) -> Value {
    let user = format!("{url}/api/v1/users/{}", person.id);
    let id = factor.id(&person.id);
    json!({
        "id": id,
        "factorType": factor.kind,
        "provider": factor.provider,
        "vendorName": factor.vendor,
        "status": factor.status,
        "created": CREATED,
        "lastUpdated": CREATED,
        "profile": factor.profile,
        "_links": {
            "self": {"href": format!("{user}/factors/{id}"), "hints": {"allow": ["GET", "DELETE"]}},
            "user": {"href": user, "hints": {"allow": ["GET"]}},
        },
    })
}

/// A group, which is no more than its name here.
struct Group<'a>(&'a str);

impl Group<'_> {
    fn id(&self) -> String {
        ids::of("00g", self.0)
    }

    fn json(&self, url: &str) -> Value {
        let built_in = self.0 == "Everyone";
        let own = format!("{url}/api/v1/groups/{}", self.id());
        json!({
            "id": self.id(),
            "created": CREATED,
            "lastUpdated": CREATED,
            "lastMembershipUpdated": CREATED,
            "objectClass": ["okta:user_group"],
            "type": if built_in { "BUILT_IN" } else { "OKTA_GROUP" },
            "profile": {"name": self.0, "description": built_in.then_some("All users in your organization")},
            "_links": {"users": {"href": format!("{own}/users")}, "apps": {"href": format!("{own}/apps")}},
        })
    }
}
