//! The order of the batches of one user: at most one of them is being appended at a time.

use crate::encoding::users::UserKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// The last batch of each user that is being appended.
#[derive(Clone, Debug, Default)]
pub(super) struct UserOrder {
    last: Arc<Mutex<HashMap<UserKey, Arc<Semaphore>>>>,
}

/// The turn of a batch. The next batches of its users have their turn when this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    order: UserOrder,
    users: Vec<UserKey>,
    earlier: Vec<Arc<Semaphore>>,
    /// Closed when the turn is over.
    over: Arc<Semaphore>,
}

impl UserOrder {
    /// Returns the turn of a batch after those of all earlier batches of its users. It does not wait.
    pub(super) fn enter(&self, users: &[UserKey]) -> Turn {
        let over = Arc::new(Semaphore::new(0));
        let mut last = self.lock();
        let earlier = users.iter().filter_map(|user| last.insert(*user, Arc::clone(&over)));
        let earlier = earlier.filter(|earlier| !Arc::ptr_eq(earlier, &over)).collect();
        Turn { order: self.clone(), users: users.to_vec(), earlier, over }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserKey, Arc<Semaphore>>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Waits until the turns of all earlier batches are over. The turn must not be dropped before that.
    pub(super) async fn wait(&self) {
        for earlier in &self.earlier {
            // The result is always an error: no permit is ever added, and the semaphore is closed.
            _ = earlier.acquire().await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut last = self.order.lock();
        for user in &self.users {
            if last.get(user).is_some_and(|last| Arc::ptr_eq(last, &self.over)) {
                last.remove(user);
            }
        }
        drop(last);
        self.over.close();
    }
}

#[cfg(test)]
mod tests {
    use super::UserOrder;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn batches_of_a_user_have_their_turn_in_order_and_others_do_not_wait() {
        let order = UserOrder::default();
        let first = order.enter(&[1, 2]);
        let second = order.enter(&[2, 3]);
        let third = order.enter(&[3]);
        let other = order.enter(&[4, 4]);
        assert!(first.wait().now_or_never().is_some());
        assert!(second.wait().now_or_never().is_none());
        assert!(third.wait().now_or_never().is_none());
        assert!(other.wait().now_or_never().is_some());
        drop(first);
        assert!(second.wait().now_or_never().is_some());
        assert!(third.wait().now_or_never().is_none());
        drop(second);
        assert!(third.wait().now_or_never().is_some());
        drop((third, other));
        assert!(order.lock().is_empty());
    }
}
