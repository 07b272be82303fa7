//! Which kill chain phases a MITRE ATT&CK technique belongs to.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::stix::KillChainPhase;

static TABLE: LazyLock<HashMap<&'static str, Vec<KillChainPhase>>> =
    LazyLock::new(|| read(include_str!("attack_phases.txt")));

/// The kill chain phases of an ATT&CK technique (`T1059`, `T1059.001`), in the table's order.
/// A sub-technique without a line of its own has its technique's; an unknown one has none.
#[must_use]
pub fn phases(technique: &str) -> &'static [KillChainPhase] {
    let parent = technique.split('.').next().unwrap_or(technique);
    TABLE.get(technique).or_else(|| TABLE.get(parent)).map_or(&[], Vec::as_slice)
}

/// Lines of `<technique> <kill chain> <phase>…`; a technique in two chains has two lines.
fn read(text: &'static str) -> HashMap<&'static str, Vec<KillChainPhase>> {
    let mut table: HashMap<_, Vec<_>> = HashMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_ascii_whitespace();
        if let (Some(technique), Some(chain)) = (words.next(), words.next()) {
            let found =
                words.map(|phase| KillChainPhase { chain: chain.into(), phase: phase.into() });
            table.entry(technique).or_default().extend(found);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sub_technique_falls_back_to_its_technique() {
        assert_eq!(phases("T1059")[0].phase, "execution");
        assert_eq!(phases("T1059.001"), phases("T1059"));
        assert_eq!(phases("T1059.999"), phases("T1059"));
        assert!(phases("T9999").is_empty());
        assert!(phases("").is_empty());
    }

    #[test]
    fn every_line_has_a_chain_and_a_phase() {
        assert!(TABLE.len() > 300);
        for (technique, found) in TABLE.iter() {
            assert!(technique.starts_with('T') && !found.is_empty(), "{technique}");
            assert!(found.iter().all(|phase| phase.chain.starts_with("mitre-")), "{technique}");
        }
    }
}
