//! Routes, and what each kind of key is answered.

use shared::access::Scope;
use tests::client::Request;
use tests::world::World;

/// What an answer must be: its status and, where it is an error, its code.
pub type Expected = (u16, Option<&'static str>);

pub const OK: Expected = (200, None);
pub const ACCEPTED: Expected = (202, None);
pub const NOT_THERE: Expected = (404, Some("not_found"));
pub const NOT_ITS_OWN: Expected = (403, Some("not_owner"));
pub const LACKS_SCOPE: Expected = (403, Some("missing_scope"));
pub const LACKS_PLAN: Expected = (403, Some("plan_required"));
pub const LACKS_CLEARANCE: Expected = (403, Some("clearance_required"));

/// A route and what each kind of valid key is answered; what needs a key answers invalid ones
/// alike everywhere.
pub struct Route {
    pub method: &'static str,
    /// As docs/openapi.yaml spells it.
    pub path: &'static str,
    /// As it is asked for.
    pub asked: String,
    pub body: Option<(&'static str, Vec<u8>)>,
    /// The scopes of the right key.
    pub scopes: Vec<Scope>,
    /// A key with those scopes on a plan that has none.
    pub poor: Expected,
    /// A key of the right tenant that is cleared for TLP:CLEAR only.
    pub low: Expected,
    /// A key that differs in its tenant only.
    pub other: Expected,
    /// The right key.
    pub right: Expected,
}

impl Route {
    pub fn get(path: &'static str, asked: String, scope: Scope) -> Self {
        Self {
            method: "GET",
            path,
            asked,
            body: None,
            scopes: vec![scope],
            poor: LACKS_PLAN,
            low: OK,
            other: OK,
            right: OK,
        }
    }

    pub fn low(self, low: Expected) -> Self {
        Self { low, ..self }
    }

    pub fn other(self, other: Expected) -> Self {
        Self { other, ..self }
    }

    /// What is expected, in the words of the route's surface: the IOC stream has the names of
    /// errors that its clients know.
    pub fn told(&self, (status, code): Expected) -> Expected {
        if !self.path.starts_with("/api/v3/") {
            return (status, code);
        }
        let name = |code| match code {
            "missing_api_key" => "AuthenticationRequiredError",
            "invalid_api_key" => "WrongCredentialsError",
            "expired_api_key" | "revoked_api_key" => "UserNotActiveError",
            "not_found" => "NotFoundError",
            _ => "ForbiddenError",
        };
        (status, code.map(name))
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn request(&self, world: &World) -> Request {
        let request = world.http.anonymous().request(self.method, &self.asked);
        match &self.body {
            Some((content_type, body)) => request.body(content_type, body.clone()),
            None => request,
        }
    }
}

/// What operators manage: the scope `admin` decides, whatever the tenant, the plan and the
/// clearance. What they name is not there, so that one key after the other may ask.
pub fn managed() -> impl Iterator<Item = Route> {
    const MISSING: Expected = NOT_THERE;
    const WRONG: Expected = (400, Some("invalid_settings"));
    let lists = [
        ("tenants", "{tenant}"),
        ("keys", "{key}"),
        ("plans", "{plan}"),
        ("collections", "{name}"),
        ("feeds", "{feed}"),
        ("subscriptions", "{subscription}"),
    ];
    let paths = |end: String| -> &'static str { format!("/api/v1/manage/{end}").leak() };
    let mut all: Vec<(&'static str, &'static str, Option<&str>, Expected)> = Vec::new();
    for (list, one) in lists {
        let (many, one) = (paths(list.to_owned()), paths(format!("{list}/{one}")));
        all.push(("GET", many, None, OK));
        all.push(("POST", many, Some("{}"), WRONG));
        all.push(("GET", one, None, MISSING));
        // Subscriptions have nothing to change.
        if list != "subscriptions" {
            all.push(("PATCH", one, Some("{}"), (428, Some("precondition_required"))));
        }
        all.push(("DELETE", one, None, MISSING));
    }
    all.push(("POST", paths("keys/{key}/revoke".to_owned()), None, MISSING));
    all.push(("POST", paths("keys/{key}/rotate".to_owned()), None, MISSING));
    all.push(("GET", paths("audit".to_owned()), None, OK));
    all.push(("GET", paths("audit/{record}".to_owned()), None, MISSING));
    all.push(("GET", paths("status".to_owned()), None, OK));
    all.into_iter().map(|(method, path, body, expected)| Route {
        method,
        path,
        asked: path.replace(['{', '}'], ""),
        body: body.map(|body| ("application/json", body.as_bytes().to_vec())),
        scopes: vec![Scope::Admin],
        poor: expected,
        low: expected,
        other: expected,
        right: expected,
    })
}
