//! `doctor --auth0`: what was deployed to a tenant, compared with what this version exports and the settings say. Reads
//! only.

mod actions;
mod connection;
mod password;
mod tenant;

use aws_lc_rs::digest::{SHA256, digest};
use idbridge_source::{Finding, Verdict};
use serde_json::Value;
use zeroize::Zeroizing;

use self::tenant::Tenant;
use super::{Args, Report};
use crate::cli::auth0::files;
use crate::cli::{Environment, Exit, output, runtime, try_it};
use crate::config::Config;

const TOKEN: &str = "AUTH0_MANAGEMENT_TOKEN";

pub(super) fn run(args: &Args, domain: &str, config: &Config, environment: &Environment) -> Exit {
    let tenant = token(args, environment).and_then(|token| Tenant::new(domain, &token));
    let tenant = match tenant {
        Ok(tenant) => tenant,
        Err(problem) => {
            output::error(&problem);
            return Exit::Usage;
        }
    };
    let Some(report) = runtime::block_on(examine(&tenant, args.connection.as_deref(), config)) else {
        return Exit::Unknown;
    };
    if args.json {
        output::json(&serde_json::json!({ "ok": report.is_fine(), "findings": report.to_json() }));
    } else {
        output::line(&report.to_text());
    }
    report.exit()
}

fn token(args: &Args, environment: &Environment) -> Result<Zeroizing<String>, String> {
    if args.token_stdin {
        return try_it::password(true);
    }
    let token = environment.iter().find(|(name, _)| name == TOKEN);
    match token.and_then(|(_, value)| value.to_str()) {
        Some(token) if !token.is_empty() => Ok(Zeroizing::new(token.to_owned())),
        _ => Err(format!(
            "${TOKEN} is empty; it holds a Management API token, or --token-stdin reads one"
        )),
    }
}

async fn examine(tenant: &Tenant, name: Option<&str>, config: &Config) -> Report {
    let mut findings = vec![Finding::new("settings", settings(config))];
    match tenant
        .connections(name)
        .await
        .and_then(|all| connection::choose(all, name))
    {
        Err(verdict) => findings.push(Finding::new("connection", verdict)),
        Ok(connection) => {
            let name = connection["name"].as_str().unwrap_or_default().to_owned();
            findings.push(Finding::new("connection", Verdict::Fine(format!("{name} is there"))));
            findings.extend(connection::judge(&connection, config));
            let clients = tenant.clients(connection["id"].as_str().unwrap_or_default()).await;
            findings.push(Finding::new("applications", judged(clients, |all| applications(&all))));
            findings.extend(actions::judge(tenant, &name).await);
            let protection = tenant.brute_force().await;
            findings.push(Finding::new(
                "brute force",
                judged(protection, |all| brute_force(&all, &connection)),
            ));
        }
    }
    findings.push(Finding::new(
        "second factors",
        judged(tenant.factors().await, |all| factors(&all)),
    ));
    findings.push(Finding::new("Node", judged(tenant.settings().await, |all| node(&all))));
    Report {
        subject: "auth0".to_owned(),
        findings,
    }
}

/// Of what was read; what wasn't is never fine.
fn judged<T>(read: Result<T, Verdict>, judge: impl FnOnce(T) -> Verdict) -> Verdict {
    read.map_or_else(|unread| unread, judge)
}

fn settings(config: &Config) -> Verdict {
    let may_both = |caller: &&crate::config::Caller| caller.allow.authenticate && caller.allow.get_user_by_email;
    match config.callers.iter().find(may_both) {
        _ if config.rest.is_none() => Verdict::Wrong("there is no [rest], which the scripts call".to_owned()),
        None => Verdict::Wrong(
            "no caller may both \"authenticate\" and \"get_user_by_email\"; the scripts' key needs both".to_owned(),
        ),
        Some(caller) => Verdict::Fine(format!(
            "the gateway is on, and the caller {} may do what the scripts do",
            caller.name
        )),
    }
}

fn applications(clients: &[Value]) -> Verdict {
    match clients.len() {
        0 => Verdict::Wrong("no application uses the connection; enable it for one".to_owned()),
        1 => Verdict::Fine("one uses the connection".to_owned()),
        _ => Verdict::Fine("several use the connection".to_owned()),
    }
}

/// The tenant's protection, and the connection's switch for it.
fn brute_force(tenant: &Value, connection: &Value) -> Verdict {
    let shields = tenant["shields"].as_array();
    let blocks = shields.is_some_and(|shields| shields.iter().any(|shield| shield == "block"));
    if tenant["enabled"] != true || !blocks {
        return Verdict::Wrong(
            "the tenant doesn't block who guesses; turn brute-force protection on, with the shield \"block\""
                .to_owned(),
        );
    }
    match &connection["options"]["brute_force_protection"] {
        Value::Bool(true) => Verdict::Fine(match tenant["max_attempts"].as_u64() {
            Some(most) => format!("on, after {most} failures; keep that below the source's own lock"),
            None => "on; keep its threshold below the source's own lock".to_owned(),
        }),
        _ => Verdict::Wrong(
            "the connection's brute_force_protection isn't on: guesses go through to the source and lock people there"
                .to_owned(),
        ),
    }
}

fn factors(all: &[Value]) -> Verdict {
    let enabled = all.iter().filter(|factor| factor["enabled"] == true);
    let can_be_first = enabled.filter(|factor| factor["name"] != "recovery-code");
    if can_be_first.count() > 0 {
        Verdict::Fine("the tenant has at least one on, which the Action second-factor can ask for".to_owned())
    } else {
        Verdict::Wrong(
            "the tenant has none on, so that the Action second-factor has nothing to ask for; turn one on".to_owned(),
        )
    }
}

/// Of the scripts; each Action has its own.
fn node(settings: &Value) -> Verdict {
    let Some(version) = settings["sandbox_version"].as_str() else {
        return Verdict::Unknown("the tenant's settings name no sandbox_version".to_owned());
    };
    match version.parse::<u32>() {
        Ok(version @ 22..) => Verdict::Fine(format!("the scripts run on Node {version}")),
        Ok(version) => Verdict::Wrong(format!(
            "the scripts run on Node {version}; choose 22 (Settings, Advanced, Extensibility). They need fetch, which came \
             with 18"
        )),
        Err(_) => Verdict::Unknown("the tenant's sandbox_version is no number".to_owned()),
    }
}

/// A text of ours, as this version exports it.
fn exported(connection: &str, path: &str) -> Option<String> {
    let mut files = files::templates(connection);
    files.find(|(file, _)| file.ends_with(path)).map(|(_, text)| text)
}

/// A deployed text against the exported one, line ends aside. `Err` says how they differ, without quoting either.
fn compare(found: &str, wanted: &str) -> Result<String, String> {
    let plain = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
    let hash = |text: &str| crate::hex::hex(digest(&SHA256, plain(text).as_bytes()).as_ref())[..12].to_owned();
    if plain(found) == plain(wanted) {
        return Ok(format!("as this version exports it (SHA-256 {}…)", hash(found)));
    }
    Err(format!(
        "isn't this version's (SHA-256 {}…, not {}…): export and deploy it again, and find out who changed it, since \
         whoever edits it can read every password",
        hash(found),
        hash(wanted)
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_fine(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Fine(_))
    }

    #[test]
    fn a_text_is_the_same_whatever_ends_its_lines() {
        assert!(compare("a\r\nb", "a\nb\n").is_ok());
        let said = compare("hunter2", "a").expect_err("another text");
        assert!(!said.contains("hunter2"), "{said}");
    }

    #[test]
    fn what_is_missing_is_never_fine() {
        assert!(!is_fine(&applications(&[])));
        assert!(!is_fine(&brute_force(&json!({}), &json!({}))));
        assert!(!is_fine(&factors(&[])));
        assert!(!is_fine(&factors(&[
            json!({ "name": "recovery-code", "enabled": true })
        ])));
        assert!(!is_fine(&node(&json!({}))));
        assert!(!is_fine(&node(&json!({ "sandbox_version": "18" }))));
        assert!(is_fine(&node(&json!({ "sandbox_version": "22" }))));
    }
}
