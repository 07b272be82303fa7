//! How much of the machine somebody else had while this ran: figures of a busy machine are worth
//! little, and the report should say so.

/// Processor time, in the kernel's ticks, up to now.
#[derive(Debug, Clone, Copy)]
pub struct Ticks {
    /// Of this program and of processes it waited for.
    own: u64,
    /// Of all programs.
    busy: u64,
    /// With idle time.
    all: u64,
}

impl Ticks {
    /// Up to now; nothing on a system without `/proc`.
    pub fn now() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/stat").ok()?;
        let numbers = |line: &str| -> Vec<u64> {
            line.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect()
        };
        // user, nice, system, idle, iowait, irq, softirq, steal
        let cpu: Vec<u64> = numbers(stat.lines().next()?).into_iter().take(8).collect();
        let idle: u64 = cpu.iter().skip(3).take(2).sum();
        let own = std::fs::read_to_string("/proc/self/stat").ok()?;
        // Behind the name: the state, ten numbers, then utime, stime, cutime, cstime.
        let own: Vec<u64> = numbers(own.rsplit_once(") ")?.1.get(2..)?);
        let own = own.iter().skip(10).take(4).sum();
        let all: u64 = cpu.iter().sum();
        Some(Self { own, busy: all - idle, all })
    }

    /// The share of the machine others took since `earlier`, in percent.
    #[allow(clippy::cast_precision_loss)]
    pub fn others_since(self, earlier: Self) -> f64 {
        let own = self.own.saturating_sub(earlier.own);
        let others = self.busy.saturating_sub(earlier.busy).saturating_sub(own);
        100.0 * others as f64 / self.all.saturating_sub(earlier.all).max(1) as f64
    }
}
