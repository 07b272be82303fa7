//! taxii.md, Reads: whoever resumes from a position it saw misses nothing and is told nothing
//! twice, however many writers there are, while the collection's filter changes and its log is
//! compacted, and on AWS's worse days.
//!
//! `IOCAST_POSITIONS` says how many objects (800; a fifth of them on worse days),
//! `IOCAST_ROUNDS` how often (1), `IOCAST_SEED` with which chance.

mod reader;
mod tale;
mod writer;

use std::cell::Cell;
use std::collections::HashMap;

use futures::future::{join, join_all};
use serde_json::Value;
use tests::chance::{Chance, asked_for, seed};
use tests::collection::Collection;
use tests::patience::until;
use tests::taxii_reading::{all_objects, manifest};
use tests::world::World;
use tests::worse_days::{Faults, Kind, Proxy};

use reader::{Reader, Resuming, Surface};
use tale::Tale;
use writer::{Days, Writer};

const WRITERS: usize = 8;
const OBJECTS: usize = 800;

fn readers() -> Vec<Reader> {
    use Resuming::{Next, Position, PositionInMilliseconds};
    use Surface::{Manifest, Objects};
    let readers = [
        (Position, Objects, 20),
        (Position, Objects, 100),
        (Position, Manifest, 33),
        (PositionInMilliseconds, Objects, 1000),
        (Next, Objects, 9),
        (Next, Objects, 50),
        (Next, Objects, 250),
        (Next, Manifest, 40),
    ];
    readers.map(|(resuming, surface, limit)| Reader::new(resuming, surface, limit)).into()
}

/// One world in which a tale is told.
struct Stage<'a> {
    world: &'a World,
    proxy: Option<&'a Proxy>,
    collection: &'a Collection,
    /// Steps that all writers have done.
    done: Cell<usize>,
    /// Nothing changes any more.
    written: Cell<bool>,
}

impl Stage<'_> {
    fn days(&self) -> Days {
        if self.proxy.is_some() { Days::Worse } else { Days::Quiet }
    }

    async fn write(&self, tale: &Tale, chance: &Chance) {
        let (world, collection, days) = (self.world, self.collection, self.days());
        let writers = tale.shares.iter().zip(1..).map(|(share, number)| {
            let writer = Writer { world, collection, days, done: &self.done };
            async move { writer.write(share.clone(), chance.part(number)).await }
        });
        join(join_all(writers), self.keep_up(tale.steps())).await;
        if let Some(proxy) = self.proxy {
            proxy.set(Faults::none());
        }
        until("nothing is pending", async || {
            // What failed three times is parked, and left to the sweep.
            if self.world.parked() > 0 {
                self.world.sweep().await;
            }
            self.world.is_at_rest().await.then_some(())
        })
        .await;
        self.compact(4).await;
        self.written.set(true);
    }

    /// What happens to the collection meanwhile.
    async fn keep_up(&self, steps: usize) {
        self.reached(steps / 5).await;
        self.compact(1).await;
        self.reached(steps * 2 / 5).await;
        self.world.change_to(self.collection, &tale::after(&self.collection.spec)).await;
        self.reached(steps * 3 / 5).await;
        self.compact(2).await;
        self.reached(steps * 4 / 5).await;
        self.compact(3).await;
    }

    async fn reached(&self, steps: usize) {
        until("writers go on", async || (self.done.get() >= steps).then_some(())).await;
    }

    /// Compacts what the log held at the time before: each time an hour later, as it seems.
    async fn compact(&self, time: i64) {
        until("the logs are compacted", async || {
            let compacted = self.world.compact(chrono::TimeDelta::hours(time)).await;
            let whole = compacted.as_ref().is_ok_and(|done| done.failures.is_empty());
            assert!(whole || self.days() == Days::Worse, "{compacted:?}");
            compacted.ok()
        })
        .await;
    }
}

async fn tell(world: &World, proxy: Option<&Proxy>, objects: usize, seed: u64) {
    eprintln!("positions of {objects} objects, IOCAST_SEED={seed}");
    let chance = Chance::of(seed);
    let tale = Tale::of(objects, WRITERS, chance.clone());
    let collection = world.collection(tale::before()).await;
    world.at_rest().await;
    if let Some(proxy) = proxy {
        proxy.set(Faults::moderate(seed));
    }
    let (done, written) = (Cell::new(0), Cell::new(false));
    let stage = Stage { world, proxy, collection: &collection, done, written };
    let reading = readers()
        .into_iter()
        .map(|reader| reader.read(world, &collection, stage.days(), &stage.written));
    let (readers, ()) = join(join_all(reading), stage.write(&tale, &chance)).await;
    judge(world, &collection, &tale, &readers).await;
}

async fn judge(world: &World, collection: &Collection, tale: &Tale, readers: &[Reader]) {
    let held = all_objects(&world.reader(), collection).await;
    for object in &held {
        let expected = tale.finally.get(object["id"].as_str().unwrap());
        assert_eq!(expected.map(|expected| &**expected), Some(object), "the collection is wrong");
    }
    assert_eq!(held.len(), tale.finally.len(), "the collection lacks something");
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    let listed = manifest(&world.reader(), collection).await;
    let dates: HashMap<String, String> =
        listed.iter().map(|entry| (text(entry, "id"), text(entry, "date_added"))).collect();
    assert_eq!(dates.len(), listed.len(), "an object is listed twice");
    let log = world.log_of(collection).await;
    let positions: Vec<_> = log.iter().map(|seen| seen.entry.position).collect();
    assert!(positions.is_sorted_by(|one, next| one < next), "positions rise");
    assert_eq!(log.iter().filter(|seen| seen.current).count(), held.len());
    for reader in readers {
        reader.judge(tale, &dates, &log);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reader_ends_with_exactly_what_the_collection_holds() {
    for round in 0..asked_for("IOCAST_ROUNDS", 1) {
        let world = World::http().await;
        tell(&world, None, asked_for("IOCAST_POSITIONS", OBJECTS), seed(round)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_it_does_on_worse_days() {
    for round in 0..asked_for("IOCAST_ROUNDS", 1) {
        let (world, proxy) = World::on_worse_days().await;
        tell(&world, Some(&proxy), asked_for("IOCAST_POSITIONS", OBJECTS) / 5, seed(round)).await;
        let faults = [Kind::LostWrite, Kind::Throttled, Kind::LostAnswer, Kind::Slow];
        assert_eq!(proxy.counts().missing(&faults), [&Kind::Slow; 0], "these went wrong");
    }
}
