//! What an export writes: paths below the tenant's folder, and their texts.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

/// The order in which the Actions must run: the first fetches what the others need.
pub(in crate::cli) const ACTIONS: [&str; 4] = ["metadata", "password-expired", "second-factor", "roles"];

/// `{{CONNECTION}}` stands for the connection's name, in paths too; the `@@…@@` are auth0-deploy-cli's own.
type Template = (&'static str, &'static str);

macro_rules! action {
    ($name:literal) => {
        [
            (
                concat!("actions/idbridge-{{CONNECTION}}-", $name, ".json"),
                include_str!(concat!("../../auth0/actions/", $name, ".json")),
            ),
            (
                concat!("actions/idbridge-{{CONNECTION}}-", $name, "/README.md"),
                include_str!(concat!("../../auth0/actions/", $name, "/README.md")),
            ),
            (
                concat!("actions/idbridge-{{CONNECTION}}-", $name, "/code.js"),
                include_str!(concat!("../../auth0/actions/", $name, "/code.js")),
            ),
        ]
    };
}

const TEMPLATES: [&[Template]; 5] = [
    &action!("metadata"),
    &action!("password-expired"),
    &action!("second-factor"),
    &action!("roles"),
    &[
        (
            "database-connections/{{CONNECTION}}/README.md",
            include_str!("../../auth0/README.md"),
        ),
        (
            "database-connections/{{CONNECTION}}/database.json",
            include_str!("../../auth0/database.json"),
        ),
        (
            "database-connections/{{CONNECTION}}/get_user.js",
            include_str!("../../auth0/get_user.js"),
        ),
        (
            "database-connections/{{CONNECTION}}/login.js",
            include_str!("../../auth0/login.js"),
        ),
        ("terraform/README.md", include_str!("../../auth0/terraform/README.md")),
        ("terraform/main.tf", include_str!("../../auth0/terraform/main.tf")),
    ],
];

/// The list of a tenant's bindings: one file for all connections, and for Actions that aren't ours.
pub(super) const TRIGGERS: &str = "triggers/triggers.json";

pub(in crate::cli) fn templates(connection: &str) -> impl Iterator<Item = (PathBuf, String)> {
    let fill = |text: &str| text.replace("{{CONNECTION}}", connection);
    TEMPLATES
        .into_iter()
        .flatten()
        .map(move |(path, text)| (fill(path).into(), fill(text)))
}

/// What stands in `triggers.json`, with this connection's Actions bound. None: it isn't a list of bindings.
///
/// auth0-deploy-cli unbinds what isn't listed, so nothing is ever taken out.
pub(super) fn with_bindings(found: Option<&str>, connection: &str) -> Option<String> {
    let mut triggers = match found {
        None => Map::new(),
        Some(text) => serde_json::from_str(text).ok()?,
    };
    let post_login = triggers
        .entry("post-login")
        .or_insert_with(|| json!([]))
        .as_array_mut()?;
    let names = ACTIONS.map(|action| format!("idbridge-{connection}-{action}"));
    let is_ours = |binding: &Value| names.iter().any(|name| binding["action_name"] == name.as_str());
    // Where all are bound, their order is the owner's.
    if post_login.iter().filter(|binding| is_ours(binding)).count() != names.len() {
        post_login.retain(|binding| !is_ours(binding));
        let bindings = names.map(|name| json!({ "action_name": name, "display_name": name }));
        post_login.extend(bindings);
    } else if let Some(found) = found {
        return Some(found.to_owned());
    }
    let text = serde_json::to_string_pretty(&triggers).ok()?;
    Some(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(text: &str) -> Vec<String> {
        let triggers: Value = serde_json::from_str(text).expect("JSON");
        let post_login = triggers["post-login"].as_array().expect("a list");
        let name = |binding: &Value| binding["action_name"].as_str().expect("a name").to_owned();
        post_login.iter().map(name).collect()
    }

    #[test]
    fn the_actions_are_bound_in_their_order_behind_what_is_there() {
        let found = r#"{"post-login": [{"action_name": "mine", "display_name": "Mine"}], "post-change-password": []}"#;
        let text = with_bindings(Some(found), "a").expect("bindings");
        assert_eq!(
            bound(&text),
            [
                "mine",
                "idbridge-a-metadata",
                "idbridge-a-password-expired",
                "idbridge-a-second-factor",
                "idbridge-a-roles"
            ]
        );
        assert!(text.contains("post-change-password") && text.contains("\"Mine\""));
        assert_eq!(with_bindings(Some(&text), "a").as_ref(), Some(&text));

        let second = with_bindings(Some(&text), "b").expect("bindings");
        assert_eq!(bound(&second).len(), 9);
    }

    #[test]
    fn a_binding_that_is_missing_comes_back_with_the_others_behind_it() {
        let found = r#"{"post-login": [{"action_name": "idbridge-a-roles", "display_name": "x"}]}"#;
        let text = with_bindings(Some(found), "a").expect("bindings");
        assert_eq!(Some(text), with_bindings(None, "a"));
    }

    #[test]
    fn what_is_no_list_of_bindings_is_left_alone() {
        for found in ["", "[]", "{", r#"{"post-login": {}}"#] {
            assert_eq!(with_bindings(Some(found), "a"), None, "{found}");
        }
    }

    /// auth0-deploy-cli would put something else in its place.
    #[test]
    fn no_script_has_the_mark_of_a_keyword() {
        for (path, text) in templates("a") {
            let script = path.extension().is_some_and(|ending| ending == "js");
            assert!(
                !script || !(text.contains("##") || text.contains("@@")),
                "{}",
                path.display()
            );
            assert!(!text.contains("{{"), "{}", path.display());
        }
    }

    /// What differs between the Actions ends where they say so.
    #[test]
    fn the_actions_share_what_they_say_they_share() {
        let shared = |(path, text): (PathBuf, String)| {
            let (_, shared) = text.split_once("// From here on, this Action and its siblings are the same.")?;
            path.ends_with("code.js").then(|| shared.to_owned())
        };
        let shared: Vec<_> = templates("a").filter_map(shared).collect();
        assert_eq!(shared.len(), ACTIONS.len());
        assert!(shared.windows(2).all(|pair| pair[0] == pair[1]));
    }
}
