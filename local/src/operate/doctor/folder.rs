//! The data folder of a service that runs on this machine.

use std::path::Path;

use super::Finding;
use crate::data_folder::announced;
use crate::parked::Parked;

/// Looks into a folder.
#[must_use]
pub fn examine(folder: &Path) -> Vec<Finding> {
    let shown = folder.display();
    if !folder.exists() {
        let seen = format!("{shown} is not there: no service has run here");
        return vec![
            Finding::note("data folder", seen)
                .advise("start one with `iocast serve`, or name its folder with --data"),
        ];
    }
    let mut findings = Vec::new();
    findings.push(match announced(folder).base_url {
        Some(url) => Finding::ok("data folder", format!("{shown}, of the service at {url}")),
        None => Finding::note("data folder", format!("{shown}, which no service uses now"))
            .advise("start one with `iocast serve`"),
    });
    let parked = folder.join("parked");
    findings.push(match Parked::new(&parked).count() {
        0 => Finding::ok("parked events", "none"),
        count => Finding::wrong(
            "parked events",
            format!("{count} could not be worked off"),
            format!(
                "read the reasons in {}; what they left pending is swept up within a day, then \
                 the files can go",
                parked.display()
            ),
        ),
    });
    findings
}
