//! The Actions: ours deployed, unchanged and bound in their order, and nobody's in their way.

use idbridge_source::{Finding, Verdict};
use serde_json::Value;

use super::tenant::Tenant;
use super::{compare, exported, judged};
use crate::cli::auth0::files::ACTIONS;

const BEFORE_SIGN_UP: &str = "pre-user-registration";

/// What one of ours can't do without.
const SECRETS: [(&str, &[&str]); 1] = [("metadata", &["IDBRIDGE_KEY", "IDBRIDGE_URL"])];

pub(super) async fn judge(tenant: &Tenant, connection: &str) -> Vec<Finding> {
    let actions = tenant.actions().await;
    let bound = tenant.bindings("post-login").await;
    let before = tenant.bindings(BEFORE_SIGN_UP).await;
    let mut findings: Vec<Finding> = ACTIONS
        .iter()
        .map(|action| {
            let verdict = both(&actions, &bound, |actions, bound| {
                ours(actions, bound, connection, action)
            });
            Finding::new(format!("Action {action}"), verdict)
        })
        .collect();
    findings.push(Finding::new(
        "order of Actions",
        judged(bound, |bound| order(&bound, connection)),
    ));
    findings.push(Finding::new(BEFORE_SIGN_UP, both(&actions, &before, before_sign_up)));
    // Its id is a secret of the Action's, which nobody reads back.
    let why = "whether the application behind the Action roles may update:users; no answer tells which it is";
    findings.push(Finding::new(
        "scopes of the Action roles",
        Verdict::NotChecked(why.to_owned()),
    ));
    findings
}

fn both(
    one: &Result<Vec<Value>, Verdict>,
    other: &Result<Vec<Value>, Verdict>,
    judge: impl FnOnce(&[Value], &[Value]) -> Verdict,
) -> Verdict {
    match (one, other) {
        (Ok(one), Ok(other)) => judge(one, other),
        (Err(unread), _) | (_, Err(unread)) => unread.clone(),
    }
}

fn full_name(connection: &str, action: &str) -> String {
    format!("idbridge-{connection}-{action}")
}

fn ours(actions: &[Value], bound: &[Value], connection: &str, action: &str) -> Verdict {
    let name = full_name(connection, action);
    let wrong = |text: &str| Verdict::Wrong(text.to_owned());
    let Some(found) = actions.iter().find(|found| found["name"] == *name) else {
        return wrong("isn't there: import the export's folder, actions and triggers included");
    };
    let Some(code) = running(found) else {
        return wrong("was never deployed: deploy it");
    };
    let wanted = exported(connection, &format!("{name}/code.js")).unwrap_or_default();
    let same = match compare(code, &wanted) {
        Ok(same) => same,
        Err(differs) => return Verdict::Wrong(differs),
    };
    if found["all_changes_deployed"] == false {
        return wrong(
            "what runs is this version's, but a change waits to be deployed: look at it, and deploy or drop it",
        );
    }
    let secrets: Vec<&str> = found["secrets"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|secret| secret["name"].as_str())
        .collect();
    let needed = SECRETS
        .iter()
        .filter(|(name, _)| *name == action)
        .flat_map(|(_, needed)| *needed);
    let missing: Vec<&str> = needed.filter(|name| !secrets.contains(name)).copied().collect();
    if !missing.is_empty() {
        return Verdict::Wrong(format!(
            "has no secret {}; without it, it denies",
            missing.join(" and ")
        ));
    }
    match node(found) {
        Some(22..) => {}
        Some(older) => return Verdict::Wrong(format!("runs on Node {older}: choose 22, and deploy it")),
        None => return Verdict::Unknown("its runtime is no Node version".to_owned()),
    }
    if !bound.iter().any(|binding| is(binding, found)) {
        return wrong("isn't bound to post-login, so it never runs: bind it");
    }
    Verdict::Fine(format!("bound, and {same}"))
}

/// The code that runs, which needn't be the draft.
fn running(action: &Value) -> Option<&str> {
    let deployed = &action["deployed_version"];
    let code = deployed["code"].as_str();
    let unnamed = deployed.is_null() && action["all_changes_deployed"] == true;
    code.or_else(|| action["code"].as_str().filter(|_| unnamed))
}

fn node(action: &Value) -> Option<u32> {
    let deployed = action["deployed_version"]["runtime"].as_str();
    let runtime = deployed.or_else(|| action["runtime"].as_str())?;
    runtime.strip_prefix("node")?.parse().ok()
}

fn is(binding: &Value, action: &Value) -> bool {
    let bound = &binding["action"];
    if bound["id"].is_string() {
        bound["id"] == action["id"]
    } else {
        bound["name"].is_string() && bound["name"] == action["name"]
    }
}

fn order(bound: &[Value], connection: &str) -> Verdict {
    let place = |action: &&str| {
        let name = full_name(connection, action);
        bound.iter().position(|binding| binding["action"]["name"] == *name)
    };
    let places: Vec<usize> = ACTIONS.iter().filter_map(place).collect();
    if places.len() < ACTIONS.len() {
        return Verdict::Wrong("not all four are bound".to_owned());
    }
    if places.is_sorted() {
        return Verdict::Fine(ACTIONS.join(", "));
    }
    Verdict::Wrong(format!(
        "put them into this one: {}; the first fetches what the others need",
        ACTIONS.join(", ")
    ))
}

/// An Action before a sign-up may give the new user another id than ours.
fn before_sign_up(actions: &[Value], bound: &[Value]) -> Verdict {
    let mut unread = false;
    for binding in bound {
        let action = actions.iter().find(|action| is(binding, action));
        match action.and_then(running) {
            Some(code) if code.contains("setUserId") => {
                return Verdict::Wrong(
                    "an Action bound there calls setUserId, which takes the place of our ids, so that a user who comes back is \
                     another: unbind it, or keep this connection out of it"
                        .to_owned(),
                );
            }
            Some(_) => {}
            None => unread = true,
        }
    }
    if unread {
        return Verdict::Unknown(
            "an Action is bound there whose code wasn't shown; see that it doesn't call setUserId".to_owned(),
        );
    }
    Verdict::Fine(
        if bound.is_empty() {
            "no Action is bound"
        } else {
            "no bound Action calls setUserId"
        }
        .to_owned(),
    )
}
