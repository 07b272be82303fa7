//! Cutting an input into pieces of sizes it decides itself.

/// `data` in pieces of 1 to `most` bytes, in order. The sizes look random and depend on `data`
/// alone, so that an input that fails fails again.
pub(super) fn of(data: &[u8], most: usize) -> impl Iterator<Item = &[u8]> {
    let mut state = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    }) | 1;
    let mut rest = data;
    std::iter::from_fn(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let size = usize::try_from(state >> 40).unwrap_or(0) % most + 1;
        let (piece, later) = rest.split_at(size.min(rest.len()));
        rest = later;
        (!piece.is_empty()).then_some(piece)
    })
}
