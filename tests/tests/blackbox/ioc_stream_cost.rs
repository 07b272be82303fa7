//! ioc-stream.md, Filter, "Cost": what pages read, as the tables charge it, of a tenant with
//! 100,000 notifications.

use std::collections::BTreeMap;

use shared::notification::Notification;
use tests::metered::Metered;
use tests::notifications::{STREAM, facets, first_cause, ids, made};
use tests::world::World;

const COUNT: usize = 100_000;
const TENANT: &str = "acme";
/// How often each page is read. The median of what it cost counts: the first finds what an instance
/// remembers too old, now and then.
const READINGS: usize = 3;
/// Postings that one unit reads.
const PER_UNIT: usize = 80;
/// What every request reads beside: the first of each list it may walk.
const CONSTANT: usize = 24;

struct Loaded {
    stream: Metered,
    all: Vec<Notification>,
    facets: Vec<Facets>,
}

type Filter = Vec<(&'static str, String)>;
type Facets = BTreeMap<&'static str, String>;

impl Loaded {
    async fn page(&self, query: &[(&str, &str)]) -> (Vec<String>, Option<String>, f64) {
        let (mut costs, mut page) = (Vec::new(), (Vec::new(), None));
        for _ in 0..READINGS {
            let before = self.stream.read_units();
            page = ids(&self.stream.client.get(STREAM).queries(query).await.expect(200).json());
            costs.push(self.stream.read_units() - before);
        }
        costs.sort_by(f64::total_cmp);
        (page.0, page.1, costs[READINGS / 2])
    }

    /// Numbers of those that match, newest first.
    fn matching(&self, filter: &[(&'static str, String)]) -> Vec<usize> {
        let has =
            |number: &usize| filter.iter().all(|(key, value)| self.facets[*number][key] == *value);
        (0..COUNT).rev().filter(has).collect()
    }

    async fn keeps_its_bound(&self, filter: &Filter) {
        let text = filter.iter().map(|(key, value)| format!("{key}:{value}"));
        let text = text.collect::<Vec<_>>().join(" ");
        let matched = self.matching(filter);
        let listed = |key: &&(&str, String)| matches!(key.0, "entity_id" | "source_id" | "tag");
        let walked =
            filter.iter().filter(listed).map(|term| self.matching(std::slice::from_ref(term)));
        let walked: Vec<usize> = walked.map(|list| list.len()).collect();
        for limit in [10, 40] {
            for deep in [false, true] {
                let date = format!("date:{}-", self.all[COUNT / 2].id.cause());
                let text = if deep { format!("{text} {date}") } else { text.clone() };
                let from = if deep { COUNT / 2 } else { COUNT };
                let expected: Vec<String> = matched
                    .iter()
                    .filter(|number| **number < from)
                    .take(limit)
                    .map(|number| self.all[*number].id.to_string())
                    .collect();
                let limit = limit.to_string();
                let query = [("filter", text.as_str()), ("limit", limit.as_str())];
                let (found, cursor, units) = self.page(&query).await;
                assert_eq!(found, expected, "{text}");
                let bound = bound(found.len(), &walked);
                eprintln!("{units:7.1} of {bound:5}  {:2} by {text}", found.len());
                #[allow(clippy::cast_precision_loss)]
                let kept = units <= bound as f64;
                assert!(kept, "{text}: {units} units, at most {bound}");
                if let Some(cursor) = cursor {
                    let query = [query[0], query[1], ("cursor", cursor.as_str())];
                    let (found, _, units) = self.page(&query).await;
                    #[allow(clippy::cast_precision_loss)]
                    let kept = units <= bound as f64;
                    assert!(kept && !found.is_empty(), "{text} by cursor: {units} of {bound}");
                }
            }
        }
    }
}

/// Three reads for each that is returned; where lists have to be compared, what the shortest of
/// them takes to be passed, and the first of each.
fn bound(found: usize, walked: &[usize]) -> usize {
    let floor = 3 * found.max(1);
    match walked {
        [] | [_] => floor,
        several => {
            let shortest = several.iter().min().copied().unwrap_or_default();
            floor + shortest / PER_UNIT + CONSTANT
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_filter_alone_and_in_pairs_costs_what_it_returns() {
    let world = World::http().await;
    let first = first_cause();
    let all: Vec<Notification> = (0..COUNT).map(|number| made(TENANT, first, number)).collect();
    let begun = std::time::Instant::now();
    world.load_notifications(TENANT, &all).await;
    eprintln!("loaded in {:?}", begun.elapsed());
    let client = world.stream_client(TENANT).await;
    let stream = world.metered("IocStreamListFunction", &client);
    let facets: Vec<Facets> = (0..COUNT).map(facets).collect();
    let terms: Filter = facets[41].clone().into_iter().collect();
    let loaded = Loaded { stream, all, facets };
    loaded.keeps_its_bound(&Vec::new()).await;
    for (at, first) in terms.iter().enumerate() {
        loaded.keeps_its_bound(&vec![first.clone()]).await;
        for second in &terms[at + 1..] {
            loaded.keeps_its_bound(&vec![first.clone(), second.clone()]).await;
        }
    }
    loaded.keeps_its_bound(&terms).await;
    // What matches nothing is known at once, or after the shortest list.
    let nothing: [Filter; 2] = [
        vec![("tag", "tag-11".into())],
        vec![("entity_id", "nowhere.example.com".into()), ("tag", "tag-1".into())],
    ];
    for filter in &nothing {
        let text: Vec<String> = filter.iter().map(|(k, v)| format!("{k}:{v}")).collect();
        let (found, _, units) = loaded.page(&[("filter", text.join(" ").as_str())]).await;
        assert!(found.is_empty() && units <= 24.0, "{text:?}: {units}");
    }
}
