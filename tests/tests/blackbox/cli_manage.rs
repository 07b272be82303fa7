//! The operator's verbs, as a person types them at a terminal of 80 columns, and as JSON.

use serde_json::{Value, json};
use tests::collection::CollectionSpec;
use tests::keys::KeySpec;
use tests::service::{Ended, Service, iocast, iocast_with};
use tests::terminal::{Screen, at_terminal};
use tests::world::World;

/// An operator at a terminal, with the service's address and key in the environment.
struct Person {
    environment: Vec<(String, String)>,
}

impl Person {
    fn of(w: &World) -> Self {
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let environment =
            vec![set("IOCAST_URL", w.http.base_url()), set("IOCAST_KEY", w.admin_key())];
        Self { environment }
    }

    /// Types a command line whose words have no spaces; `_` stands for one.
    async fn types(&self, line: &str) -> Screen {
        self.answers(line, "").await
    }

    async fn answers(&self, line: &str, typed: &str) -> Screen {
        let words: Vec<String> = line.split(' ').map(|word| word.replace('_', " ")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        at_terminal(&words, &self.environment, typed).await.fits()
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.runs(arguments).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.json()
    }

    async fn runs(&self, arguments: &[&str]) -> Ended {
        iocast_with(arguments, &self.environment).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_from_first_to_last() {
    let w = World::http().await;
    let person = Person::of(&w);
    let made = person.types("tenant create umbrella --name Umbrella_Corp.").await.expect(0);
    let _ = made.shows(&["umbrella", "Umbrella Corp.", "revision  1"]);
    let long = "n".repeat(190);
    let _ = person.types(&format!("tenant create long --name {long}")).await.expect(0);
    let listed = person.types("tenant list").await.expect(0);
    let _ = listed.shows(&["ID", "NAME", "umbrella", "acme", "…"]);
    let _ = person.types("tenant show long").await.expect(0).shows(&["long", "created"]);
    let changed = person.types("tenant update umbrella --note until_2027").await.expect(0);
    let _ = changed.shows(&["until 2027", "revision  2"]);
    let stale = person.types("tenant update umbrella --note x --revision 1").await.expect(1);
    let _ = stale.shows(&["iocast: it is not as you read it", "hint:"]);
    let nothing = person.types("tenant update umbrella").await.expect(1);
    let _ = nothing.shows(&["nothing to change", "iocast tenant update --help"]);
    let unknown = person.types("tenant show nobody").await.expect(1);
    let _ = unknown.shows(&["there is no tenant \"nobody\"", "`iocast tenant list`"]);
    let kept = person.answers("tenant delete umbrella", "n\n").await.expect(1);
    let _ = kept.shows(&["Delete the tenant umbrella", "nothing was done"]);
    let gone = person.answers("tenant delete umbrella", "y\n").await.expect(0);
    let _ = gone.shows(&["deleted tenant umbrella"]);
    let _ = person.types("tenant list").await.expect(0).shows(&["deleted"]);
    let all = person.json(&["tenant", "list", "--json"]).await;
    assert!(all.as_array().unwrap().iter().any(|one| one["id"] == "umbrella"), "{all}");
    let asked = person.runs(&["tenant", "delete", "long"]).await;
    assert!(asked.code == Some(1) && asked.stderr.contains("--yes"), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_from_first_to_last() {
    let w = World::http().await;
    let person = Person::of(&w);
    let line = "key create --tenant acme --name Splunk --plan pro --scope read:taxii,read:csv \
                --clearance green --expires 90d";
    let made = person.types(line).await.expect(0);
    let text = made.text.clone();
    let made = made.shows(&["iocast_", "Keep the key now", "read:taxii, read:csv", "green"]);
    let key = text.split_whitespace().find(|word| word.starts_with("iocast_")).unwrap();
    let id = key.split('_').nth(1).unwrap();
    let _ = made.shows(&[id]);
    let _ = w.http.with_key(key).get("/taxii2/").await.expect(200);
    let secret = key.rsplit('_').next().unwrap();
    let shown = person.types(&format!("key show {id}")).await.expect(0).shows(&[id, "Splunk"]);
    assert!(!shown.text.contains(secret));
    let listed = person.types("key list --tenant acme").await.expect(0);
    let _ = listed.shows(&["SCOPES", id, "Splunk", "until "]);
    let changed = person.types(&format!("key update {id} --expires never --clearance red")).await;
    let changed = changed.expect(0).shows(&["red"]);
    assert!(!changed.text.contains("expires"), "{}", changed.text);
    let rotated = person.types(&format!("key rotate {id} --grace 24h")).await.expect(0);
    let rotated = rotated.shows(&["iocast_", "replaces", id]);
    let new = rotated.text.split_whitespace().find(|word| word.starts_with("iocast_")).unwrap();
    let new = new.split('_').nth(1).unwrap();
    let _ = person.answers(&format!("key revoke {new}"), "y\n").await.expect(0).shows(&["revoked"]);
    let _ = person.types("key list --tenant acme").await.expect(0).shows(&["revoked"]);
    let _ = person.types(&format!("key delete {id} --yes")).await.expect(0).shows(&["deleted key"]);
    let wrong =
        person.types("key create --tenant acme --name x --plan free --scope read:stix").await;
    let _ = wrong.expect(1).shows(&["iocast: the plan free does not have the scope read:stix"]);
    let json = [
        "key", "create", "--json", "--tenant", "acme", "--name", "j", "--plan", "pro", "--scope",
        "read:csv",
    ];
    assert!(person.json(&json).await["key"].as_str().unwrap().starts_with("iocast_"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_from_first_to_last() {
    let w = World::http().await;
    let person = Person::of(&w);
    let listed = person.types("plan list").await.expect(0);
    let _ = listed.shows(&["PER MINUTE", "free", "pro", "enterprise", "no limit"]);
    let line = "plan create partner --per-minute 100 --lookback-days 30 --scope read:taxii";
    let _ = person.types(line).await.expect(0).shows(&["partner", "100", "read:taxii"]);
    let _ = person.types("plan show partner").await.expect(0).shows(&["lookback_days", "30"]);
    let changed = person.types("plan update partner --per-minute none --per-day 9").await.expect(0);
    assert!(!changed.text.contains("requests_per_minute"), "{}", changed.text);
    let key = w.key(KeySpec::of("acme").read_only().on("partner")).await;
    let used = person.types("plan delete partner --yes").await.expect(1);
    let _ = used.shows(&[key.id.to_string().as_str(), "another plan first"]);
    w.revoke(&key).await;
    let _ =
        person.types("plan delete partner --yes").await.expect(0).shows(&["deleted plan partner"]);
    let _ = person.types("plan delete free --yes").await.expect(1).shows(&["part of the service"]);
    let limit = person.types("plan update pro --per-minute 0").await.expect(1);
    let _ = limit.shows(&["write a number above 0, or none"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn collections_from_first_to_last() {
    let w = World::http().await;
    let person = Person::of(&w);
    let filter = r#"{"mode":"and","filters":[{"key":"label","values":["detection"]}]}"#;
    let folder = tempfile::tempdir().unwrap();
    let file = tests::service::file(folder.path(), "filter.json", filter);
    let file = format!("@{}", file.display());
    let made = at_terminal(
        &[
            "collection",
            "create",
            "--title",
            "Seen by tests",
            "--alias",
            "seen",
            "--ceiling",
            "amber",
            "--filter",
            &file,
            "--writer",
            "acme",
        ],
        &person.environment,
        "",
    )
    .await
    .fits()
    .expect(0);
    let _ = made.shows(&["seen", "Seen by tests", "amber", "\"detection\"", "rebuilding"]);
    let one = person.json(&["collection", "show", "seen", "--json"]).await;
    let id = one["id"].as_str().unwrap();
    let listed = person.types("collection list").await.expect(0);
    let _ = listed.shows(&["ALIAS", "seen", id]);
    let filter = r#"{"mode":"or","filters":[{"key":"label","values":["other"]}]}"#;
    let changed =
        person.json(&["collection", "update", "seen", "--json", "--filter", filter]).await;
    assert_eq!(changed["filter"]["mode"], "or");
    assert_eq!(changed["filter"]["filters"][0]["values"][0], "other");
    let readers = person.types("collection update seen --reader acme --reader reader").await;
    let _ = readers.expect(0).shows(&["readers", "acme, reader"]);
    let all = person.json(&["collection", "update", "seen", "--all-readers", "--json"]).await;
    assert!(all.get("readers").is_none(), "{all}");
    let wrong = person.types("collection update seen --filter {}x").await.expect(1);
    let _ = wrong.shows(&["a filter is JSON", "@FILE"]);
    let key = r#"{"filters":[{"key":"colour","values":["x"]}]}"#;
    let wrong = person.runs(&["collection", "update", "seen", "--filter", key]).await;
    assert!(wrong.code == Some(1) && wrong.stderr.contains("unknown key"), "{wrong:?}");
    let none = person.types("collection create --title X").await.expect(1);
    let _ = none.shows(&["--ceiling is missing", "hint: such as --ceiling amber"]);
    let _ = person.types("collection delete seen --yes").await.expect(0).shows(&["deleted"]);
    let _ =
        person.types("collection show seen").await.expect(1).shows(&["`iocast collection list`"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_has_a_stream() {
    let w = World::http().await;
    let person = Person::of(&w);
    let line = "collection create --title Streamed --alias streamed --ceiling amber \
                --stream-dependencies --stream-public";
    let _ = person.types(line).await.expect(0).shows(&["stream", "\"dependencies\": true"]);
    let stream =
        async || person.json(&["collection", "show", "streamed", "--json"]).await["stream"].clone();
    let all = json!({"enabled": true, "dependencies": true, "public": true});
    assert_eq!(stream().await, all);
    let line = "collection update streamed --stream=false --stream-public=inherit";
    let _ = person.types(line).await.expect(0);
    assert_eq!(stream().await, json!({"enabled": false, "dependencies": true}));
    let line = "collection update streamed --stream --stream-dependencies=false";
    let _ = person.types(line).await.expect(0);
    assert_eq!(stream().await, json!({"enabled": true, "dependencies": false}));
    let wrong = person.types("collection update streamed --stream-public=maybe").await.expect(1);
    let _ = wrong.shows(&["true, false or inherit"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feeds_from_first_to_last() {
    let w = World::http().await;
    let person = Person::of(&w);
    let spec = CollectionSpec { alias: Some("seen".into()), ..CollectionSpec::everything() };
    let _ = w.collection(spec).await;
    let line = "feed create --name Block_list --alias block --collection seen --days 30 \
                --format csv,txt --every 1 --tenant acme";
    let made = person.types(line).await.expect(0);
    let _ = made.shows(&["Block list", "/feeds/block.csv", "/feeds/block.txt", "43200", "acme"]);
    let one = person.json(&["feed", "show", "block", "--json"]).await;
    let id = one["id"].as_str().unwrap();
    let listed = person.types("feed list").await.expect(0);
    let _ = listed.shows(&["COLLECTION", "LAST EDITION", "block", "seen", "none yet", id]);
    let feed = w.another_instance().store().feed("block").await.unwrap().unwrap();
    tests::feeds::publish(&w, &feed).await;
    assert!(!person.types("feed list").await.expect(0).text.contains("none yet"));
    let shown = person.types("feed show block").await.expect(0);
    let _ = shown.shows(&["last_edition", "\"rows\": 0", "\"tlp\": \"amber\""]);
    let changed = person.types("feed update block --days all --all-tenants --plan pro").await;
    let changed = changed.expect(0).shows(&["plans", "pro"]);
    assert!(!changed.text.contains("rolling_minutes") && !changed.text.contains("acme"));
    let line = ["feed", "update", "block", "--json", "--columns", "id,type,value", "--all-plans"];
    let refused = person.runs(&line).await;
    assert!(refused.code == Some(1) && refused.stderr.contains("append"), "{refused:?}");
    let columns = r#"["value", {"name": "score", "path": "x_score"}]"#;
    let line = ["feed", "create", "--json", "--name", "Wide", "--collection", "seen"];
    let more = ["--columns", columns, "--separator", "tab", "--oldest-first", "--minutes", "90"];
    let wide = person.json(&[&line[..], &more].concat()).await;
    assert_eq!(wide["columns"], serde_json::from_str::<Value>(columns).unwrap());
    assert_eq!((&wide["separator"], &wide["order"]), (&json!("\t"), &json!("oldest_first")));
    assert_eq!(wide["rolling_minutes"], 90);
    let wrong = person.types("feed create --name F --collection nothing").await.expect(1);
    let _ = wrong.shows(&["there is no collection \"nothing\""]);
    let used = person.types("collection delete seen --yes").await.expect(1);
    let _ = used.shows(&["publishes the collection"]);
    let asked = person.answers("feed delete block", "n\n").await.expect(1);
    let _ = asked.shows(&["Delete the feed block (Block list) and its files?", "nothing was done"]);
    let _ = person.types("feed delete block --yes").await.expect(0).shows(&["deleted feed block"]);
    let gone = person.types("feed show block").await.expect(1);
    let _ = gone.shows(&["there is no feed \"block\"", "`iocast feed list`"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_from_first_to_last() {
    let w = World::http().await;
    let person = Person::of(&w);
    let spec = CollectionSpec { alias: Some("seen".into()), ..CollectionSpec::everything() };
    let c = w.collection(spec).await;
    let _ = person.types("subscription list").await.expect(0).shows(&["no subscriptions"]);
    let made = person.types("subscription create acme collection seen").await.expect(0);
    let _ = made.shows(&["acme:collection:", &c.id, "retention_days  30"]);
    let listed = person.types("subscription list --tenant acme").await.expect(0);
    let _ = listed.shows(&["ID", "SINCE", "acme:collection:seen"]);
    let none = person.types("subscription list --tenant reader").await.expect(0);
    let _ = none.shows(&["no subscriptions"]);
    let id = "acme:collection:seen";
    let one = person.json(&["subscription", "show", id, "--json"]).await;
    assert_eq!(one["source_id"], c.id.as_str());
    let again = person.types("subscription create acme collection seen").await.expect(1);
    let _ = again.shows(&["iocast: there is one already"]);
    let wrong = person.types("subscription create acme ruleset x").await.expect(1);
    let _ = wrong.shows(&["ruleset", "threat_actor"]);
    let gone = person.answers(&format!("subscription delete {id}"), "y\n").await.expect(0);
    let _ = gone.shows(&["Delete the subscription acme:collection:seen?", "deleted subscription"]);
    let gone = person.types(&format!("subscription show {id}")).await.expect(1);
    let _ = gone.shows(&["`iocast subscription list`"]);
}

/// With the rights of whoever may write the tables and the bucket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feeds_and_subscriptions_straight_in_the_tables() {
    let w = World::http().await;
    let spec = CollectionSpec { alias: Some("seen".into()), ..CollectionSpec::everything() };
    let _ = w.collection(spec).await;
    let mut environment = w.function_environment();
    environment.push(("AWS_REGION".to_owned(), "us-east-1".to_owned()));
    let line =
        ["feed", "create", "--direct", "--name", "F", "--alias", "f", "--collection", "seen"];
    let made = at_terminal(&line, &environment, "").await.fits().expect(0);
    let _ = made.shows(&["/feeds/f.csv"]);
    let feed = w.another_instance().store().feed("f").await.unwrap().unwrap();
    tests::feeds::publish(&w, &feed).await;
    let shown = iocast_with(&["feed", "show", "f", "--direct", "--json"], &environment).await;
    assert_eq!(shown.json()["last_edition"]["rows"], 0, "{shown:?}");
    let line = ["subscription", "create", "acme", "collection", "seen", "--direct", "--json"];
    assert_eq!(iocast_with(&line, &environment).await.code, Some(0));
    let line = ["subscription", "delete", "acme:collection:seen", "--direct", "--yes"];
    assert_eq!(iocast_with(&line, &environment).await.code, Some(0));
    let gone = iocast_with(&["feed", "delete", "f", "--direct", "--yes"], &environment).await;
    assert_eq!(gone.code, Some(0), "{gone:?}");
    assert!(w.bucket_keys(&format!("feeds/{}/", feed.id)).await.is_empty());
    environment.retain(|(name, _)| name != "IOCAST_BUCKET");
    let missing = iocast_with(&["feed", "list", "--direct"], &environment).await;
    assert!(missing.code == Some(1) && missing.stderr.contains("--bucket"), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_is_read() {
    let w = World::http().await;
    let person = Person::of(&w);
    let _ = person.types("tenant create umbrella").await.expect(0);
    let _ = person.types("tenant update umbrella --name U").await.expect(0);
    let listed = person.types("audit list --max 5").await.expect(0);
    let _ = listed.shows(&["TIME", "ACTION", "update", "tenant/u", "ID"]);
    let records = person.json(&["audit", "list", "--resource", "tenant/umbrella", "--json"]).await;
    assert_eq!(records.as_array().unwrap().len(), 2, "{records}");
    let id = records[0]["id"].as_str().unwrap();
    let shown = person.types(&format!("audit show {id}")).await.expect(0);
    let _ = shown.shows(&["update", "before", "after", "\"name\": \"U\""]);
    let _ = person.types("audit list --resource things").await.expect(1).shows(&["tenant, key"]);
    let _ = person.types("audit show nothing").await.expect(1).shows(&["`iocast audit list`"]);
    let _ = person
        .types("audit list --resource collection/none")
        .await
        .expect(0)
        .shows(&["no changes"]);
}

/// The very first key: with the rights of whoever may write the tables, and no key at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_key_is_made_straight_in_the_tables() {
    let w = World::http().await;
    let mut environment = w.function_environment();
    environment.push(("AWS_REGION".to_owned(), "us-east-1".to_owned()));
    environment.push(("USER".to_owned(), "me".to_owned()));
    let line = [
        "key",
        "create",
        "--direct",
        "--tenant",
        "operator",
        "--name",
        "first",
        "--plan",
        "enterprise",
        "--scope",
        "admin",
        "--clearance",
        "red",
    ];
    let made = at_terminal(&line, &environment, "").await.fits().expect(0).shows(&["iocast_"]);
    let key = made.text.split_whitespace().find(|word| word.starts_with("iocast_")).unwrap();
    let admin = w.http.with_key(key);
    let _ = admin.get("/api/v1/manage/tenants").await.expect(200);
    let subject = format!("key/{}", key.split('_').nth(1).unwrap());
    let told = admin.get("/api/v1/manage/audit").query("resource", &subject).await.json();
    assert_eq!(told["audit"][0]["actor"], serde_json::json!({"kind": "direct", "user": "me"}));
    let listed = iocast_with(&["collection", "list", "--direct", "--json"], &environment).await;
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let both = iocast_with(&["key", "list", "--direct", "--url", "http://x"], &environment).await;
    assert!(both.code == Some(1) && both.stderr.contains("--url"), "{both:?}");
    environment.retain(|(name, _)| name != "IOCAST_ACCESS_TABLE");
    let missing = iocast_with(&["key", "list", "--direct"], &environment).await;
    assert!(
        missing.stderr.contains("--access-table") && missing.stderr.contains("--stack"),
        "{missing:?}"
    );
}

/// Without any option: the service that runs on this machine, with its own admin key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_running_here_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let nothing = iocast(&["tenant", "list", "--data", data]).await;
    assert!(nothing.code == Some(1) && nothing.stderr.contains("iocast serve"), "{nothing:?}");
    let _service = Service::start(&["--data", data, "--no-demo"]).await;
    let listed = at_terminal(&["tenant", "list", "--data", data], &[], "").await.fits().expect(0);
    let _ = listed.shows(&["demo"]);
}
