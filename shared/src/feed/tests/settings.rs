//! What is wrong with a definition is told by the member that has the fault.

use super::*;

fn fault(more: &Value) -> String {
    let mut settings = json!({"name": "n", "collection": "c"});
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    match serde_json::from_value::<FeedSettings>(settings) {
        Ok(settings) => settings.check().err().map_or_else(String::new, |fault| fault.to_string()),
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn faults_name_the_member() {
    for (more, named) in [
        (json!({"name": ""}), "`name`"),
        (json!({"name": "a\nb"}), "`name`"),
        (json!({"rolling_minutes": 0}), "`rolling_minutes`"),
        (json!({"rolling_minutes": -1}), "u32"),
        (json!({"publish_every_minutes": 1441}), "`publish_every_minutes`"),
        (json!({"separator": "a"}), "`separator`"),
        (json!({"separator": "\""}), "`separator`"),
        (json!({"separator": "é"}), "`separator`"),
        (json!({"list_separator": ""}), "`list_separator`"),
        (json!({"list_separator": ","}), "`list_separator`"),
        (json!({"columns": []}), "`columns`"),
        (json!({"columns": ["id", "id"]}), "two are called \"id\""),
        (json!({"columns": ["ID"]}), "\"ID\" is no standard column"),
        (json!({"columns": [{"name": "a", "paht": "b"}]}), "paht"),
        (json!({"columns": [{"name": "a"}]}), "neither `path` nor `types`"),
        (json!({"columns": [{"name": "a", "path": "b..c"}]}), "b..c"),
        (json!({"columns": [{"name": "#a", "path": "b"}]}), "#a"),
        (json!({"formats": []}), "`formats`"),
        (json!({"formats": ["csv", "csv"]}), "`formats`"),
        (json!({"formats": ["xlsx"]}), "xlsx"),
        (json!({"plans": []}), "`plans`"),
        (json!({"tenants": []}), "`tenants`"),
        (json!({"tenants": ["Nobody!"]}), "Nobody!"),
        (json!({"alias": "A feed"}), "A feed"),
        (json!({"date": "yesterday"}), "yesterday"),
        (json!({"colums": []}), "colums"),
    ] {
        let said = fault(&more);
        assert!(said.contains(named), "{more}: {said:?}");
    }
    for good in [
        json!({}),
        json!({"separator": "\t", "list_separator": ", "}),
        json!({"separator": ";", "list_separator": "|"}),
        json!({"columns": ["value"], "order": "oldest_first", "date": "modified"}),
    ] {
        assert_eq!(fault(&good), "", "{good}");
    }
}

#[test]
fn settings_read_back_as_they_were_written() {
    let feed = feed(&json!({
        "alias": "a", "plans": ["pro"], "tenants": ["acme"], "public": true,
        "columns": ["id", {"name": "x", "path": "a.0.b", "types": {"malware": "c"}}],
        "formats": ["sentinel", "splunk"],
    }));
    let text = serde_json::to_string(&feed).unwrap();
    assert_eq!(serde_json::from_str::<Feed>(&text).unwrap(), feed);
}

#[test]
fn columns_are_only_ever_appended() {
    let before = feed(&json!({"columns": ["id", "value"]})).settings;
    let changed = |columns: Value| {
        let after = feed(&json!({ "columns": columns })).settings;
        after.check_change(&before).is_ok()
    };
    assert!(changed(json!(["id", "value"])));
    assert!(changed(json!(["id", "value", "tags"])));
    for moved in [json!(["value", "id"]), json!(["id"]), json!(["id", "tags", "value"])] {
        assert!(!changed(moved));
    }
}

#[test]
fn who_may_read_does_not_change_what_is_written() {
    let print = |more: Value| feed(&more).fingerprint();
    let plain = print(json!({}));
    for same in [
        json!({"public": true}),
        json!({"tenants": ["acme"], "plans": ["pro"]}),
        json!({"alias": "a", "publish_every_minutes": 60}),
    ] {
        assert_eq!(print(same.clone()), plain, "{same}");
    }
    for other in [
        json!({"rolling_minutes": 5}),
        json!({"columns": ["id"]}),
        json!({"only_active": false}),
        json!({"formats": ["txt"]}),
        json!({"date": "changed"}),
        json!({"order": "oldest_first"}),
    ] {
        assert_ne!(print(other.clone()), plain, "{other}");
    }
}
