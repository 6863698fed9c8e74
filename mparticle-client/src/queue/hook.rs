//! The caller's function for outcomes.

use super::BatchResult;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Called with every outcome. A panic of it ends there.
#[derive(Clone)]
pub(super) struct Hook(Arc<dyn Fn(&BatchResult) + Send + Sync>);

impl Hook {
    pub(super) fn new(function: impl Fn(&BatchResult) + Send + Sync + 'static) -> Self {
        Self(Arc::new(function))
    }

    pub(super) fn call(&self, settled: &BatchResult) {
        // What the function leaves behind is its own affair; nothing of ours is shared with it.
        if catch_unwind(AssertUnwindSafe(|| (self.0)(settled))).is_err() {
            tracing::error!("the outcome hook of the queue panicked");
        }
    }
}
