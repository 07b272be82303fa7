use proptest::prelude::*;
use shared::stix::StixObject;

use super::*;

const ID: &str = "indicator--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69";

fn indicator(rest: &str) -> StixObject {
    let json = format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"{ID}","created":"2026-01-01T00:00:00Z","modified":"2026-01-02T00:00:00Z","pattern":"[domain-name:value = 'a.example.com']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","confidence":85,"x_weight":1.50{rest}}}"#
    );
    StixObject::parse(json.as_bytes(), chrono::DateTime::UNIX_EPOCH).unwrap()
}

fn as_sent(object: &StixObject, has: impl Fn(&ObjectId) -> bool) -> Value {
    let shown = shown(&object.facets, &object.json, has).unwrap();
    serde_json::from_str(shown.0.get()).unwrap()
}

#[test]
fn the_extension_is_what_connectors_key_on() {
    let object = indicator(r#","labels":["a"]"#);
    let sent = as_sent(&object, |_| true);
    let extension = &sent["extensions"][EXTENSION];
    assert_eq!(extension["type"], "Indicator");
    assert_eq!(extension["score"], 85);
    assert_eq!(extension["main_observable_type"], "Domain-Name");
    let value = json!([{"type": "Domain-Name", "value": "a.example.com"}]);
    assert_eq!(extension["observable_values"], value);
    assert_eq!(extension["labels"], json!(["a"]));
    assert_eq!(extension["detection"], false);
    assert_eq!(extension["created_at"], "2026-01-01T00:00:00Z");
    assert_eq!(extension["updated_at"], "2026-01-02T00:00:00Z");
    assert_eq!(as_sent(&object, |_| true), sent, "the same object has the same id");
}

#[test]
fn the_object_keeps_its_spelling() {
    let object = indicator("");
    let shown = shown(&object.facets, &object.json, |_| true).unwrap();
    let prefix = object.json.strip_suffix('}').unwrap();
    assert!(shown.0.get().starts_with(prefix), "{}", shown.0.get());
}

#[test]
fn what_an_object_brought_with_it_counts() {
    let own = format!(
        r#","extensions":{{"{EXTENSION}":{{"id":"x","score":7}},"extension-definition--1":{{"a":1}}}}"#
    );
    let sent = as_sent(&indicator(&own), |_| true);
    let extension = &sent["extensions"][EXTENSION];
    assert_eq!((&extension["id"], &extension["score"]), (&json!("x"), &json!(7)));
    assert_eq!(extension["type"], "Indicator");
    assert_eq!(sent["extensions"]["extension-definition--1"]["a"], 1);
}

#[test]
fn references_to_what_is_withheld_are_taken_out() {
    let (kept, gone) = (
        "identity--6e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69",
        "marking-definition--7e9a0b2e-7f0c-4b6e-9c9e-1f2d3c4b5a69",
    );
    let object = indicator(&format!(
        r#","created_by_ref":"{kept}","object_marking_refs":["{gone}"],"x_one_ref":"{gone}","granular_markings":[{{"marking_ref":"{gone}","selectors":["name"]}},{{"marking_ref":"{kept}","selectors":["name"]}}]"#
    ));
    let sent = as_sent(&object, |id| id.as_str() == kept);
    assert_eq!(sent["created_by_ref"], kept);
    assert!(!sent.to_string().contains(gone), "{sent}");
    assert_eq!(sent.get("object_marking_refs"), None);
    assert_eq!(sent["granular_markings"].as_array().unwrap().len(), 1);
}

#[test]
fn an_event_says_what_happened() {
    let object = indicator("");
    let shown = shown(&object.facets, &object.json, |_| true).unwrap();
    let text = event(Kind::Create, Referer::Init, &object.facets, &shown, Map::new()).unwrap();
    assert!(!text.contains('\n'));
    let event: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(event["version"], "4");
    assert_eq!((&event["type"], &event["scope"]), (&json!("create"), &json!("external")));
    assert_eq!(event["origin"], json!({"referer": "init"}));
    assert_eq!(event.get("context"), None);
    assert_eq!(event["data"]["id"], ID);
}

fn changed() -> impl Strategy<Value = String> {
    let label = prop_oneof![Just(""), Just(r#","labels":["a"]"#), Just(r#","labels":["b","a"]"#)];
    let nested = prop_oneof![Just(""), Just(r#","x_a":{"b":[1,2]}"#), Just(r#","x_a":{"b":[2]}"#)];
    (label, nested, any::<bool>()).prop_map(|(label, nested, revoked)| {
        format!("{label}{nested}{}", if revoked { r#","revoked":true"# } else { "" })
    })
}

proptest! {
    #[test]
    fn patches_lead_there_and_back(before in changed(), after in changed()) {
        let [before, after] = [before, after].map(|rest| {
            let object = indicator(&rest);
            shown(&object.facets, &object.json, |_| true).unwrap()
        });
        let context = patches(&before, &after).unwrap();
        let [old, new] = [&before, &after].map(|one| serde_json::from_str::<Value>(one.0.get()).unwrap());
        for (name, from, to) in [("patch", &old, &new), ("reverse_patch", &new, &old)] {
            let patch: json_patch::Patch = serde_json::from_value(context[name].clone()).unwrap();
            let mut patched = from.clone();
            json_patch::patch(&mut patched, &patch).unwrap();
            prop_assert_eq!(&patched, to);
        }
    }
}
