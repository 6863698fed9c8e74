//! JSON Lines: one record a line.

use super::{MAX_RECORD_BYTES, Record, RecordText, Records, too_long};
use std::io::{self, BufRead};

pub(super) struct Lines<R> {
    input: R,
    number: u64,
}

impl<R> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, number: 0 }
    }
}

impl<R: BufRead + Send> Records for Lines<R> {
    fn next(&mut self) -> io::Result<Option<Record>> {
        let mut text = Vec::new();
        let mut length = 0;
        loop {
            let available = self.input.fill_buf()?;
            if available.is_empty() {
                break;
            }
            let line_end = available.iter().position(|byte| *byte == b'\n');
            let part = available.get(..line_end.unwrap_or(available.len())).unwrap_or_default();
            length += part.len();
            if length <= MAX_RECORD_BYTES {
                text.extend_from_slice(part);
            }
            let consumed = part.len() + usize::from(line_end.is_some());
            self.input.consume(consumed);
            if line_end.is_some() {
                self.number += 1;
                return Ok(Some(self.record(text, length)));
            }
        }
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(self.record(text, length)))
    }
}

impl<R> Lines<R> {
    fn record(&self, text: Vec<u8>, length: usize) -> Record {
        let text = match length {
            ..=MAX_RECORD_BYTES => RecordText::Json(text),
            _ => RecordText::Refused(too_long(length)),
        };
        Record { number: self.number, line: self.number, text }
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, MAX_RECORD_BYTES, RecordText, Records};
    use std::io::{BufReader, Read};

    #[test]
    fn lines_end_with_or_without_a_line_break() {
        let mut lines = Lines::new(BufReader::with_capacity(3, "first\n\n last".as_bytes()));
        for (number, expected) in [(1, "first"), (2, ""), (3, " last")] {
            let record = lines.next().unwrap().unwrap();
            let RecordText::Json(text) = record.text else { panic!() };
            assert_eq!((record.number, text.as_slice()), (number, expected.as_bytes()));
        }
        assert!(lines.next().unwrap().is_none());
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let long = std::io::repeat(b'x').take(MAX_RECORD_BYTES as u64 + 1);
        let mut lines = Lines::new(BufReader::new(long.chain("\nnext".as_bytes())));
        let RecordText::Refused(problem) = lines.next().unwrap().unwrap().text else { panic!() };
        assert!(problem.message.contains("4194305 bytes"), "{}", problem.message);
        let RecordText::Json(text) = lines.next().unwrap().unwrap().text else { panic!() };
        assert_eq!(text, b"next");
    }
}
