//! stix-export.md, Cost: read units follow the indicators returned, whatever the size of the base,
//! the type, the time and how many logs are merged.

use std::sync::Arc;

use chrono::TimeDelta;
use shared::log::{LogId, MAX_ENTRIES};
use shared::stix::IocType;
use shared::time::Position;
use shared::tlp::Tlp;
use tests::client::Client;
use tests::export::{Export, TYPES};
use tests::fixtures::{Object, indicator, indicator_of_stix_2_0};
use tests::function::Function;
use tests::gateway_event;
use tests::metered::Metered;
use tests::realistic::realistic_indicator;
use tests::world::World;

/// How often each is read. The median of what it cost counts: the first finds what an instance
/// remembers too old, now and then.
const READINGS: usize = 3;
/// What a log costs that has nothing to say: its last commit, and the one before that.
const PER_LOG: f64 = 6.0;
/// What a thousand indicators may cost beside that.
const PER_THOUSAND: f64 = 24.0;

/// Fills every built-in log of active indicators, those of one level by turns with those of the
/// others: `objects` in all, and a part of them of each type.
async fn fill(world: &World, objects: usize) {
    let all: Vec<Object> = (0..objects).map(realistic_indicator).collect();
    let of_level = objects / Tlp::ALL.len();
    for (level, objects) in Tlp::ALL.into_iter().zip(all.chunks(of_level)) {
        let log = |kind| LogId::Indicators { level, kind, active: true };
        world.append_to(log(None), objects, MAX_ENTRIES).await;
        let share = objects.len().div_ceil(TYPES.len());
        for (kind, objects) in IocType::ALL.into_iter().zip(objects.chunks(share)) {
            world.append_to(log(Some(kind)), objects, MAX_ENTRIES).await;
        }
    }
}

/// What one export cost, and how many indicators came.
async fn cost(metered: &Metered, query: &[(&str, &str)]) -> (usize, f64) {
    let (mut costs, mut count) = (Vec::new(), 0);
    let export = Export(metered.client.clone());
    for _ in 0..READINGS {
        let before = metered.read_units();
        count = export.get(query).await.indicators().len();
        costs.push(metered.read_units() - before);
    }
    costs.sort_by(f64::total_cmp);
    assert!(costs[0] > 0.0, "it is metered");
    (count, costs[READINGS / 2])
}

/// The positions of what the active logs up to `clearance` hold of a type: those of one level come
/// after all those of the level before.
async fn positions(world: &World, clearance: Tlp, kind: Option<IocType>) -> Vec<Position> {
    let mut positions = Vec::new();
    for level in Tlp::ALL.into_iter().filter(|level| *level <= clearance) {
        let log = LogId::Indicators { level, kind, active: true };
        positions.extend(world.entries(log).await.iter().map(|seen| seen.entry.position));
    }
    positions
}

/// The most that an export of `count` indicators of `logs` logs may cost.
#[allow(clippy::cast_precision_loss)]
fn bound(logs: usize, count: usize) -> f64 {
    PER_LOG * logs as f64 + PER_THOUSAND * count as f64 / 1000.0
}

async fn keeps_its_bounds(objects: usize) {
    let world = World::of_operator().await;
    fill(&world, objects).await;
    world.later(TimeDelta::minutes(5));
    let kinds = std::iter::once(None).chain(IocType::ALL.into_iter().map(Some));
    for (clearance, logs) in [(Tlp::Clear, 1), (Tlp::Red, Tlp::ALL.len())] {
        let export = world.metered("StixExportFunction", &world.exporter(clearance).await.0);
        for kind in kinds.clone() {
            let held = positions(&world, clearance, kind).await;
            // In the midst of the last level that came.
            let since = held[held.len() - held.len() / logs / 2];
            let late = held.iter().filter(|position| **position >= since).count();
            assert!(late > 0 && late < held.len());
            let since = since.to_string();
            for (since, held) in [(None, held.len()), (Some(since.as_str()), late)] {
                for limit in ["10", "1000"] {
                    let mut query = vec![("limit", limit)];
                    query.extend(kind.map(|kind| ("type", kind.name())));
                    query.extend(since.map(|since| ("since", since)));
                    let (count, units) = cost(&export, &query).await;
                    let what = format!("{clearance} {query:?} of {objects}: {count} indicators");
                    assert_eq!(count, held.min(limit.parse().unwrap()), "{what}");
                    let bound = bound(logs, count);
                    assert!(units <= bound, "{what}: {units} units, at most {bound}");
                    if kind.is_none() {
                        eprintln!("{units:6.1} of {bound:6.1}  {what}");
                    }
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_of_a_thousand_indicators_costs_what_it_returns() {
    keeps_its_bounds(1_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_of_a_hundred_thousand_indicators_costs_what_it_returns() {
    keeps_its_bounds(100_000).await;
}

/// What was reported again and again, and what left, costs nothing once it was compacted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_export_costs_does_not_follow_what_indicators_went_through() {
    const INDICATORS: usize = 100;
    const REPORTS: usize = 30;
    let world = World::of_operator().await;
    let at = |hour: usize| {
        let at = chrono::DateTime::UNIX_EPOCH + TimeDelta::days(20_500);
        (at + TimeDelta::hours(i64::try_from(hour).unwrap()))
            .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    };
    let ours: Vec<Object> = (0..INDICATORS)
        .map(|number| realistic_indicator(number).marked(Tlp::Clear).at(&at(0)))
        .collect();
    let again = |hour: usize, some: &[Object]| -> Vec<Object> {
        some.iter().map(|object| object.clone().at(&at(hour))).collect()
    };
    for hour in 0..REPORTS {
        world.send(&again(hour, &ours)).await;
        world.at_rest().await;
    }
    // Half of them go for good, and the last commit of a log is never touched.
    let (gone, left) = ours.split_at(INDICATORS / 2);
    let revoked = again(REPORTS, gone).into_iter().map(|object| object.set("revoked", true));
    world.send(&revoked.collect::<Vec<_>>()).await;
    world.at_rest().await;
    world.send(&again(REPORTS + 1, &left[..1])).await;
    world.at_rest().await;
    world.later(TimeDelta::minutes(5));
    let export = world.metered("StixExportFunction", &world.exporter(Tlp::Clear).await.0);
    let (count, dear) = cost(&export, &[("limit", "1000")]).await;
    assert_eq!(count, left.len());
    // Noted, done, and once more when the leaves are old.
    for hours in [0, 1, 30, 31] {
        world.compact(TimeDelta::hours(hours)).await.unwrap();
    }
    let held = world.entries(LogId::Indicators { level: Tlp::Clear, kind: None, active: true });
    let held = held.await.len();
    assert!(held <= 2 * left.len(), "{held} entries are held");
    let (count, cheap) = cost(&export, &[("limit", "1000")]).await;
    println!("{count} indicators, {dear} read units before compaction and {cheap} after");
    assert_eq!(count, left.len());
    let bound = bound(1, count);
    assert!(cheap <= bound && dear > bound, "{dear} before, {cheap} after, at most {bound}");
    for (query, wanted) in [(("limit", "10"), 10), (("type", "domain"), 0)] {
        let (count, units) = cost(&export, &[query]).await;
        assert!(count >= wanted && units <= PER_LOG + 2.0, "{query:?}: {count}, {units} units");
    }
}

/// Each costs about as much as one of STIX 2.1 where it is read at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_indicators_of_stix_2_0_cost_the_export_nothing() {
    let world = World::of_operator().await;
    let ours: Vec<Object> = (0..20).map(|_| indicator().marked(Tlp::Clear)).collect();
    world.send(&ours).await;
    world.at_rest().await;
    let older: Vec<Object> =
        (0..1_000).map(|_| indicator_of_stix_2_0().marked(Tlp::Clear)).collect();
    for part in older.chunks(250) {
        world.send(part).await;
    }
    world.at_rest().await;
    world.later(TimeDelta::minutes(5));
    let export = world.metered("StixExportFunction", &world.exporter(Tlp::Clear).await.0);
    for (limit, wanted) in [("10", 10), ("1000", 20)] {
        let (count, units) = cost(&export, &[("limit", limit)]).await;
        assert_eq!(count, wanted);
        assert!(units <= PER_LOG + 1.0, "limit {limit}: {units} units");
    }
}

/// The most memory a process had, in KiB.
fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Of the function's own process, which is deployed with 256 MB; printed for the docs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_indicators_take_little_memory() {
    let world = World::of_operator().await;
    fill(&world, 6_000).await;
    world.later(TimeDelta::minutes(5));
    let function = Function::start("stix-export", &world.function_environment()).await;
    let function = Arc::new(function);
    let base_url = format!("https://{}", gateway_event::HOST);
    let key = world.exporter(Tlp::Red).await.0;
    let key = key.get("").headers[0].1.trim_start_matches("Bearer ").to_owned();
    let export = Export(Client::function(Arc::clone(&function), &base_url).with_key(&key));
    assert_eq!(export.get(&[("limit", "1")]).await.indicators().len(), 1);
    let first = peak_kib(function.pid());
    let most = [("include_observables", "true"), ("include_context", "true")];
    for options in [&[][..], &most] {
        let query = [&[("limit", "1000")], options].concat();
        let answer = export.request(&query).await.expect(200);
        let peak = peak_kib(function.pid());
        println!(
            "{} bytes: {first} KiB for one, {peak} KiB for 1,000 {options:?}",
            answer.body.len()
        );
        assert!(answer.body.len() < 6_000_000);
        assert!(peak < 128 * 1024, "{peak} KiB");
    }
}
