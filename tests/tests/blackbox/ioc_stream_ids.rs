//! Notifications with one cause and the same digits of their hashes: each is there, under an id of
//! its own, and is told once however often it is told.

use std::collections::HashMap;
use std::num::NonZeroU32;

use shared::access::TenantId;
use shared::notification::{
    Entity, EntityType, Notification, NotificationId, Source, SourceType, expiry_of,
};
use shared::store::{Once, PutNotification, Store};
use shared::time::Position;
use shared::tlp::Tlp;
use tests::lab::block_on;
use tests::stage::Stage;

fn notification(tenant: &TenantId, cause: Position, number: u32) -> Notification {
    let source = Source {
        kind: SourceType::Collection,
        id: "a-collection".to_owned(),
        label: "A collection".to_owned(),
    };
    let entity = Entity::named(EntityType::Domain, &format!("h{number}.example.com")).unwrap();
    let id = NotificationId::new(cause, tenant, &source, &entity);
    Notification {
        id,
        entity,
        source,
        tags: vec!["shared".to_owned(), format!("own-{number}")],
        hunting: None,
        object: None,
        level: Tlp::Amber,
        stored: cause,
        expires: expiry_of(id, NonZeroU32::new(30).unwrap()),
    }
}

/// Two that get the same id: among three hundred thousand there are some.
fn alike(tenant: &TenantId, cause: Position) -> [Notification; 2] {
    let mut known = HashMap::new();
    for number in 0..2_000_000 {
        let one = notification(tenant, cause, number);
        if let Some(other) = known.insert(one.id, number) {
            return [notification(tenant, cause, other), one];
        }
    }
    panic!("no two ids are alike");
}

async fn tell(store: &Store, tenant: &TenantId, told: &Notification) -> NotificationId {
    let once = Once::of_subscription(tenant, told);
    match store.put_notification(tenant, told, Some(&once)).await.unwrap() {
        PutNotification::Done { id } | PutNotification::Known { id, same: true } => id,
        known @ PutNotification::Known { .. } => panic!("{known:?}"),
    }
}

#[test]
fn two_that_would_have_one_id_are_both_there() {
    block_on(async {
        let stage = Stage::new().await;
        let (store, tenant) = (stage.plain().store(), "acme".parse().unwrap());
        let cause = Position::at_or_before(chrono::Utc::now());
        let [one, other] = alike(&tenant, cause);
        assert_eq!(one.id, other.id);
        let mut ids = Vec::new();
        for told in [&one, &other, &one, &other] {
            ids.push(tell(store, &tenant, told).await);
        }
        assert_eq!(ids, [one.id, one.id.after().unwrap(), one.id, one.id.after().unwrap()]);
        // At a lower level it moves, and not onto the other.
        let lower = Notification { level: Tlp::Green, ..other.clone() };
        let moved = tell(store, &tenant, &lower).await;
        assert_ne!(moved, one.id);
        for (id, told) in [(one.id, &one), (moved, &lower)] {
            let found = store.notification(&tenant, id).await.unwrap().expect("it is there");
            assert_eq!((found.entity, found.level), (told.entity.clone(), told.level));
        }
        stage.end().await;
    });
}
