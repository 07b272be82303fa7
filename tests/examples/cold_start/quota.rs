//! A share of a processor.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tests::function::Function;

/// How often what is left of the share is given anew, in microseconds.
const PERIOD: u32 = 20_000;

/// A control group whose processes have a share of one processor; gone when dropped.
pub struct Quota {
    folder: PathBuf,
}

impl Quota {
    /// None where this user or system has no such groups.
    pub fn of(share: f64) -> Option<Self> {
        let name = format!("iocast-cold-start-{}", std::process::id());
        let left = format!("{:.0}", f64::from(PERIOD) * share);
        let first = Path::new("/sys/fs/cgroup/cpu").join(&name);
        if std::fs::create_dir(&first).is_ok() {
            let quota = Self { folder: first };
            let set = |file: &str, text: &str| std::fs::write(quota.folder.join(file), text);
            set("cpu.cfs_period_us", &PERIOD.to_string()).ok()?;
            set("cpu.cfs_quota_us", &left).ok()?;
            return Some(quota);
        }
        let second = Path::new("/sys/fs/cgroup").join(name);
        std::fs::create_dir(&second).ok()?;
        let quota = Self { folder: second };
        std::fs::write(quota.folder.join("cpu.max"), format!("{left} {PERIOD}")).ok()?;
        Some(quota)
    }

    /// Starts a function within the group: a shell joins it and becomes the function.
    pub async fn start(
        &self,
        program: &Path,
        name: &str,
        environment: &[(String, String)],
    ) -> Function {
        let members = self.folder.join("cgroup.procs");
        Function::start_within(&members, program, name, environment).await
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // Its last process may still be on its way out.
        for _ in 0..50 {
            if std::fs::remove_dir(&self.folder).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
