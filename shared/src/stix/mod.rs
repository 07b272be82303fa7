//! STIX 2.1 objects: read, checked, kept verbatim, and described by [`Facets`]. No I/O.

mod describe;
mod facets;
mod marking;
mod members;
mod object;
pub mod splitter;
mod standard_marking;
mod strict;

pub use facets::{
    Facets, IocType, IocTypeError, IocValue, KillChainPhase, RelationshipEnds, SpecVersion,
};
pub use marking::{Marking, level, marking_defined_by, markings_to_resolve};
pub use members::Members;
pub(crate) use object::OBSERVABLE_TYPES;
pub use object::{ContentHash, MAX_OBJECT_BYTES, Rejection, StixObject};
pub use standard_marking::standard_marking;
