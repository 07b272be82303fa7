//! What the splitter tests share: splitting in chunks.

mod examples;
mod properties;

use super::*;

const NO_LIMIT: SplitLimits = SplitLimits { max_element_bytes: usize::MAX };

/// Splits `body` in chunks that end after each of `cuts`.
fn in_chunks(
    body: &[u8],
    cuts: &[usize],
    limits: SplitLimits,
) -> (Vec<Piece>, Result<Summary, SplitError>) {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
    cuts.extend([0, body.len()]);
    cuts.sort_unstable();
    let mut splitter = Splitter::new(limits);
    let mut pieces = Vec::new();
    for bounds in cuts.windows(2) {
        if let Err(error) = splitter.push(&body[bounds[0]..bounds[1]], &mut pieces) {
            assert_eq!(splitter.push(b"]", &mut pieces), Err(error.clone()), "fails again");
            assert_eq!(splitter.finish(), Err(error.clone()));
            return (pieces, Err(error));
        }
    }
    (pieces, splitter.finish())
}

/// The elements of `body`, which all are held.
fn held(pieces: Vec<Piece>) -> Vec<Vec<u8>> {
    pieces
        .into_iter()
        .enumerate()
        .map(|(place, piece)| match piece {
            Piece::Object { index, raw } => {
                assert_eq!(index, place);
                raw
            }
            Piece::TooLarge { .. } => panic!("no limit was set"),
        })
        .collect()
}
