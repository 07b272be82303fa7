//! access.md, Plans: look-back is a clamp, never an error, and the answer says so.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use tests::client::Answer;
use tests::collection::CollectionSpec;
use tests::fixtures::{indicator, indicators};
use tests::keys::KeySpec;
use tests::world::World;

const HEADER: &str = "x-lookback-clamped-to";

fn ids(answer: &Answer) -> usize {
    answer.json()["objects"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_begins_no_earlier_than_the_plan_reaches_back() {
    let world = World::http().await;
    let terms = serde_json::json!({"scopes": ["read:taxii"], "lookback_days": 2});
    world.plan("two-days", terms).await;
    let collection = world.collection(CollectionSpec::everything()).await;
    let services = world.another_instance();
    let clock = services.settings().clock.clone();
    let old = indicators(3);
    world.load(&collection, &old).await;
    clock.step(TimeDelta::days(10));
    let new = indicators(5);
    world.load(&collection, &new).await;

    let limited = world.client(KeySpec::of("limited").read_only().on("two-days")).await;
    for (path, all, clamped) in [("objects/", 8, 5), ("manifest/", 8, 5)] {
        let path = collection.path(path);
        let whole = world.reader().get(&path).await.expect(200);
        assert_eq!((ids(&whole), whole.header(HEADER)), (all, None));
        let horizon = clock.now() - TimeDelta::days(2);
        let cut = limited.get(&path).await.expect(200);
        assert_eq!(ids(&cut), clamped, "{path}");
        let said: DateTime<Utc> = cut.header(HEADER).unwrap().parse().unwrap();
        assert!((said - horizon).abs() < TimeDelta::minutes(1), "{said} is not {horizon}");
        let further = limited.get(&path).query("added_after", "2020-01-01T00:00:00Z").await;
        assert_eq!((ids(&further), further.header(HEADER).is_some()), (clamped, true));
        let within = clock.now() - TimeDelta::days(1);
        let within = limited
            .get(&path)
            .query("added_after", &within.to_rfc3339_opts(SecondsFormat::Micros, true))
            .await;
        assert_eq!((ids(&within), within.header(HEADER)), (clamped, None));
    }

    // A `next` keeps its own beginning.
    let first = limited.get(&collection.path("objects/")).query("limit", "2").await.expect(200);
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let rest = limited.get(&collection.path("objects/")).query("next", &next).await.expect(200);
    assert_eq!((ids(&rest), rest.header(HEADER)), (2, None));

    // What is read by id is there whatever its age.
    let id = old[0].id();
    let paths = [
        format!("objects/{id}/"),
        format!("objects/{id}/versions/"),
        format!("objects/?match[id]={id}"),
    ];
    for path in paths {
        let answer = limited.get(&collection.path(&path)).await.expect(200);
        assert_eq!(answer.header(HEADER), None, "{path}");
        assert!(answer.text().len() > 20, "{path}: {}", answer.text());
    }
    world.quiet(&collection, &indicator()).await;
}
