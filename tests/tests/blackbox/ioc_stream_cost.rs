//! ioc-stream.md, Filter, "Cost": what pages read, as the tables charge it, however many
//! notifications a tenant has. Two sizes are read and compared; `IOCAST_NOTIFICATIONS=100000` is
//! the larger one of the issue.

use std::collections::BTreeMap;

use shared::notification::{Notification, NotificationId};
use shared::time::Position;
use shared::tlp::Tlp;
use tests::chance::asked_for;
use tests::fixtures::indicators;
use tests::metered::Metered;
use tests::notifications::{STREAM, facets, first_cause, ids, made};
use tests::subscribing::at_rest;
use tests::world::World;

/// The larger size, unless `IOCAST_NOTIFICATIONS` says otherwise; the smaller is a quarter.
const COUNT: usize = 16_000;
/// How often each page is read. The median of what it cost counts: the first finds what an instance
/// remembers too old, now and then.
const READINGS: usize = 3;
/// Postings that one unit reads.
const PER_UNIT: usize = 80;
/// What every request reads beside: the first of each list it may walk.
const CONSTANT: usize = 24;
/// Indicators that notifications of subscriptions are made from.
const INDICATORS: usize = 200;
/// Of so many notifications, a reader with a low clearance may see one.
const SEEN: usize = 50;

struct Loaded {
    stream: Metered,
    all: Vec<Notification>,
    facets: Vec<Facets>,
    seen: Tlp,
}

type Filter = Vec<(&'static str, String)>;
type Facets = BTreeMap<&'static str, String>;
/// How many were found and what that cost, by what was asked for.
type Costs = BTreeMap<String, (usize, f64)>;

fn text(filter: &[(&'static str, String)]) -> String {
    filter.iter().map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>().join(" ")
}

impl Loaded {
    async fn of(world: &World, tenant: &str, notifications: Vec<Notification>) -> Self {
        let begun = std::time::Instant::now();
        for part in notifications.chunks(5_000) {
            world.load_notifications(tenant, part).await;
        }
        eprintln!("{} loaded in {:?}", notifications.len(), begun.elapsed());
        let client = world.stream_client(tenant).await;
        let facets = (0..notifications.len()).map(facets).collect();
        let stream = world.metered("IocStreamListFunction", &client);
        Self { stream, all: notifications, facets, seen: Tlp::Amber }
    }

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

    /// Numbers of those that match and may be seen, oldest first.
    fn matching(&self, filter: &[(&'static str, String)]) -> Vec<usize> {
        let has =
            |number: &usize| filter.iter().all(|(key, value)| self.facets[*number][key] == *value);
        let seen = |number: &usize| self.all[*number].level <= self.seen;
        (0..self.all.len()).filter(seen).filter(has).collect()
    }

    /// The first page in both orders, one that begins in the middle by a date and one that goes on
    /// from there by a cursor.
    async fn keeps_its_bound(&self, filter: &Filter, costs: &mut Costs) {
        let listed = |key: &&(&str, String)| matches!(key.0, "entity_id" | "source_id" | "tag");
        let walked =
            filter.iter().filter(listed).map(|term| self.matching(std::slice::from_ref(term)));
        let walked: Vec<usize> = walked.map(|list| list.len()).collect();
        let middle = self.all.len() / 2;
        let at = self.all[middle].id.cause();
        for limit in [10, 40] {
            for (order, date) in [
                ("date-", String::new()),
                ("date+", String::new()),
                ("date-", format!(" date:{at}-")),
                ("date+", format!(" date:{at}+")),
            ] {
                let text = text(filter) + &date;
                let mut matched = self.matching(filter);
                match date.chars().last() {
                    Some('-') => matched.retain(|number| *number < middle),
                    Some(_) => matched.retain(|number| *number >= middle),
                    None => {}
                }
                if order == "date-" {
                    matched.reverse();
                }
                let id = |number: &usize| self.all[*number].id.to_string();
                let expected: Vec<String> = matched.iter().take(limit).map(id).collect();
                let limited = limit.to_string();
                let query = [("filter", text.as_str()), ("order", order), ("limit", &limited)];
                let (found, cursor, units) = self.page(&query).await;
                assert_eq!(found, expected, "{text} {order}");
                let bound = bound(found.len(), &walked);
                eprintln!("{units:7.1} of {bound:5}  {:2} by {text} {order}", found.len());
                #[allow(clippy::cast_precision_loss)]
                let bound = bound as f64;
                assert!(units <= bound, "{text} {order}: {units} units, at most {bound}");
                let page = format!("{} {order} {} {limit}", self::text(filter), date.len());
                costs.insert(page, (found.len(), units));
                if let Some(cursor) = cursor {
                    let query = [query[0], query[1], query[2], ("cursor", cursor.as_str())];
                    let (found, _, units) = self.page(&query).await;
                    let next: Vec<String> =
                        matched.iter().skip(limit).take(limit).map(id).collect();
                    assert_eq!(found, next, "{text} {order} by cursor");
                    assert!(units <= bound, "{text} {order} by cursor: {units} of {bound}");
                }
            }
        }
    }

    /// Every filter there is, alone, every two of them together, and all.
    async fn keep_their_bounds(&self) -> Costs {
        let mut costs = Costs::new();
        // One that the reader may see.
        let terms: Filter = self.facets[SEEN + 1].clone().into_iter().collect();
        self.keeps_its_bound(&Vec::new(), &mut costs).await;
        for (at, first) in terms.iter().enumerate() {
            self.keeps_its_bound(&vec![first.clone()], &mut costs).await;
            for second in &terms[at + 1..] {
                self.keeps_its_bound(&vec![first.clone(), second.clone()], &mut costs).await;
            }
        }
        self.keeps_its_bound(&terms, &mut costs).await;
        costs
    }
}

/// Three reads for each that is returned, and one to see which lists there are; where lists have to
/// be compared, what the shortest of them takes to be passed, and the first of each.
fn bound(found: usize, walked: &[usize]) -> usize {
    let floor = 3 * found.max(1) + 1;
    match walked {
        [] | [_] => floor,
        several => {
            let shortest = several.iter().min().copied().unwrap_or_default();
            floor + shortest / PER_UNIT + CONSTANT
        }
    }
}

/// Notifications, those of subscriptions made from indicators that are there.
async fn notifications(world: &World, tenant: &str, count: usize) -> Vec<Notification> {
    let objects = indicators(INDICATORS);
    world.send(&objects).await;
    at_rest(world).await;
    let first = first_cause();
    let from = |number: usize| {
        let mut one = made(tenant, first, number);
        let object = objects[number % INDICATORS].id().parse().unwrap();
        one.object = one.hunting.is_none().then_some(object);
        one
    };
    (0..count).map(from).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_filter_alone_and_in_pairs_costs_what_it_returns() {
    let world = World::http().await;
    let count = asked_for("IOCAST_NOTIFICATIONS", COUNT);
    let small = notifications(&world, "small", count / 4).await;
    let small = Loaded::of(&world, "small", small).await.keep_their_bounds().await;
    let large = notifications(&world, "large", count).await;
    let loaded = Loaded::of(&world, "large", large).await;
    let large = loaded.keep_their_bounds().await;
    // Four times as many cost no more, where no lists have to be compared.
    let listed = |text: &str| {
        ["entity_id:", "source_id:", "tag:"].iter().filter(|key| text.contains(*key)).count()
    };
    for (page, (found, units)) in large.iter().filter(|(page, _)| listed(page) < 2) {
        let (before, fewer) = small[page];
        // A page that was not full may be now; how far each list is read ahead differs a little.
        let flat = fewer * 1.25 + 2.0;
        assert!(before != *found || *units <= flat, "{page}: {units}, not {fewer}");
    }
    // What matches nothing is known at once, or after the shortest list.
    let nothing: [Filter; 2] = [
        vec![("tag", "tag-11".into())],
        vec![("entity_id", "nowhere.example.com".into()), ("tag", "tag-1".into())],
    ];
    for filter in &nothing {
        let (found, _, units) = loaded.page(&[("filter", text(filter).as_str())]).await;
        assert!(found.is_empty() && units <= 24.0, "{filter:?}: {units}");
    }
}

/// Most are above what the reader may see; it pays for what it is shown.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_may_not_be_seen_costs_nothing() {
    let world = World::http().await;
    let count = asked_for("IOCAST_NOTIFICATIONS", COUNT) / 2;
    let mut all = notifications(&world, "acme", count).await;
    for (number, one) in all.iter_mut().enumerate() {
        if number % SEEN >= 16 {
            one.level = Tlp::Red;
        }
    }
    // As good as none of them in the newer half.
    for one in all.iter_mut().skip(count / 2 + 100) {
        one.level = Tlp::AmberStrict;
    }
    let loaded = Loaded::of(&world, "acme", all).await;
    loaded.keep_their_bounds().await;
}

/// Raised after it was told of, an indicator hides what was made from it; a page ends before that
/// costs more than it may, but never empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_raised_since_ends_a_page_early() {
    const COUNT: usize = 400;
    let world = World::http().await;
    let objects = indicators(2);
    let raised = objects[1].clone().marked(Tlp::Red);
    world.send(&[objects[0].clone(), raised.clone()]).await;
    at_rest(&world).await;
    let first = first_cause();
    let from = |number: usize| {
        let mut one = made("acme", first, number);
        let object = if number.is_multiple_of(40) { &objects[0] } else { &raised };
        one.object = Some(object.id().parse().unwrap());
        one
    };
    let mut loaded = Loaded::of(&world, "acme", (0..COUNT).map(from).collect()).await;
    loaded.seen = Tlp::Amber;
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query = vec![("limit", "10")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let (some, next, units) = loaded.page(&query).await;
        assert!(!some.is_empty() || next.is_none(), "an empty page with a cursor");
        assert!(units <= 120.0, "{units}");
        found.extend(some);
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    let seen = (0..COUNT).rev().filter(|number| number % 40 == 0);
    let expected: Vec<String> = seen.map(|number| loaded.all[number].id.to_string()).collect();
    assert_eq!(found, expected);
}

/// A list that reaches far back with its first read may hold the most: it is left as soon as
/// another is seen to hold fewer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_that_only_begins_sparse_is_left() {
    const MANY: usize = 8_000;
    const FEW: usize = 400;
    let world = World::http().await;
    let first = first_cause();
    let mut all: Vec<Notification> = (0..MANY).map(|number| made("acme", first, number)).collect();
    let (tenant, last) = ("acme".parse().unwrap(), all[MANY - 1].id.cause().micros());
    for (number, one) in all.iter_mut().enumerate() {
        one.tags = vec!["steady".to_owned()];
        // The last come within a second, and are of another kind.
        if number >= MANY - FEW {
            let cause = Position::from_micros(last + number as u64);
            one.id = NotificationId::new(cause, &tenant, &one.source, &one.entity);
            one.tags = vec!["burst".to_owned()];
        }
    }
    all[MANY - FEW].tags.push("steady".to_owned());
    let both = all[MANY - FEW].id.to_string();
    let loaded = Loaded::of(&world, "acme", all).await;
    for order in ["date-", "date+"] {
        let query = [("filter", "tag:steady tag:burst"), ("order", order), ("limit", "10")];
        let (found, cursor, units) = loaded.page(&query).await;
        assert_eq!((found, cursor), (vec![both.clone()], None), "{order}");
        assert!(units <= 48.0, "{order}: {units} units");
    }
}

/// What asks for a source by a type that it is not of reads none of its lists.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_filter_that_contradicts_itself_costs_next_to_nothing() {
    let world = World::http().await;
    let first = first_cause();
    let from = |number: usize| {
        let mut one = made("acme", first, number);
        one.source.id = format!("{}-{}", one.source.kind, one.source.id);
        one
    };
    let loaded = Loaded::of(&world, "acme", (0..4_000).map(from).collect()).await;
    for filter in [
        "source_id:hunting_ruleset-source-1 origin:subscriptions",
        "source_id:collection-source-1 source_type:threat_actor",
        "source_id:nowhere",
    ] {
        let (found, cursor, units) = loaded.page(&[("filter", filter)]).await;
        assert!(found.is_empty() && cursor.is_none(), "{filter}");
        assert!(units <= 3.0, "{filter}: {units} units");
    }
}
