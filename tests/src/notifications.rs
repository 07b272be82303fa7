//! Notifications for tests: posted as a hunting engine does, loaded past HTTP, and read.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde_json::{Value, json};
use shared::notification::{
    Entity, EntityType, HuntingInfo, Named, Notification, NotificationId, Source, SourceType,
    expiry_of,
};
use shared::time::Position;
use shared::tlp::Tlp;

use crate::client::Client;

/// The path of the stream.
pub const STREAM: &str = "/api/v3/ioc_stream";
/// The path of single notifications.
pub const NOTIFICATIONS: &str = "/api/v3/ioc_stream_notifications";

/// The body of a post about a domain.
pub fn posted(domain: &str, ruleset: &str, tags: &[&str]) -> Value {
    json!({
        "entity": {"type": "domain", "value": domain},
        "source": {"type": "hunting_ruleset", "id": ruleset, "label": "Ruleset"},
        "tags": tags,
        "hunting_info": {
            "rule_name": "rule", "rule_tags": ["a"], "snippet": "*begin_highlight*00*end_highlight*",
            "source_country": "ZZ", "submitter": "submitter-1", "match_in_subfile": false,
        },
    })
}

/// Posts a notification; returns its id.
pub async fn post(client: &Client, body: &Value) -> String {
    let request = client.post("/api/v1/notifications").body("application/json", body.to_string());
    request.await.expect(200).json()["id"].as_str().unwrap().to_owned()
}

/// The ids of a page's notifications, in order, and the cursor to the next.
pub fn ids(page: &Value) -> (Vec<String>, Option<String>) {
    let id = |object: &Value| {
        object["context_attributes"]["notification_id"].as_str().unwrap().to_owned()
    };
    let ids = page["data"].as_array().unwrap().iter().map(id).collect();
    (ids, page["meta"]["cursor"].as_str().map(str::to_owned))
}

/// The ids of all notifications that match, in order, page by page. No page with a cursor is empty.
pub async fn all(client: &Client, query: &[(&str, &str)]) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut request = client.get(STREAM).queries(query);
        if let Some(cursor) = &cursor {
            request = request.query("cursor", cursor);
        }
        let (found, next) = ids(&request.await.expect(200).json());
        assert!(!found.is_empty() || next.is_none(), "an empty page with a cursor");
        all.extend(found);
        cursor = next;
        if cursor.is_none() {
            return all;
        }
    }
}

/// What all notifications of a tenant are about, newest first.
pub async fn entities(client: &Client) -> Vec<String> {
    let mut entities = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "40")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = client.get(STREAM).queries(&query).await.expect(200).json();
        let data = page["data"].as_array().unwrap();
        entities.extend(data.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        match page["meta"]["cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return entities,
        }
    }
}

/// The first cause of [`made`] notifications: some days ago.
pub fn first_cause() -> Position {
    Position::at_or_before(chrono::Utc::now() - chrono::TimeDelta::days(5))
}

/// Which facets a notification of [`made`] has; each number has its own mix.
pub fn facets(number: usize) -> BTreeMap<&'static str, String> {
    let source = SourceType::ALL[number % 4];
    let entity = EntityType::ALL[(number / 4) % 4];
    BTreeMap::from([
        ("origin", source.origin().name().to_owned()),
        ("source_type", source.name().to_owned()),
        ("entity_type", entity.name().to_owned()),
        ("source_id", format!("source-{}", (number / 4) % 7)),
        ("entity_id", entity_of(number).id),
        ("tag", format!("tag-{}", number % 10)),
    ])
}

fn entity_of(number: usize) -> Entity {
    // One in a hundred is about the same thing.
    let name = (number / 4) % 100;
    match EntityType::ALL[(number / 4) % 4] {
        kind @ EntityType::File => Entity::named(kind, &format!("{name:064x}")),
        kind @ EntityType::Domain => Entity::named(kind, &format!("host-{name}.example.com")),
        kind @ EntityType::Url => Entity::named(kind, &format!("https://example.com/{name}")),
        kind @ EntityType::IpAddress => Entity::named(kind, &format!("2001:db8::{name}")),
    }
    .unwrap()
}

/// A notification with the facets of its number, a second after the one before it.
pub fn made(tenant: &str, first: Position, number: usize) -> Notification {
    let facets = facets(number);
    let cause = Position::from_micros(first.micros() + number as u64 * 2_000_000);
    let source = Source {
        kind: SourceType::named(&facets["source_type"]).unwrap(),
        id: facets["source_id"].clone(),
        label: "Source".to_owned(),
    };
    let entity = entity_of(number);
    let id = NotificationId::new(cause, &tenant.parse().unwrap(), &source, &entity);
    let hunting = facets["origin"] == "hunting";
    Notification {
        id,
        entity,
        source,
        tags: vec![facets["tag"].clone()],
        hunting: hunting.then(HuntingInfo::default),
        object: None,
        level: Tlp::Amber,
        stored: cause,
        expires: expiry_of(id, NonZeroU32::new(30).unwrap()),
    }
}
