//! A notification as `VirusTotal`'s API shows it.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::notification::{HuntingInfo, Named, Notification, Source};

/// What stands for itself in a path's segment: RFC 3986's pchar.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a list holds: the object a notification is about, with the notification as its context.
/// `descriptor_only` leaves everything out but what it is.
#[must_use]
pub fn entity(base: &str, notification: &Notification, descriptor_only: bool) -> Value {
    let entity = &notification.entity;
    let mut object = json!({
        "type": entity.kind.name(),
        "id": entity.id,
        "context_attributes": context(notification),
    });
    if !descriptor_only {
        let id = utf8_percent_encode(&entity.id, SEGMENT);
        let own = format!("{base}/api/v3/{}/{id}", entity.kind.api_collection());
        object["links"] = json!({"self": own});
        let mut attributes: Map<String, Value> = Map::new();
        attributes.extend(entity.url.iter().map(|url| ("url".to_owned(), json!(url))));
        let hashes = entity.hashes.iter();
        attributes.extend(hashes.map(|(name, hash)| (name.clone(), json!(hash))));
        object["attributes"] = Value::Object(attributes);
    }
    object
}

/// `context_attributes`.
#[must_use]
pub fn context(notification: &Notification) -> Value {
    let mut context = json!({
        "notification_id": notification.id.to_string(),
        "notification_date": notification.id.seconds(),
        "origin": notification.source.kind.origin().name(),
        "sources": [source(&notification.source)],
        "tags": notification.tags,
    });
    if let Some(hunting) = &notification.hunting {
        context["hunting_info"] = hunting_info(hunting);
    }
    context
}

/// A notification by itself: the answer to who asks for one.
#[must_use]
pub fn notification(base: &str, notification: &Notification) -> Value {
    let id = notification.id.to_string();
    let mut attributes = json!({
        "date": notification.id.seconds(),
        "entity_type": notification.entity.kind.name(),
        "entity_id": notification.entity.id,
        "origin": notification.source.kind.origin().name(),
        "sources": [source(&notification.source)],
        "tags": notification.tags,
    });
    if let Some(hunting) = &notification.hunting {
        attributes["hunting_info"] = hunting_info(hunting);
    }
    let own = format!("{base}/api/v3/ioc_stream_notifications/{id}");
    json!({"data": {
        "type": "ioc_stream_notification",
        "id": id,
        "links": {"self": own},
        "attributes": attributes,
    }})
}

fn source(source: &Source) -> Value {
    json!({"type": source.kind.name(), "id": source.id, "label": source.label})
}

fn hunting_info(hunting: &HuntingInfo) -> Value {
    let mut info = json!({
        "rule_name": hunting.rule_name,
        "rule_tags": hunting.rule_tags,
        "snippet": hunting.snippet,
        "source_country": hunting.source_country,
        "source_key": hunting.source_key,
    });
    if let Some(source) = &hunting.match_source {
        info["match_source"] = json!(source);
    }
    if let Some(within) = hunting.match_in_subfile {
        info["match_in_subfile"] = json!(within);
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notification::testing::notification as sample;

    const BASE: &str = "https://intel.example.com";

    #[test]
    fn a_listed_object_has_its_context() {
        let mut one = sample(1);
        let shown = entity(BASE, &one, false);
        assert_eq!(shown["links"]["self"], format!("{BASE}/api/v3/domains/host-1.example.com"));
        assert_eq!(shown["attributes"], json!({}));
        assert_eq!(shown["context_attributes"]["origin"], "hunting");
        assert_eq!(shown["context_attributes"]["notification_date"], 1_760_000_001);
        assert!(shown["context_attributes"].get("hunting_info").is_none());
        one.hunting = Some(HuntingInfo { match_in_subfile: Some(true), ..HuntingInfo::default() });
        let shown = entity(BASE, &one, true);
        assert!(shown.get("links").is_none() && shown.get("attributes").is_none());
        assert_eq!(shown["context_attributes"]["hunting_info"]["match_in_subfile"], true);
    }

    #[test]
    fn no_attribute_has_a_name_that_clients_take_for_something_else() {
        let shown = notification(BASE, &sample(1));
        assert_eq!(shown["data"]["attributes"]["date"], 1_760_000_001);
        for name in ["id", "type", "error", "relationships"] {
            assert!(shown["data"]["attributes"].get(name).is_none(), "{name}");
        }
    }
}
