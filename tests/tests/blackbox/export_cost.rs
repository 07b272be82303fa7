//! stix-export.md, Cost: read units follow the indicators returned, whatever the size of the base,
//! the type, the time and how many logs are merged.

use std::sync::Arc;

use shared::log::{LogId, MAX_ENTRIES};
use shared::stix::IocType;
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

#[allow(clippy::cast_precision_loss)]
async fn keeps_its_bounds(objects: usize) {
    let world = World::of_operator().await;
    fill(&world, objects).await;
    // The last indicators that came are those of red: half of them.
    let log = LogId::Indicators { level: Tlp::Red, kind: None, active: true };
    let red = world.entries(log).await;
    let since = red[red.len() / 2].entry.position.to_string();
    world.later(chrono::TimeDelta::minutes(5));
    let mut types: Vec<Option<&str>> = TYPES.map(Some).to_vec();
    types.push(None);
    for clearance in [Tlp::Clear, Tlp::Red] {
        let export = world.metered("StixExportFunction", &world.exporter(clearance).await.0);
        let logs = if clearance == Tlp::Red { 5.0 } else { 1.0 };
        for kind in &types {
            for since in [None, Some(since.as_str())] {
                for limit in ["10", "1000"] {
                    let mut query = vec![("limit", limit)];
                    query.extend(kind.map(|kind| ("type", kind)));
                    query.extend(since.map(|since| ("since", since)));
                    let (count, units) = cost(&export, &query).await;
                    let bound = PER_LOG * logs + PER_THOUSAND * count as f64 / 1000.0;
                    let what = format!("{clearance} {query:?} of {objects}: {count} indicators");
                    assert!(units <= bound, "{what}: {units} units, at most {bound}");
                    if kind.is_none() {
                        eprintln!("{units:6.1} of {bound:6.1}  {what}");
                        if since.is_none() && clearance == Tlp::Red {
                            assert_eq!(count, limit.parse::<usize>().unwrap().min(objects));
                        }
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
    world.later(chrono::TimeDelta::minutes(5));
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

/// Of the function's own process, as it is deployed with 512 MB; printed for the docs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_indicators_take_little_memory() {
    let world = World::of_operator().await;
    fill(&world, 6_000).await;
    world.later(chrono::TimeDelta::minutes(5));
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
