use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::ioc::{Ioc, IocError, IocRecord};
use crate::stix::IocType;

const OWNER: &str = "tenant-a";

fn now() -> DateTime<Utc> {
    "2026-05-15T08:30:00.123Z".parse().unwrap()
}

fn later() -> DateTime<Utc> {
    now() + TimeDelta::hours(1)
}

fn ioc(members: Value) -> Ioc {
    let mut all = json!({"type": "ipv4", "value": "192.0.2.1"});
    let (Value::Object(all_members), Value::Object(members)) = (&mut all, members) else {
        panic!()
    };
    all_members.extend(members);
    IocRecord::from_json(&all.to_string()).unwrap().check().unwrap()
}

fn new(members: Value) -> String {
    new_indicator(&ioc(members), OWNER, now()).unwrap()
}

fn merged(existing: &str, members: Value) -> Value {
    let text = merge_into(existing, &ioc(members), later()).unwrap().expect("a change");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn an_indicator_has_every_member_in_order() {
    let text = new(json!({
        "confidence": "high", "tags": ["a"], "mitre": ["T1059.001"], "first_seen": "2026-05-01",
        "last_seen": "2026-05-02", "valid_until": "2027-05-01", "source": "a list",
        "description": "b", "tlp": "amber", "revoked": true
    }));
    let id = indicator_id(OWNER, IocType::Ipv4, "192.0.2.1");
    let wanted = format!(
        concat!(
            r#"{{"type":"indicator","spec_version":"2.1","id":"{}","#,
            r#""created":"2026-05-15T08:30:00.123Z","modified":"2026-05-15T08:30:00.123Z","#,
            r#""name":"192.0.2.1","description":"b","indicator_types":["malicious-activity"],"#,
            r#""pattern":"[ipv4-addr:value = '192.0.2.1']","pattern_type":"stix","#,
            r#""pattern_version":"2.1","valid_from":"2026-05-01T00:00:00.000Z","#,
            r#""valid_until":"2027-05-01T00:00:00.000Z","kill_chain_phases":"#,
            r#"[{{"kill_chain_name":"mitre-attack","phase_name":"execution"}}],"revoked":true,"#,
            r#""labels":["a"],"confidence":85,"external_references":[{{"source_name":"a list","#,
            r#""description":"Source that reported this indicator"}},"#,
            r#"{{"source_name":"mitre-attack","#,
            r#""url":"https://attack.mitre.org/techniques/T1059/001/","external_id":"T1059.001"}}],"#,
            r#""object_marking_refs":["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"],"#,
            r#""extensions":{{"{}":{{"extension_type":"property-extension","#,
            r#""last_seen":"2026-05-02T00:00:00.000Z"}}}}}}"#
        ),
        id, EXTENSION_ID
    );
    assert_eq!(text, wanted);
}

#[test]
fn a_bare_ioc_has_no_empty_members() {
    let value: Value = serde_json::from_str(&new(json!({}))).unwrap();
    assert_eq!(value.as_object().unwrap().len(), 12);
    assert_eq!(value["valid_from"], value["created"]);
    assert!(new(json!({"revoked": false})).find("revoked").is_none());
}

#[test]
fn ids_depend_on_owner_type_and_value_apart() {
    let id = |owner, kind, value| indicator_id(owner, kind, value);
    let one = id("a", IocType::Domain, "example.com");
    assert_eq!(one, id("a", IocType::Domain, "example.com"));
    assert_eq!(one.object_type(), "indicator");
    for other in [
        id("b", IocType::Domain, "example.com"),
        id("a", IocType::Url, "example.com"),
        id("a:domain", IocType::Domain, "example.com"),
        id("", IocType::Domain, "example.com"),
    ] {
        assert_ne!(one, other);
    }
    // Stored objects are found again by it, so it must never change.
    assert_eq!(id("a", IocType::Ipv4, "192.0.2.1").as_str(), KNOWN_ID);
}

const KNOWN_ID: &str = "indicator--c74c534e-9246-5435-a6bb-a8c2eb2e4e38";

#[test]
fn patterns_are_escaped() {
    assert_eq!(pattern(IocType::Url, r"x:'a\b'"), r"[url:value = 'x:\'a\\b\'']");
    assert_eq!(pattern(IocType::Sha1, "00"), "[file:hashes.'SHA-1' = '00']");
}

#[test]
fn a_pattern_names_its_value_and_nothing_else() {
    for kind in IocType::ALL {
        for value in ["192.0.2.0/24", "2001:db8::1", r"http://example.com/'\'?a=['"] {
            let parsed: crate::pattern::Pattern = pattern(kind, value).parse().unwrap();
            assert_eq!(parsed.to_string(), pattern(kind, value));
        }
    }
}

#[test]
fn a_long_value_has_a_short_name() {
    let name = super::create::name(&"é".repeat(300));
    assert_eq!((name.chars().count(), name.ends_with('…')), (250, true));
}

#[test]
fn the_reserved_reference_names_are_avoided() {
    let value: Value = serde_json::from_str(&new(json!({"source": "cve"}))).unwrap();
    assert_eq!(value["external_references"][0]["source_name"], "CVE");
}

#[test]
fn an_ioc_already_over_is_refused() {
    let over = ioc(json!({"valid_until": "2026-05-01"}));
    assert!(matches!(new_indicator(&over, OWNER, now()), Err(IocError::EndsBeforeStart { .. })));
    let error = merge_into(&new(json!({})), &over, later()).unwrap_err();
    assert!(matches!(error, MergeError::Ioc(IocError::EndsBeforeStart { .. })));
    // Sent again after its end it only says what is known.
    let stored = new(json!({"valid_until": "2026-06-01"}));
    let again = ioc(json!({"valid_until": "2026-06-01"}));
    assert_eq!(merge_into(&stored, &again, now() + TimeDelta::days(90)), Ok(None));
}

#[test]
fn a_further_report_adds() {
    let stored = new(json!({"tags": ["a"], "confidence": 40, "source": "one", "tlp": "green",
        "first_seen": "2026-05-02", "last_seen": "2026-05-03", "valid_until": "2026-07-01",
        "mitre": "T1059", "description": "first"}));
    let value = merged(
        &stored,
        json!({"tags": ["b", "a"], "confidence": "low", "source": "two",
        "tlp": "amber", "first_seen": "2026-05-01", "last_seen": "2026-05-02",
        "valid_until": "2026-08-01", "mitre": "T1566", "description": "second"}),
    );
    assert_eq!(value["labels"], json!(["a", "b"]));
    assert_eq!(value["confidence"], 40);
    assert_eq!(value["description"], "first");
    assert_eq!(value["valid_from"], "2026-05-01T00:00:00.000Z");
    assert_eq!(value["valid_until"], "2026-08-01T00:00:00.000Z");
    assert_eq!(value["extensions"][EXTENSION_ID]["last_seen"], "2026-05-03T00:00:00.000Z");
    assert_eq!(value["object_marking_refs"], json!([crate::tlp::Tlp::Amber.marking_id()]));
    assert_eq!(value["external_references"].as_array().unwrap().len(), 4);
    assert_eq!(value["kill_chain_phases"].as_array().unwrap().len(), 2);
    assert_eq!(value["created"], "2026-05-15T08:30:00.123Z");
    assert_eq!(value["modified"], "2026-05-15T09:30:00.123Z");
}

#[test]
fn a_report_that_describes_replaces_the_stock_description() {
    let value = merged(&new(json!({})), json!({"description": "first"}));
    assert_eq!(value["description"], "first");
    assert_eq!(
        merge_into(&value.to_string(), &ioc(json!({"description": "b"})), later()),
        Ok(None)
    );
    assert_eq!(merge_into(&value.to_string(), &ioc(json!({})), later()), Ok(None));
}

#[test]
fn revocation_follows_what_is_said() {
    let stored = new(json!({"revoked": true}));
    assert_eq!(merge_into(&stored, &ioc(json!({})), later()), Ok(None));
    assert_eq!(merge_into(&stored, &ioc(json!({"revoked": true})), later()), Ok(None));
    assert_eq!(merged(&stored, json!({"revoked": false})).get("revoked"), None);
    assert_eq!(merge_into(&new(json!({})), &ioc(json!({"revoked": false})), later()), Ok(None));
    assert_eq!(merged(&new(json!({})), json!({"revoked": true}))["revoked"], true);
}

#[test]
fn what_is_unknown_stays_to_the_letter() {
    let stored = concat!(
        r#"{"x_score": 1.50e1,"modified":"2026-05-15T08:30:00.123456Z","type":"indicator","#,
        r#""valid_from":"2020-01-01T00:00:00Z","name":"n","description":"d","labels":[ "a" ],"x":{"b":1,"a":[ ]}}"#
    );
    let text = merge_into(stored, &ioc(json!({"tags": "b", "confidence": 9})), now()).unwrap();
    assert_eq!(
        text.unwrap(),
        concat!(
            r#"{"x_score":1.50e1,"modified":"2026-05-15T08:30:00.124Z","type":"indicator","#,
            r#""valid_from":"2020-01-01T00:00:00Z","name":"n","description":"d","labels":["a","b"],"#,
            r#""x":{"b":1,"a":[ ]},"confidence":9}"#
        )
    );
}

#[test]
fn other_markings_stay_and_tlp_is_never_lowered() {
    let amber = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";
    let other = "marking-definition--00000000-0000-4000-8000-000000000001";
    let stored = new(json!({"tlp": "red"}))
        .replace(crate::tlp::Tlp::Red.marking_id(), &format!("{amber}\",\"{other}"));
    assert_eq!(merge_into(&stored, &ioc(json!({"tlp": "amber"})), later()), Ok(None));
    assert_eq!(merge_into(&stored, &ioc(json!({"tlp": "clear"})), later()), Ok(None));
    let red = json!([other, crate::tlp::Tlp::Red.marking_id()]);
    assert_eq!(merged(&stored, json!({"tlp": "red"}))["object_marking_refs"], red);
}

#[test]
fn modified_always_moves_on() {
    let stored = new(json!({})).replace("08:30:00.123Z\",\"name", "23:59:59.999Z\",\"name");
    assert_eq!(merged(&stored, json!({"tags": "a"}))["modified"], "2026-05-16T00:00:00.000Z");
    let last = new(json!({})).replace("\"modified\":\"2026-05-15", "\"modified\":\"9999-12-31");
    let last = last.replace("08:30:00.123Z\",\"name", "23:59:59.999Z\",\"name");
    assert!(merge_into(&last, &ioc(json!({"tags": "a"})), now()).is_err());
}

#[test]
fn what_is_no_indicator_is_an_error() {
    let report = ioc(json!({"tags": "a"}));
    for bad in ["", "[]", "null", "{\"labels\":1}", "{\"name\":\"n\",\"labels\":[1]}", "{}"] {
        assert!(merge_into(bad, &report, now()).is_err(), "{bad}");
    }
}

/// Reports of one value, each with any of the members that merge.
fn report() -> impl Strategy<Value = Ioc> {
    let word = prop::sample::select(vec!["a", "b", "c", "cve"]);
    let day = 1..28u32;
    (
        prop::collection::vec(word.clone(), 0..3),
        prop::collection::vec(
            prop::sample::select(vec!["T1059", "T1059.001", "T1566", "T1078"]),
            0..3,
        ),
        (prop::option::of(day.clone()), prop::option::of(day.clone()), prop::option::of(day)),
        prop::option::of(0..=100u8),
        prop::option::of(word),
        prop::option::of(prop::sample::select(crate::tlp::Tlp::ALL.to_vec())),
    )
        .prop_map(|(tags, mitre, (first, last, until), confidence, source, tlp)| {
            let day = |year, day: Option<u32>| day.map(|day| format!("{year}-04-{day:02}"));
            ioc(json!({
                "tags": tags, "mitre": mitre, "confidence": confidence, "source": source,
                "first_seen": day(2026, first), "last_seen": day(2026, last),
                "valid_until": day(2027, until), "tlp": tlp.map(crate::tlp::Tlp::name),
            }))
        })
}

fn merge(existing: String, ioc: &Ioc) -> String {
    merge_into(&existing, ioc, later()).unwrap().unwrap_or(existing)
}

/// The object with its lists as sets and without the time of the last change.
fn as_sets(text: &str) -> Value {
    let mut value: Value = serde_json::from_str(text).unwrap();
    for member in value.as_object_mut().unwrap().values_mut() {
        if let Value::Array(entries) = member {
            entries.sort_by_key(ToString::to_string);
        }
    }
    value["modified"] = Value::Null;
    value
}

proptest! {
    #[test]
    fn merging_again_changes_nothing(a in report(), b in report(), hours in 1..1000i64) {
        let stored = new_indicator(&a, OWNER, now()).unwrap();
        let at = now() + TimeDelta::hours(hours);
        prop_assert_eq!(merge_into(&stored, &a, at), Ok(None));
        let both = merge(stored, &b);
        prop_assert_eq!(merge_into(&both, &a, at), Ok(None));
        prop_assert_eq!(merge_into(&both, &b, at), Ok(None));
    }

    #[test]
    fn the_order_of_reports_does_not_matter(reports in prop::collection::vec(report(), 2..5)) {
        let fold = |reports: Vec<&Ioc>| {
            let first = new_indicator(reports[0], OWNER, now()).unwrap();
            reports[1..].iter().fold(first, |stored, ioc| {
                merge_into(&stored, ioc, now()).unwrap().unwrap_or(stored)
            })
        };
        let there = fold(reports.iter().collect());
        let back = fold(reports.iter().rev().collect());
        prop_assert_eq!(as_sets(&there), as_sets(&back));
    }

    #[test]
    fn any_stored_text_is_safe(text in "\\PC{0,60}") {
        let _ = merge_into(&text, &ioc(json!({})), now());
    }
}
