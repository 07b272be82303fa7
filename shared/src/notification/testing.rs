//! Notifications for tests.

use super::{Entity, EntityType, Notification, NotificationId, Source, SourceType, expiry_of};
use crate::access::TenantId;
use crate::time::Position;
use crate::tlp::Tlp;

/// A notification that differs from those with other numbers.
pub fn notification(number: u64) -> Notification {
    let tenant: TenantId = "acme".parse().unwrap();
    let cause = Position::from_micros(1_760_000_000_000_000 + number * 1_000_000);
    let entity = Entity::named(EntityType::Domain, &format!("host-{number}.example.com")).unwrap();
    let source = Source {
        kind: SourceType::HuntingRuleset,
        id: format!("ruleset-{}", number % 3),
        label: "Ruleset".to_owned(),
    };
    let id = NotificationId::new(cause, &tenant, &source, &entity);
    Notification {
        id,
        entity,
        source,
        tags: vec![format!("tag-{}", number % 5), "all".to_owned()],
        hunting: None,
        object: None,
        level: Tlp::Amber,
        stored: cause,
        expires: expiry_of(id, std::num::NonZeroU32::MIN),
    }
}
