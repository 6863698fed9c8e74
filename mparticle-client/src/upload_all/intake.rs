//! Encodes a batch of the source as one document, or as several if it is too large.

use super::outcomes::{Outcomes, Tag};
use crate::Endpoint;
use crate::dispatch::Document;
use crate::encoding::split::Part;
use crate::encoding::users::keys;
use crate::encoding::{Encoder, MAX_BATCH_BYTES, source_request_id};
use crate::models::Batch;
use std::sync::Arc;
use std::time::SystemTime;

pub(super) struct Intake {
    encoder: Arc<Encoder>,
    endpoint: Endpoint,
}

impl Intake {
    pub(super) fn new(encoder: Arc<Encoder>, endpoint: Endpoint) -> Self {
        Self { encoder, endpoint }
    }

    /// Encodes a batch. If the batch cannot be sent, reports its outcome and returns no document.
    pub(super) fn encode(
        &self,
        mut batch: Box<Batch>,
        now: SystemTime,
        outcomes: &mut Outcomes<'_>,
    ) -> Vec<Document<Tag>> {
        let position = outcomes.given();
        let id = source_request_id(&batch);
        // A batch that is returned and uploaded again then has the same bytes.
        batch.source_request_id = Some(id.clone());
        let users = keys(&batch);
        let encoded = self.encoder.encode_for(self.endpoint, id.clone(), &batch, now);
        let parts = match encoded {
            Ok(encoded) if encoded.bytes.len() <= MAX_BATCH_BYTES => {
                return vec![Document {
                    encoded,
                    users,
                    expires_at: None,
                    tag: Tag::Whole { position, batch },
                }];
            }
            Ok(_) => self.encoder.split(&id, &mut batch),
            Err(error) => Err(error),
        };
        match parts {
            Ok(parts) => {
                outcomes.divide(position, id, batch, parts.len());
                let document = |part: Part| Document {
                    encoded: part.encoded,
                    users: users.clone(),
                    expires_at: None,
                    tag: Tag::Part { position, events: part.events },
                };
                parts.into_iter().map(document).collect()
            }
            Err(error) => {
                outcomes.reject(position, id, batch, error);
                Vec::new()
            }
        }
    }
}
