//! What a client is told when it is made.

mod credentials;
mod pod;
mod retry_policy;
mod timeouts;
mod validation;

pub use credentials::Credentials;
pub use pod::{Pod, UnknownPod};
pub use retry_policy::RetryPolicy;
pub use timeouts::Timeouts;
pub use validation::Validation;
