//! Random histories of a whole system: what is published incrementally, at random times, and
//! whatever markings stand for and the collection may hold meanwhile, always equals a file made from
//! the whole log.

use chrono::{TimeDelta, Utc};
use csv_publish::Outcome;
use serde_json::json;
use shared::feed::Feed;
use shared::tlp::Tlp;
use tests::chance::{Chance, asked_for, seed};
use tests::client::Client;
use tests::collection::{Collection, CollectionSpec};
use tests::feeds::{feed, publish, read, rebuild};
use tests::fixtures::{Object, indicator, tlp_marking};
use tests::keys::KeySpec;
use tests::world::World;

struct History {
    w: World,
    c: Collection,
    chance: Chance,
    members: Vec<Object>,
    passed: TimeDelta,
    version: u32,
    markings: Vec<Object>,
}

impl History {
    fn now(&self) -> chrono::DateTime<Utc> {
        Utc::now() + self.passed
    }

    fn up_to(&mut self, bound: usize) -> i64 {
        i64::try_from(self.chance.below(bound)).unwrap()
    }

    /// A later version than any so far.
    fn version(&mut self) -> String {
        self.version += 1;
        (self.now() + TimeDelta::milliseconds(i64::from(self.version)))
            .format("%FT%T%.3fZ")
            .to_string()
    }

    fn fresh(&mut self) -> Object {
        let created = self.now() - TimeDelta::minutes(self.up_to(300));
        let object = indicator()
            .labelled("listed")
            .set("created", created.format("%FT%T%.3fZ").to_string())
            .set("description", format!("\"{}\"\r\n=", self.chance.below(1000)));
        let object = if self.chance.below(2) == 0 {
            object
        } else {
            let marking = &self.markings[self.chance.below(self.markings.len())];
            object.set("object_marking_refs", json!([marking.id()]))
        };
        if self.chance.below(3) > 0 {
            return object;
        }
        let until = self.now() + TimeDelta::minutes(self.up_to(240) - 20);
        object.set("valid_until", until.format("%FT%TZ").to_string())
    }

    async fn step(&mut self) {
        let mut sent = Vec::new();
        for _ in 0..=self.chance.below(4) {
            let version = self.version();
            let object = self.fresh().at(&version);
            self.members.push(object.clone());
            sent.push(object);
        }
        for _ in 0..self.chance.below(4) {
            let at = self.chance.below(self.members.len());
            let version = self.version();
            let object = self.members[at].clone().at(&version);
            let object = match self.chance.below(5) {
                0 => object.set("revoked", true),
                1 => object.labelled("not listed"),
                2 => object.labelled("listed"),
                3 => object.set("description", version.as_str()),
                _ => object.set(
                    "valid_until",
                    (self.now() + TimeDelta::minutes(45))
                        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
                ),
            };
            // One version of an object at a time: which of two is stored last is no matter here.
            if sent.iter().all(|other: &Object| other.id() != object.id()) {
                self.members[at] = object.clone();
                sent.push(object);
            }
        }
        self.w.send(&sent).await;
        if self.chance.below(3) == 0 && self.members.len() > 3 {
            let at = self.chance.below(self.members.len());
            let gone = self.members.swap_remove(at);
            let path = format!("/api/v1/objects/{}", gone.id());
            let _ = self.w.ingest().delete(&path).await;
        }
        if self.chance.below(4) == 0 {
            self.w.compact(self.passed + TimeDelta::minutes(30)).await.unwrap();
        }
        let seconds = self.up_to(60 * 70);
        self.passed += TimeDelta::seconds(seconds);
        self.w.later(self.passed);
    }

    /// A marking that is defined is forgotten, or one that is not is defined at some level; or the
    /// collection may hold other levels.
    async fn other_levels(&mut self) {
        let operator = self.w.http.with_key(self.w.admin_key());
        let at = self.chance.below(self.markings.len());
        let path = format!("/api/v1/objects/{}", self.markings[at].id());
        if operator.delete(&path).await.status != 200 {
            let level = ["clear", "green", "amber", "red"][self.chance.below(4)];
            let version = self.version();
            let marking = self.markings[at].clone().set("created", version.as_str());
            let marking = marking.set("definition", json!({"tlp": level}));
            let marking = marking.set("name", format!("TLP:{level}"));
            let body = tests::fixtures::envelope(&[marking]);
            let _ = operator.post("/api/v1/objects").body("application/json", body).await;
        }
        if self.chance.below(2) == 0 {
            let ceiling = [Tlp::Amber, Tlp::AmberStrict, Tlp::Red][self.chance.below(3)];
            self.c.spec.ceiling = ceiling;
            self.w.change_to(&self.c, &self.c.spec).await;
            self.w.rebuilt(&self.c).await;
        }
    }

    /// Publishes a feed as it is carried on, and its twin from scratch; both say the same.
    async fn compare(&self, client: &Client, carried: &Feed, scratch: &Feed) -> bool {
        let outcome = publish(&self.w, carried).await;
        rebuild(&self.w, scratch).await;
        let body = async |f| {
            let text = read(client, f, "csv").await.text();
            text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
        };
        let (one, other) = (body(carried).await, body(scratch).await);
        assert_eq!(one, other, "{:?}", carried.settings);
        matches!(outcome, Outcome::Published(new) if !new.whole)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_carried_on_equals_what_is_made_from_scratch() {
    let w = World::http().await;
    let c = w.collection(CollectionSpec::labelled("listed")).await;
    let mut feeds = Vec::new();
    for more in [
        json!({"rolling_minutes": 120}),
        json!({"rolling_minutes": 90, "date": "changed", "only_active": false}),
        json!({"rolling_minutes": 240, "date": "created", "order": "oldest_first"}),
        json!({"date": "modified"}),
    ] {
        feeds.push((feed(&w, &c, more.clone()).await, feed(&w, &c, more).await));
    }
    let key = KeySpec::of("acme").with([shared::access::Scope::ReadCsv]).cleared(Tlp::Red);
    let client = w.http.with_key(&w.key(key).await.text);
    let chance = Chance::of(seed(0));
    let passed = TimeDelta::zero();
    let markings = (0..3).map(|_| tlp_marking("green")).collect();
    let members = Vec::new();
    let mut history = History { w, c, chance, members, passed, version: 0, markings };
    let mut carried_on = 0;
    let rounds = asked_for("IOCAST_FEED_ROUNDS", 14);
    for round in 0..rounds {
        history.step().await;
        if history.chance.below(2) == 0 {
            history.other_levels().await;
        }
        // What is still on its way would reach the one and not the other.
        let version = history.version();
        let witness = indicator().labelled("listed").at(&version);
        history.w.send(&[witness]).await;
        tests::patience::until("nothing waits", async || {
            history.w.is_at_rest().await.then_some(())
        })
        .await;
        for (carried, scratch) in &feeds {
            if round + 1 == rounds || history.chance.below(3) > 0 {
                carried_on += usize::from(history.compare(&client, carried, scratch).await);
            }
        }
    }
    assert!(carried_on > rounds, "only {carried_on} editions were carried on");
}
