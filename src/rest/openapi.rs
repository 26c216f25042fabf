//! The gateway's own description, OpenAPI 3.1, made of the tables that the gateway answers by.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, Method, header};
use idbridge_source::RequestId;
use serde_json::{Map, Value, json};

use super::auth0::{Operation, reasons};
use super::{Answer, Problem, problem};
use crate::request_id;

/// Where the gateway serves it, to anybody.
pub(super) const PATH: &str = "/openapi.json";

/// The document.
pub fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "idbridge: the gateway for Auth0's custom-database scripts",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "\"No\" is 200 with an outcome. Any other status means that nobody found out, and is never a no. \
                A later version may have more reasons and codes: treat one you don't know as a refusal, or as an error.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"key": []}],
        "paths": {
            "/auth0/v1/get-user": {"post": operation(Operation::GetUser)},
            "/auth0/v1/login": {"post": operation(Operation::Login)},
            PATH: {"get": {
                "operationId": "describe",
                "summary": "This document",
                "security": [],
                "responses": {"200": {
                    "description": "OpenAPI 3.1",
                    "headers": headers(200),
                    "content": {"application/json": {"schema": {"type": "object"}}},
                }},
            }},
        },
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"key": {
                "type": "http",
                "scheme": "bearer",
                "description": "A caller's key, of `idbridge key new`.",
            }},
        },
    })
}

/// Answers whoever asks for the document.
pub(super) fn serve(method: &Method, request_id: RequestId) -> Response {
    if method != Method::GET && method != Method::HEAD {
        let result = Err(Problem::GET_ONLY);
        return Answer { request_id, result }.into_response();
    }
    let mut response = Response::new(Body::from(document().to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(id) = HeaderValue::from_str(request_id.as_str()) {
        headers.insert(HeaderName::from_static(request_id::HEADER), id);
    }
    response
}

fn operation(operation: Operation) -> Value {
    let (id, summary, body, yes) = match operation {
        Operation::GetUser => ("getUser", "Who has this address?", "GetUser", "Found"),
        Operation::Login => (
            "login",
            "Is this person who they say they are?",
            "Login",
            "Authenticated",
        ),
    };
    let mut outcomes = vec![reference(yes), rejected(operation)];
    if matches!(operation, Operation::GetUser) {
        outcomes.push(reference("NotFound"));
    }
    let mut responses = Map::new();
    responses.insert(
        "200".to_owned(),
        json!({
            "description": "A yes or a no",
            "headers": headers(200),
            "content": {"application/json": {"schema": {"oneOf": outcomes}}},
        }),
    );
    for (status, codes) in problems(operation) {
        responses.insert(status.to_string(), problem_response(status, &codes));
    }
    json!({
        "operationId": id,
        "summary": summary,
        "parameters": [{
            "name": "X-Request-Id",
            "in": "header",
            "description": "Joins this call to the caller's records. One that doesn't match is replaced.",
            "schema": {"type": "string"},
        }],
        "requestBody": {"required": true, "content": {"application/json": {"schema": reference(body)}}},
        "responses": responses,
    })
}

/// What may come instead of an outcome, by status.
fn problems(operation: Operation) -> BTreeMap<u16, BTreeSet<&'static str>> {
    let mut found: BTreeMap<u16, BTreeSet<&'static str>> = BTreeMap::new();
    for problem in problem::all() {
        let elsewhere = match problem.code {
            // Of other paths and other methods than the described ones.
            "method_not_allowed" | "not_found" => true,
            "invalid_password" => matches!(operation, Operation::GetUser),
            _ => false,
        };
        if !elsewhere {
            found.entry(problem.status.as_u16()).or_default().insert(problem.code);
        }
    }
    found
}

fn problem_response(status: u16, codes: &BTreeSet<&str>) -> Value {
    let title = http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason());
    json!({
        "description": title.unwrap_or_default(),
        "headers": headers(status),
        "content": {"application/problem+json": {"schema": {
            "allOf": [reference("Problem")],
            "properties": {"status": {"const": status}, "code": {"enum": codes}},
        }}},
    })
}

fn headers(status: u16) -> Value {
    let text = |schema: Value| json!({"required": true, "schema": schema});
    let mut headers = json!({
        "Cache-Control": text(json!({"type": "string", "const": "no-store"})),
        "X-Request-Id": text(json!({"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"})),
    });
    match status {
        401 => headers["WWW-Authenticate"] = text(json!({"type": "string", "const": "Bearer"})),
        429 | 503 => headers["Retry-After"] = text(json!({"type": "integer", "minimum": 1, "maximum": 60})),
        _ => {}
    }
    headers
}

fn schemas() -> Value {
    let text = json!({"type": "string"});
    let flag = json!({"type": "boolean"});
    let profile = object(
        &[
            ("user_id", text.clone()),
            ("email", text.clone()),
            ("email_verified", flag.clone()),
            ("app_metadata", object(&[("idbridge", reference("Facts"))], &[])),
        ],
        &[
            ("name", text.clone()),
            ("given_name", text.clone()),
            ("family_name", text.clone()),
            ("nickname", text.clone()),
            ("picture", text.clone()),
            ("phone_number", text.clone()),
            ("username", text.clone()),
        ],
    );
    let facts = object(
        &[
            ("source", text.clone()),
            ("source_id", text.clone()),
            ("login", text.clone()),
            ("groups", json!({"type": "array", "items": text, "maxItems": 50})),
            ("attributes", json!({"type": "object"})),
            ("second_factor", flag.clone()),
            ("password_expired", flag),
        ],
        &[],
    );
    let problem = json!({
        "type": "object",
        "description": "RFC 9457",
        "required": ["type", "title", "status", "code", "request_id"],
        "properties": {
            "type": {"const": "about:blank"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string"},
            "request_id": {"type": "string"},
        },
    });
    json!({
        "Identifier": {
            "type": "string",
            "minLength": 1,
            "maxLength": 256,
            "pattern": "^[^\\u0000-\\u001F\\u007F-\\u009F]*$",
            "description": "What the user typed. A look-up takes an e-mail address, or any with the source's `lookup_by_login`.",
        },
        "Password": {
            "type": "string",
            "format": "password",
            "writeOnly": true,
            "minLength": 1,
            "maxLength": 1024,
            "pattern": "^[^\\u0000]*$",
            "description": "1,024 bytes of UTF-8 at the most.",
        },
        "GetUser": example(object(&[("identifier", reference("Identifier"))], &[]), json!({"identifier": "ada@example.com"})),
        "Login": example(
            object(&[("identifier", reference("Identifier")), ("password", reference("Password"))], &[]),
            json!({"identifier": "ada@example.com", "password": "correct horse battery staple"}),
        ),
        "Authenticated": outcome("authenticated", &[("profile", reference("Profile"))]),
        "Found": outcome("found", &[("profile", reference("Profile"))]),
        "NotFound": outcome("not_found", &[]),
        "Profile": profile,
        "Facts": facts,
        "Problem": problem,
    })
}

fn rejected(operation: Operation) -> Value {
    let reasons: BTreeSet<String> = reasons(operation).collect();
    outcome("rejected", &[("reason", json!({"enum": reasons}))])
}

fn outcome(name: &str, more: &[(&str, Value)]) -> Value {
    let tag = [("outcome", json!({"const": name}))];
    object(&[&tag, more].concat(), &[])
}

/// With these members and no other.
fn object(required: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    let members = required.iter().chain(optional);
    let properties: Map<String, Value> = members
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({"type": "object", "additionalProperties": false, "required": names, "properties": properties})
}

fn example(mut schema: Value, value: Value) -> Value {
    schema["examples"] = json!([value]);
    schema
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

#[cfg(test)]
mod tests;
