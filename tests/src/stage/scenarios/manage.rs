//! What an operator manages.

use serde_json::{Value, json};
use shared::access::Scope;
use shared::audit::Actor;
use shared::feed::FeedSettings;

use super::{JSON, actor, everything};
use crate::fixtures::{identity, indicator};
use crate::stage::{Ask, Stage, Step};

const MANAGE: &str = "/api/v1/manage";

fn manage(method: &'static str, path: &str, body: &Value) -> Step {
    let ask = Ask::new(method, format!("{MANAGE}/{path}"));
    if body.is_null() {
        return Step::Ask(ask.header("if-match", "*"));
    }
    Step::Ask(ask.header("if-match", "*").body(JSON, body.to_string()))
}

fn of_key(method: &'static str, before: &[Value], rest: &str) -> Ask {
    let id = before[3]["id"].as_str().unwrap_or_default();
    Ask::new(method, format!("{MANAGE}/keys/{id}{rest}")).header("if-match", "*")
}

pub(super) async fn manage_access(stage: &mut Stage) -> Vec<Step> {
    stage.key("operator", &[Scope::Admin]).await;
    vec![
        manage("POST", "tenants", &json!({"id": "globex"})),
        manage("PATCH", "tenants/globex", &json!({"name": "Globex"})),
        manage(
            "POST",
            "plans",
            &json!({"name": "gold", "requests_per_minute": 5, "requests_per_day": 50, "scopes": []}),
        ),
        manage(
            "POST",
            "keys",
            &json!({"tenant": "globex", "name": "k", "plan": "gold", "scopes": ["write:objects"]}),
        ),
        Step::Then(|before| of_key("PATCH", before, "").body(JSON, "{\"name\":\"other\"}")),
        Step::Then(|before| of_key("GET", before, "")),
        manage("GET", "keys", &Value::Null),
        manage("GET", "tenants", &Value::Null),
        manage("GET", "plans", &Value::Null),
        Step::Then(|before| of_key("POST", before, "/rotate").body(JSON, "{\"grace_minutes\":5}")),
        Step::Then(|before| of_key("POST", before, "/revoke")),
        Step::Then(|before| of_key("DELETE", before, "")),
        manage("PATCH", "plans/gold", &json!({"requests_per_minute": 6})),
        manage("DELETE", "plans/gold", &Value::Null),
        manage("POST", "plans", &json!({"name": "silver", "scopes": []})),
        manage("DELETE", "plans/silver", &Value::Null),
        manage("DELETE", "tenants/globex", &Value::Null),
        manage("GET", "audit", &Value::Null),
        manage("GET", "audit?resource=tenant/globex", &Value::Null),
        manage("GET", "status", &Value::Null),
    ]
}

pub(super) async fn manage_content(stage: &mut Stage) -> Vec<Step> {
    stage.key("operator", &[Scope::Admin]).await;
    let (author, who) = (identity("An author"), actor());
    stage.settle("operator", &[author, who.clone(), indicator()]).await;
    stage.collection(everything("old")).await;
    let settings: FeedSettings = serde_json::from_value(json!({
        "name": "A feed", "alias": "published", "collection": "old", "formats": ["csv"],
    }))
    .unwrap();
    let published = stage.plain().store().create_feed(&Actor::System, settings).await.unwrap();
    stage.publish(&published).await;
    let by = json!({"mode": "and", "filterGroups": [], "filters": [
        {"key": "createdBy", "values": ["An author"], "operator": "eq", "mode": "or"}]});
    let subscription = json!({"tenant": "acme", "source_type": "collection", "source_id": "new"});
    let to_actor = json!({"tenant": "acme", "source_type": "threat_actor", "source_id": who.id()});
    vec![
        manage(
            "POST",
            "collections",
            &json!({"title": "New", "alias": "new", "ceiling": "amber", "filter": by}),
        ),
        manage("PATCH", "collections/new", &json!({"description": "words"})),
        manage("GET", "collections", &Value::Null),
        manage("POST", "feeds", &json!({"name": "F", "alias": "f", "collection": "new"})),
        manage("PATCH", "feeds/f", &json!({"rolling_minutes": 60})),
        manage("GET", "feeds", &Value::Null),
        manage("POST", "subscriptions", &subscription),
        manage("POST", "subscriptions", &to_actor),
        manage("GET", "subscriptions", &Value::Null),
        manage("GET", "status", &Value::Null),
        Step::Then(|before| {
            let id = before[6]["id"].as_str().unwrap_or_default();
            Ask::new("DELETE", format!("{MANAGE}/subscriptions/{id}")).header("if-match", "*")
        }),
        manage("DELETE", "feeds/published", &Value::Null),
        manage("DELETE", "feeds/f", &Value::Null),
        manage("DELETE", "collections/new", &Value::Null),
    ]
}
