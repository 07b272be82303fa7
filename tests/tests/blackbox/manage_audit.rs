//! `/api/v1/manage/audit`: each change has exactly one record, and each record a change.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::client::Client;
use tests::world::World;
use tests::worse_days::{Faults, Kind, Only};

const MANAGE: &str = "/api/v1/manage";

async fn send(client: &Client, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = client.request(method, &format!("{MANAGE}/{path}"));
    let request = match method {
        "PATCH" => request.header("if-match", "*"),
        _ => request,
    };
    let request = match body {
        Value::Null => request,
        body => request.body("application/json", body.to_string()),
    };
    let answer = request.await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

async fn records(client: &Client, resource: Option<&str>) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut request = client.get(&format!("{MANAGE}/audit")).query("limit", "7");
        if let Some(resource) = resource {
            request = request.query("resource", resource);
        }
        if let Some(cursor) = &cursor {
            request = request.query("cursor", cursor);
        }
        let page = request.await.expect(200).json();
        all.extend(page["audit"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return all,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_has_one_record_that_says_who_and_what() {
    let w = World::http().await;
    let admin = w.http.with_key(w.admin_key());
    let before = records(&admin, None).await.len();
    let key = json!({"tenant": "umbrella", "name": "k", "plan": "pro", "scopes": ["read:csv"]});
    let collection = json!({"title": "Audited", "alias": "audited", "ceiling": "green"});
    let plan = json!({"name": "partner", "scopes": []});
    let feed = json!({"name": "F", "alias": "f", "collection": "audited"});
    let subscription =
        json!({"tenant": "umbrella", "source_type": "collection", "source_id": "audited"});
    let _ = send(&admin, "POST", "tenants", json!({"id": "umbrella"})).await;
    let id = send(&admin, "POST", "keys", key).await.1["id"].as_str().unwrap().to_owned();
    let steps = [
        ("POST", "collections".to_owned(), collection),
        ("POST", "plans".to_owned(), plan),
        ("POST", "feeds".to_owned(), feed),
        ("POST", "subscriptions".to_owned(), subscription),
        ("PATCH", "tenants/umbrella".to_owned(), json!({"name": "Umbrella"})),
        ("PATCH", format!("keys/{id}"), json!({"clearance": "green"})),
        ("PATCH", "collections/audited".to_owned(), json!({"ceiling": "clear"})),
        ("PATCH", "plans/partner".to_owned(), json!({"lookback_days": 3})),
        ("PATCH", "feeds/f".to_owned(), json!({"rolling_minutes": 60})),
        ("POST", format!("keys/{id}/revoke"), Value::Null),
        ("DELETE", format!("keys/{id}"), Value::Null),
        ("DELETE", "subscriptions/umbrella:collection:audited".to_owned(), Value::Null),
        ("DELETE", "feeds/f".to_owned(), Value::Null),
        ("DELETE", "collections/audited".to_owned(), Value::Null),
        ("DELETE", "plans/partner".to_owned(), Value::Null),
        ("DELETE", "tenants/umbrella".to_owned(), Value::Null),
    ];
    for (method, path, body) in &steps {
        let (status, answer) = send(&admin, method, path, body.clone()).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
    }
    // What changes nothing, and what is refused, leaves no record.
    for (method, path, body, expected) in [
        ("PATCH", "plans/pro", json!({"lookback_days": 365}), 200),
        ("POST", "tenants", json!({"id": "umbrella"}), 409),
        ("POST", "plans", json!({"name": "x", "scopes": ["admin"]}), 400),
        ("DELETE", "keys/unknown", Value::Null, 404),
        ("POST", "feeds", json!({"name": "F", "collection": "unknown"}), 400),
        ("DELETE", "feeds/unknown", Value::Null, 404),
        ("DELETE", "subscriptions/acme:collection:unknown", Value::Null, 404),
    ] {
        assert_eq!(send(&admin, method, path, body).await.0, expected, "{method} {path}");
    }
    let all = records(&admin, None).await;
    let new = &all[..all.len() - before];
    let told: Vec<String> = new
        .iter()
        .rev()
        .map(|one| format!("{} {}", one["action"], one["resource"]["type"]).replace('"', ""))
        .collect();
    let expected = [
        "create tenant",
        "create key",
        "create collection",
        "create plan",
        "create feed",
        "create subscription",
        "update tenant",
        "update key",
        "update collection",
        "update plan",
        "update feed",
        "revoke key",
        "delete key",
        "delete subscription",
        "delete feed",
        "delete collection",
        "delete plan",
        "delete tenant",
    ];
    assert_eq!(told, expected);
    let admin_id = w.admin_key().split('_').nth(1).unwrap();
    for record in new {
        assert_eq!(record["actor"]["key"], admin_id, "{record}");
        assert!(record["actor"]["request_id"].is_string() && record["time"].is_string());
        let action = record["action"].as_str().unwrap();
        assert_eq!(record["before"].is_null(), action == "create", "{record}");
        assert_eq!(record["after"].is_null(), action == "delete", "{record}");
        let one = admin.get(&format!("{MANAGE}/audit/{}", record["id"].as_str().unwrap())).await;
        assert_eq!(&one.expect(200).json(), record);
    }
    let update =
        new.iter().find(|one| one["action"] == "update" && one["resource"]["type"] == "key");
    let update = update.unwrap();
    assert_eq!(
        (&update["before"]["clearance"], &update["after"]["clearance"]),
        (&json!("amber"), &json!("green"))
    );
    assert_eq!(records(&admin, Some(&format!("key/{id}"))).await.len(), 4);
    let plans = records(&admin, Some("plan")).await;
    assert!(plans.iter().all(|one| one["resource"]["type"] == "plan") && plans.len() >= 3);
    let of_feed = records(&admin, Some("feed")).await;
    assert_eq!(of_feed.len(), 3);
    assert_eq!(of_feed[1]["after"]["rolling_minutes"], 60, "{}", of_feed[1]);
    let answer = admin.get(&format!("{MANAGE}/audit")).query("resource", "thing").await.expect(400);
    assert!(answer.text().contains("tenant, key, plan, collection"), "{}", answer.text());
    let _ = admin.get(&format!("{MANAGE}/audit/nothing")).await.expect(404);
}

/// On days when answers are lost, writes fail and connections break, what stands and what is told
/// agree all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_and_what_is_told_agree_on_worse_days() {
    let (w, proxy) = World::on_worse_days().await;
    let admin = w.http.with_key(w.admin_key());
    let transactions = || Only::everything().operation("TransactWriteItems");
    for (round, kind) in
        [Kind::LostWrite, Kind::FailedWrite, Kind::LateWrite, Kind::LostAnswer, Kind::FailedAnswer]
            .into_iter()
            .enumerate()
    {
        proxy.set(Faults::only(kind.at(0.4).on(transactions())));
        let made = (0..6).map(|number| {
            let (admin, id) = (admin.clone(), format!("t{round}-{number}"));
            tokio::spawn(async move {
                let _ = send(&admin, "POST", "tenants", json!({"id": id})).await;
                for note in ["a", "b"] {
                    let path = format!("tenants/{id}");
                    let _ = send(&admin, "PATCH", &path, json!({"note": note})).await;
                }
            })
        });
        for one in made.collect::<Vec<_>>() {
            one.await.unwrap();
        }
    }
    proxy.set(Faults::none());
    // What was on its way when its client gave up arrives within the proxy's delay.
    let revisions = async || {
        let (mut all, mut cursor) = (BTreeMap::new(), None::<String>);
        loop {
            let request = admin.get(&format!("{MANAGE}/tenants")).query("limit", "100");
            let page = match &cursor {
                Some(cursor) => request.query("cursor", cursor).await,
                None => request.await,
            };
            let page = page.expect(200).json();
            for one in page["tenants"].as_array().unwrap() {
                let id = one["id"].as_str().unwrap().to_owned();
                all.insert(id, one["revision"].as_u64().unwrap());
            }
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return all,
            }
        }
    };
    tests::patience::until("as many records as revisions, of every tenant", async || {
        let mut told: BTreeMap<String, u64> = BTreeMap::new();
        for record in records(&admin, Some("tenant")).await {
            *told.entry(record["resource"]["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        (told == revisions().await).then_some(())
    })
    .await;
}
