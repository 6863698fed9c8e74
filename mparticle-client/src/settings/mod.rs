//! The settings of a client.

mod copying;
mod credentials;
#[cfg(feature = "data-plan")]
mod on_finding;
mod pod;
mod retry_policy;
mod sensitive;
mod timeouts;
mod validation;

pub(crate) use copying::copying_mistakes;
pub use credentials::Credentials;
#[cfg(feature = "data-plan")]
pub use on_finding::OnFinding;
pub use pod::{Pod, UnknownPod};
pub use retry_policy::RetryPolicy;
pub(crate) use sensitive::Sensitive;
pub use timeouts::Timeouts;
pub use validation::Validation;
