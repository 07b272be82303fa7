//! Pages while their notifications expire, are deleted and come: what is there is seen once and in
//! order, nothing is skipped, and no page with a cursor is empty (contract: ioc-stream).

use std::collections::BTreeMap;

use shared::notification::{Named, Notification, Origin, SourceType};
use shared::time::Position;
use shared::tlp::Tlp;
use tests::chance::{Chance, asked_for, seed};
use tests::client::Client;
use tests::notifications::{NOTIFICATIONS, STREAM, first_cause, ids, made};
use tests::world::World;

/// Notifications a round begins with.
const COUNT: usize = 60;
/// Rounds, unless `IOCAST_ROUNDS` says otherwise.
const ROUNDS: usize = 16;

const FILTERS: [&str; 7] = [
    "",
    "tag:tag-1",
    "tag:even origin:hunting",
    "origin:subscriptions",
    "entity_type:domain",
    "source_id:source-1 tag:even",
    "source_type:collection",
];

/// What a tenant has, and what its client may see of it.
struct Tenant<'a> {
    w: &'a World,
    name: String,
    client: Client,
    chance: Chance,
    /// Those that are there and may be seen, by id.
    there: BTreeMap<String, Notification>,
    next: usize,
    first: Position,
}

impl<'a> Tenant<'a> {
    async fn of(w: &'a World, round: usize) -> Self {
        let name = format!("tenant-{round}");
        let client = w.stream_client(&name).await;
        let (chance, first) = (Chance::of(seed(round)), first_cause());
        let mut tenant = Self { w, name, client, chance, there: BTreeMap::new(), next: 0, first };
        for _ in 0..COUNT {
            tenant.comes().await;
        }
        tenant
    }

    /// One comes, newer than all others; one of five is above what the client may see.
    async fn comes(&mut self) {
        let mut one = made(&self.name, self.first, self.next);
        if self.next.is_multiple_of(2) {
            one.tags.push("even".to_owned());
        }
        self.next += 1;
        one.level = if self.chance.below(5) == 0 { Tlp::Red } else { Tlp::Amber };
        self.w.load_notifications(&self.name, std::slice::from_ref(&one)).await;
        if one.level == Tlp::Amber {
            self.there.insert(one.id.to_string(), one);
        }
    }

    fn any(&mut self) -> Option<Notification> {
        let place = self.chance.below(self.there.len().max(1));
        let id = self.there.keys().nth(place)?.clone();
        self.there.remove(&id)
    }

    /// One's time is over; of its items, TTL has taken some already.
    async fn expires(&mut self) {
        let Some(one) = self.any() else { return };
        let over = Notification { expires: one.id.seconds(), ..one };
        self.w.load_notifications(&self.name, std::slice::from_ref(&over)).await;
        let chance = &mut self.chance;
        self.w.age_out(&self.name, &over, || chance.below(2) == 0).await;
    }

    async fn is_deleted(&mut self) {
        let Some(one) = self.any() else { return };
        let _ = self.client.delete(&format!("{NOTIFICATIONS}/{}", one.id)).await.expect(200);
    }

    /// All with a tag are deleted, by a call.
    async fn many_are_deleted(&mut self) {
        let tag = format!("tag-{}", self.chance.below(10));
        let request = self.client.delete(STREAM).query("filter", &format!("tag:{tag}"));
        let _ = request.await.expect(200);
        self.w.notified().await;
        self.there.retain(|_, one| !one.tags.contains(&tag));
    }

    async fn something_happens(&mut self) {
        for _ in 0..self.chance.below(7) {
            match self.chance.below(20) {
                0 => self.many_are_deleted().await,
                1..7 => self.comes().await,
                7..14 => self.expires().await,
                _ => self.is_deleted().await,
            }
        }
    }

    /// What the client should be shown after `last`, in order.
    fn expected(&self, filter: &str, ascending: bool, last: Option<&str>) -> Vec<String> {
        let after = |id: &&String| match last {
            Some(last) if ascending => id.as_str() > last,
            Some(last) => id.as_str() < last,
            None => true,
        };
        let matching = self.there.iter().filter(|(_, one)| matches(filter, one));
        let mut ids: Vec<String> = matching.map(|(id, _)| id).filter(after).cloned().collect();
        if !ascending {
            ids.reverse();
        }
        ids
    }

    /// Reads to the end; between any two pages something happens.
    async fn is_read_through(&mut self, filter: &str, ascending: bool) {
        let limit = 1 + self.chance.below(8);
        let (mut cursor, mut last) = (None::<String>, None::<String>);
        loop {
            let order = if ascending { "date+" } else { "date-" };
            let limited = limit.to_string();
            let query = [("filter", filter), ("order", order), ("limit", limited.as_str())];
            let mut request = self.client.get(STREAM).queries(&query);
            if let Some(cursor) = &cursor {
                request = request.query("cursor", cursor);
            }
            let (found, next) = ids(&request.await.expect(200).json());
            let expected = self.expected(filter, ascending, last.as_deref());
            let context = format!("{}: {filter:?} {order} limit {limit}", self.name);
            let first = expected.len().min(limit);
            assert_eq!(found, expected[..first], "{context} after {last:?}");
            assert_eq!(next.is_some(), expected.len() > limit, "{context} after {last:?}");
            assert!(!found.is_empty() || next.is_none(), "{context}: an empty page with a cursor");
            if next.is_none() {
                return;
            }
            (cursor, last) = (next, found.last().cloned());
            self.something_happens().await;
        }
    }
}

fn matches(filter: &str, one: &Notification) -> bool {
    filter.split_whitespace().all(|term| match term.split_once(':').unwrap() {
        ("tag", tag) => one.tags.iter().any(|known| known == tag),
        ("origin", origin) => one.source.kind.origin() == Origin::named(origin).unwrap(),
        ("entity_type", kind) => one.entity.kind.name() == kind,
        ("source_type", kind) => one.source.kind == SourceType::named(kind).unwrap(),
        ("source_id", id) => one.source.id == id,
        other => panic!("{other:?}"),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_hold_what_is_there_whatever_expires_is_deleted_or_comes_between_them() {
    let w = World::http().await;
    for round in 0..asked_for("IOCAST_ROUNDS", ROUNDS) {
        let mut tenant = Tenant::of(&w, round).await;
        let filter = FILTERS[round % FILTERS.len()];
        tenant.is_read_through(filter, round % 2 == 0).await;
        tenant.is_read_through(filter, round % 2 == 1).await;
    }
}
