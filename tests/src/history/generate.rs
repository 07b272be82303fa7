//! Generators of histories.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use shared::tlp::Tlp;

use super::step::{History, Step, Which};
use crate::model::{CHOICES, Content, Definition, Kind, Mark, Owner, Valid};

/// Clocks of two instances differ by less than twice this, in milliseconds.
const SKEW: i16 = 4_900;

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        5 => Just(Kind::Indicator),
        2 => Just(Kind::Malware),
        3 => (0..8_usize, 0..8_usize)
            .prop_map(|(source, target)| Kind::Relationship { source, target }),
        1 => Just(Kind::Marking),
        1 => Just(Kind::Observable),
    ]
}

fn content() -> impl Strategy<Value = Content> {
    let mark = prop_oneof![
        6 => Just(Mark::None),
        1 => Just(Mark::Clear),
        2 => Just(Mark::Green),
        1 => Just(Mark::Amber),
        2 => Just(Mark::Red),
        2 => Just(Mark::Own),
    ];
    let confidence = option::weighted(0.4, prop_oneof![Just(10_u8), Just(50), Just(80)]);
    let valid = prop_oneof![
        5 => Just(Valid::Always),
        1 => Just(Valid::Past),
        2 => Just(Valid::Soon),
    ];
    let revoked = prop::bool::weighted(0.1);
    let flags = (any::<bool>(), any::<bool>(), revoked, prop::bool::weighted(0.3), 0..3_u8);
    (flags, mark, confidence, valid).prop_map(
        |((a, b, revoked, address, number), mark, confidence, valid)| Content {
            a,
            b,
            mark,
            confidence,
            valid,
            revoked,
            address,
            number,
        },
    )
}

fn owner() -> impl Strategy<Value = Owner> {
    prop_oneof![4 => Just(Owner::Operator), 1 => Just(Owner::Acme)]
}

fn definition() -> impl Strategy<Value = Definition> {
    let ceiling = prop_oneof![
        1 => Just(Tlp::Clear),
        2 => Just(Tlp::Green),
        4 => Just(Tlp::Amber),
        2 => Just(Tlp::Red),
    ];
    let choice = prop_oneof![
        1 => Just(CHOICES[0]),
        2 => prop::sample::select(CHOICES.to_vec()),
    ];
    (choice, ceiling, prop::bool::weighted(0.7)).prop_map(|(choice, ceiling, open)| Definition {
        choice,
        ceiling,
        open,
    })
}

fn write() -> impl Strategy<Value = Step> {
    let into = option::weighted(0.25, 0..5_usize);
    (0..3_usize, 0..8_usize, 0..7_u8, owner(), into, content()).prop_map(
        |(by, object, slot, owner, into, content)| Step::Write {
            by,
            object,
            slot,
            owner,
            into,
            content,
        },
    )
}

fn project() -> impl Strategy<Value = Step> {
    let mask = prop_oneof![2 => Just(u8::MAX), 2 => any::<u8>()];
    (0..3_usize, mask, any::<bool>()).prop_map(|(by, mask, each)| Step::Project { by, mask, each })
}

fn remove() -> impl Strategy<Value = Step> {
    let which = prop_oneof![
        3 => Just(Which::Last),
        1 => Just(Which::First),
        1 => Just(Which::All),
        2 => (0..7_u8).prop_map(Which::Slot),
    ];
    (0..3_usize, 0..5_usize, 0..8_usize, which)
        .prop_map(|(by, collection, object, which)| Step::Remove(by, collection, object, which))
}

fn delete() -> impl Strategy<Value = Step> {
    (0..3_usize, 0..8_usize, owner())
        .prop_map(|(by, object, owner)| Step::Delete(by, object, owner))
}

fn change() -> impl Strategy<Value = Step> {
    (0..3_usize, 0..5_usize, definition())
        .prop_map(|(by, collection, definition)| Step::Change(by, collection, definition))
}

fn together() -> impl Strategy<Value = Step> {
    let one = prop_oneof![4 => write(), 3 => project(), 1 => delete(), 1 => change()];
    // A projector that is overtaken by a write and by another one that projects it.
    let overtaking = (prop_oneof![3 => write(), 1 => delete()], project())
        .prop_map(|(write, project)| Step::Then(Box::new(write), Box::new(project)));
    let other = prop_oneof![6 => project(), 1 => write(), 3 => overtaking];
    (one, other).prop_map(|(one, other)| Step::Together(Box::new(one), Box::new(other)))
}

fn step() -> impl Strategy<Value = Step> {
    let by = 0..3_usize;
    prop_oneof![
        24 => write(),
        12 => project(),
        4 => delete(),
        7 => remove(),
        10 => together(),
        3 => change(),
        1 => (by.clone(), definition()).prop_map(|(by, what)| Step::Create(by, what)),
        4 => by.clone().prop_map(Step::Backfill),
        1 => by.clone().prop_map(Step::Sweep),
        1 => by.clone().prop_map(Step::Expire),
        2 => by.clone().prop_map(Step::Compact),
        1 => Just(Step::Lose),
        2 => (by, -SKEW..=SKEW).prop_map(|(by, millis)| Step::Skew(by, millis)),
        2 => prop_oneof![Just(1_u8), Just(6), Just(11), Just(61)].prop_map(Step::Pass),
        8 => (0..16_usize, prop_oneof![Just(1_u8), Just(2), Just(3), Just(7)])
            .prop_map(|(reader, limit)| Step::Read(reader, limit)),
    ]
}

/// Small worlds: 3 to 8 objects, 2 to 4 collections, 20 to 60 steps.
pub fn history() -> impl Strategy<Value = History> {
    (vec(kind(), 3..=8), vec(definition(), 2..=4), vec(step(), 20..=60))
        .prop_map(|(kinds, collections, steps)| History { kinds, collections, steps })
}
