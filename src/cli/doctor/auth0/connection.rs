//! The connection's options, each against what the export and the settings say.

use idbridge_source::{Finding, Verdict};
use serde_json::Value;

use super::{compare, exported, password};
use crate::app;
use crate::cli::auth0::parse_connection;
use crate::config::Config;
use crate::rest;

const KEYS: [&str; 2] = ["IDBRIDGE_URL", "IDBRIDGE_KEY"];
const SCRIPTS: [&str; 2] = ["login", "get_user"];

/// The one connection that is meant: of this name, or with idbridge's configuration.
pub(super) fn choose(all: Vec<Value>, name: Option<&str>) -> Result<Value, Verdict> {
    let is_meant = |connection: &Value| match name {
        Some(name) => connection["name"] == name,
        None => KEYS
            .iter()
            .any(|key| connection["options"]["configuration"].get(key).is_some()),
    };
    let unreadable = name.is_none() && !all.is_empty() && all.iter().all(|one| !has_options(one));
    let mut meant = all.into_iter().filter(is_meant);
    match (meant.next(), meant.next(), name) {
        (Some(connection), None, _) if is_name(&connection) => Ok(connection),
        (Some(_), None, _) => Err(Verdict::Unknown("its name is none that Auth0 allows".to_owned())),
        (Some(_), Some(_), _) => Err(Verdict::Unknown(
            "more than one has idbridge's configuration; name one with --connection".to_owned(),
        )),
        (None, _, Some(_)) => Err(Verdict::Wrong(
            "no database connection has this name; deploy it".to_owned(),
        )),
        (None, _, None) if unreadable => Err(options_unread()),
        (None, _, None) => Err(Verdict::Wrong(
            "none has idbridge's configuration; deploy it, or name one with --connection".to_owned(),
        )),
    }
}

/// It is printed, and it is the tenant's word.
fn is_name(connection: &Value) -> bool {
    connection["name"]
        .as_str()
        .is_some_and(|name| parse_connection(name).is_ok())
}

pub(super) fn judge(connection: &Value, config: &Config) -> Vec<Finding> {
    if !has_options(connection) {
        return vec![Finding::new("options", options_unread())];
    }
    let (name, options) = (connection["name"].as_str().unwrap_or_default(), &connection["options"]);
    let rest = app::rest_settings(config.rest.as_ref());
    let mut findings = vec![
        Finding::new("import mode", import_mode(options)),
        Finding::new("configuration", configuration(options)),
    ];
    for script in SCRIPTS {
        findings.push(Finding::new(
            format!("script {script}"),
            own_script(name, options, script),
        ));
    }
    findings.push(Finding::new("other scripts", other_scripts(options)));
    findings.push(Finding::new("sign-up", sign_up(options)));
    findings.push(Finding::new("password policy", password::judge(options, rest.password)));
    findings.push(Finding::new("identifiers", identifiers(options, &rest)));
    findings
}

/// Without the scope for them they are missing or empty, and no error says so.
fn has_options(connection: &Value) -> bool {
    connection["options"]
        .as_object()
        .is_some_and(|options| !options.is_empty())
}

fn options_unread() -> Verdict {
    Verdict::Unknown(
        "none came, so that nothing of them is known: the token lacks the scope read:connections_options".to_owned(),
    )
}

fn import_mode(options: &Value) -> Verdict {
    if options["enabledDatabaseCustomization"] != true {
        return Verdict::Wrong(
            "the connection doesn't use its scripts: enabledDatabaseCustomization must be true".to_owned(),
        );
    }
    if options["import_mode"] != true {
        return Verdict::Wrong(
            "off: nobody moves, and users who have moved are asked at the source again. Turn import_mode on, and leave it on".to_owned(),
        );
    }
    if options["strategy_version"] != 2 {
        return Verdict::Wrong(
            "on, but strategy_version isn't 2, with which profiles are checked on import".to_owned(),
        );
    }
    Verdict::Fine("on".to_owned())
}

/// The values are encrypted, so only the names are looked at.
fn configuration(options: &Value) -> Verdict {
    let has = |key: &&&str| {
        options["configuration"]
            .get(**key)
            .is_some_and(|value| !value.is_null())
    };
    let missing: Vec<&str> = KEYS.iter().filter(|key| !has(key)).copied().collect();
    if missing.is_empty() {
        return Verdict::Fine("IDBRIDGE_URL and IDBRIDGE_KEY are there; their values can't be read".to_owned());
    }
    Verdict::Wrong(format!(
        "{} missing, so the scripts refuse everybody; a deployment drops what it has no value for",
        missing.join(" and ")
    ))
}

fn own_script(connection: &str, options: &Value, script: &str) -> Verdict {
    let wanted = exported(connection, &format!("{script}.js"));
    match (options["customScripts"][script].as_str(), wanted) {
        (Some(found), Some(wanted)) => compare(found, &wanted).map_or_else(Verdict::Wrong, Verdict::Fine),
        _ => Verdict::Wrong("isn't there; deploy it".to_owned()),
    }
}

fn other_scripts(options: &Value) -> Verdict {
    let scripts = options["customScripts"].as_object();
    let mut others = scripts
        .into_iter()
        .flatten()
        .filter(|(name, text)| !SCRIPTS.contains(&name.as_str()) && !text.is_null());
    if others.next().is_some() {
        return Verdict::Wrong(
            "there are some beside login and get_user; import mode needs none, and each can read what users type"
                .to_owned(),
        );
    }
    Verdict::Fine("none".to_owned())
}

fn sign_up(options: &Value) -> Verdict {
    match &options["disable_signup"] {
        Value::Bool(true) => Verdict::Fine("off".to_owned()),
        _ => Verdict::Wrong(
            "on: whoever gets there first holds the address of somebody who hasn't moved and whom the source doesn't show; \
             set disable_signup"
                .to_owned(),
        ),
    }
}

/// By what users log in, and whether profiles hold it.
fn identifiers(options: &Value, rest: &rest::Settings) -> Verdict {
    let attributes = &options["attributes"];
    let identifies = |attribute: &str| attributes[attribute]["identifier"]["active"] == true;
    let wrong = |text: &str| Verdict::Wrong(text.to_owned());
    if identifies("phone_number") {
        return wrong(
            "phone numbers are identifiers: nobody moves by theirs, since the source is asked for logins and addresses",
        );
    }
    if attributes["email"]["identifier"]["active"] == false {
        return wrong("the e-mail address is no identifier: who types it can't be found again after the move");
    }
    let legacy = options["requires_username"] == true;
    if !legacy && !identifies("username") {
        return if rest.send_username {
            wrong("send_username = true, but the connection has no user names; set one of the two")
        } else {
            Verdict::Fine("the e-mail address alone".to_owned())
        };
    }
    if !rest.send_username {
        return wrong(
            "the connection has user names, and send_username = false: set rest.auth0.send_username, or turn them off",
        );
    }
    let (least, most) = if legacy {
        let rule = &options["validation"]["username"];
        (rule["min"].as_u64(), rule["max"].as_u64())
    } else {
        let rule = &attributes["username"]["validation"];
        (rule["min_length"].as_u64(), rule["max_length"].as_u64())
    };
    // Auth0's own where the connection says nothing.
    let (least, most) = (least.unwrap_or(1), most.unwrap_or(15));
    let within = |length: usize| u64::try_from(length).is_ok_and(|length| (least..=most).contains(&length));
    if within(rest.username_length.0) && within(rest.username_length.1) {
        return Verdict::Fine("the e-mail address and the user name, of lengths that the settings know".to_owned());
    }
    Verdict::Wrong(format!(
        "the connection takes user names of {least} to {most} characters: set rest.auth0.username = {{ min = {least}, max = {most} }}"
    ))
}
