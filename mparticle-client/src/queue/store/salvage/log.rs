//! Lays the pages in a write-ahead log over the database, whatever the checksums of the log say.
//!
//! The log is a header of 32 bytes and frames: a header of 24 bytes and a page. The header of a frame has the number of
//! the page in bytes 0 to 4, and in bytes 8 to 16 the salts, which all frames since the log was last begun anew share
//! with the log's header (bytes 16 to 24). Frames with other salts are older, or damaged, and left out.

use super::super::database::PAGE_SIZE;

const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

type Salts = [u8; 8];

struct Frame<'a> {
    page: usize,
    salts: Salts,
    content: &'a [u8],
}

pub(super) fn lay_over(image: &mut Vec<u8>, log: &[u8]) {
    let frames: Vec<Frame<'_>> = log
        .get(LOG_HEADER..)
        .unwrap_or_default()
        .chunks_exact(FRAME_HEADER + PAGE_SIZE)
        .filter_map(frame)
        .collect();
    let Some(salts) = elect(log, &frames) else { return };
    // Each frame can add a page at most; a number beyond that is damaged.
    let bound = (image.len() / PAGE_SIZE).saturating_add(frames.len());
    for frame in frames.iter().filter(|frame| frame.salts == salts) {
        let Some(before) = frame.page.checked_sub(1) else { continue };
        if frame.page > bound {
            continue;
        }
        let (start, end) = (before.saturating_mul(PAGE_SIZE), frame.page.saturating_mul(PAGE_SIZE));
        if image.len() < end {
            image.resize(end, 0);
        }
        if let Some(place) = image.get_mut(start..end) {
            place.copy_from_slice(frame.content);
        }
    }
}

/// The salts that count: those that two of the first three frames share, since a transaction has two frames or more;
/// else those of the header.
fn elect(log: &[u8], frames: &[Frame<'_>]) -> Option<Salts> {
    let first: Vec<Salts> = frames.iter().take(3).map(|frame| frame.salts).collect();
    let shared = first.iter().enumerate().find(|(place, salts)| {
        first.iter().skip(place.saturating_add(1)).any(|other| other == *salts)
    });
    shared.map(|(_, salts)| *salts).or_else(|| log.get(16..)?.first_chunk().copied())
}

fn frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let (header, content) = bytes.split_at_checked(FRAME_HEADER)?;
    let page = u32::from_be_bytes(*header.first_chunk()?);
    let salts = *header.get(8..)?.first_chunk()?;
    Some(Frame { page: usize::try_from(page).ok()?, salts, content })
}
