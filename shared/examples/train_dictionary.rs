//! Trains the zstd dictionary that stored objects are compressed with: `shared/dictionaries/stix-1.dict`.
//!
//! `cargo run --release -p shared --example train_dictionary [bytes]`
//!
//! It learns from STIX objects made here, from a fixed seed, with documentation addresses and
//! names only. A dictionary once in use is never trained again under the same number: what was
//! compressed with it can be read with it alone.

use std::path::Path;
use std::process::ExitCode;

#[path = "train_dictionary/frame.rs"]
mod frame;
#[path = "train_dictionary/indicators.rs"]
mod indicators;
#[path = "train_dictionary/maker.rs"]
mod maker;
#[path = "train_dictionary/objects.rs"]
mod objects;
#[path = "train_dictionary/observables.rs"]
mod observables;
#[path = "train_dictionary/words.rs"]
mod words;

use maker::Maker;

/// How many objects it learns from.
const SAMPLES: usize = 12_000;

/// Measured on real bundles and indicators: 16 KiB costs some 3 % more for an object compressed
/// alone, 64 KiB saves less than 2 %.
const DICTIONARY_BYTES: usize = 32 * 1024;

fn main() -> ExitCode {
    let size = std::env::args().nth(1).and_then(|size| size.parse().ok());
    let mut make = Maker::new(0x5deb_1a5e_0f1d_2c3b);
    let samples: Vec<String> = (0..SAMPLES).filter_map(|_| object(&mut make)).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dictionaries/stix-1.dict");
    let trained = zstd::dict::from_samples(&samples, size.unwrap_or(DICTIONARY_BYTES))
        .and_then(|dictionary| std::fs::write(&path, &dictionary).map(|()| dictionary.len()));
    match trained {
        Ok(bytes) => {
            println!("{bytes} bytes from {} objects: {}", samples.len(), path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

/// One object: half of them indicators, as in the feeds that were looked at.
fn object(make: &mut Maker) -> Option<String> {
    match make.below(100) {
        0..30 => make.own_indicator(),
        30..52 => Some(make.foreign_indicator()),
        52..68 => Some(make.relationship()),
        68..84 => Some(make.domain_object()),
        _ => Some(make.observable()),
    }
}
