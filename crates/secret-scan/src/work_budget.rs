//! The bound on the work for one file or text.

/// Bounds the time for data that consists of keywords: a pattern is tried at one place in so many bytes. Ordinary data has one
/// keyword in hundreds of bytes.
pub(crate) struct WorkBudget {
    left: u64,
    /// How many tries were refused.
    pub(crate) skipped: u64,
}

impl Default for WorkBudget {
    fn default() -> Self {
        Self { left: 100_000, skipped: 0 }
    }
}

impl WorkBudget {
    /// Adds the work for `bytes` more bytes.
    pub(crate) fn earn(&mut self, bytes: usize) {
        const BYTES_PER_TRY: usize = 24;
        self.left += (bytes / BYTES_PER_TRY) as u64;
    }

    /// Whether a pattern may be tried.
    pub(crate) fn spend(&mut self) -> bool {
        let has = self.left > 0;
        self.left = self.left.saturating_sub(1);
        self.skipped += u64::from(!has);
        has
    }

    /// Takes the work for a match of `bytes` bytes that was no secret.
    pub(crate) fn charge(&mut self, bytes: usize) {
        const BYTES_PER_UNIT: usize = 16;
        self.left = self.left.saturating_sub((bytes / BYTES_PER_UNIT) as u64);
    }
}
