//! CSV: one record a row.

use super::mapping::Mapping;
use super::{MAX_RECORD_BYTES, Problem, Record, RecordText, Records};
use crate::failure::Failure;
use std::io::{self, BufRead, Read};

pub(super) struct Rows<R> {
    reader: csv::Reader<Bounded<R>>,
    row: csv::ByteRecord,
    columns: usize,
    number: u64,
}

/// A reader that fails if a row is too long, as after a quotation mark that is not closed.
struct Bounded<R> {
    input: R,
    read: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read > MAX_RECORD_BYTES {
            let message = format!(
                "a row has more than {MAX_RECORD_BYTES} bytes; is a quotation mark not closed?"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let length = self.input.read(buffer)?;
        self.read += length;
        Ok(length)
    }
}

impl<R: BufRead> Rows<R> {
    /// Reads the header and finds the columns of the mapping in it.
    pub(super) fn new(input: R, mapping: &Mapping) -> Result<(Self, Mapping), Failure> {
        let reader = csv::ReaderBuilder::new()
            .delimiter(mapping.delimiter)
            .flexible(true)
            .from_reader(Bounded { input, read: 0 });
        let mut rows = Self { reader, row: csv::ByteRecord::new(), columns: 0, number: 0 };
        let header = rows
            .reader
            .headers()
            .map_err(|error| Failure::new(format!("the header cannot be read: {error}")))?;
        let mapping = mapping.find_columns(header)?;
        rows.columns = header.len();
        Ok((rows, mapping))
    }

    /// Returns the row that was read, or why it is none.
    fn text(&self) -> RecordText {
        if self.row.len() != self.columns {
            let message = format!(
                "the row has {} cells, and the header has {}",
                self.row.len(),
                self.columns
            );
            return RecordText::Refused(Problem::new("columns", message));
        }
        match csv::StringRecord::from_byte_record(self.row.clone()) {
            Ok(row) => RecordText::Row(row),
            Err(_) => RecordText::Refused(Problem::new("utf8", "the row is not UTF-8")),
        }
    }
}

impl<R: BufRead + Send> Records for Rows<R> {
    fn next(&mut self) -> io::Result<Option<Record>> {
        self.reader.get_mut().read = 0;
        let is_row = self.reader.read_byte_record(&mut self.row).map_err(io::Error::from)?;
        if !is_row {
            return Ok(None);
        }
        self.number += 1;
        let line = self.row.position().map_or(0, csv::Position::line);
        Ok(Some(Record { number: self.number, line, text: self.text() }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Mapping, RecordText, Records, Rows};
    use std::io::{Read, Write};

    fn mapping() -> Mapping {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"[columns]\nid = \"mpid\"").unwrap();
        Mapping::read(file.path()).unwrap()
    }

    #[test]
    fn rows_have_the_line_on_which_they_begin() {
        let text = "id,name\n1,\"a\nb\"\n2\n3,\u{e4}\n";
        let (mut rows, _) = Rows::new(text.as_bytes(), &mapping()).unwrap();
        let mut found = Vec::new();
        while let Some(record) = rows.next().unwrap() {
            let text = match record.text {
                RecordText::Row(row) => row.iter().collect::<Vec<_>>().join("|"),
                RecordText::Refused(problem) => problem.message,
                RecordText::Json(_) => unreachable!("there is no JSON"),
            };
            found.push((record.number, record.line, text));
        }
        let expected = [
            (1, 2, "1|a\nb".to_owned()),
            (2, 4, "the row has 1 cells, and the header has 2".to_owned()),
            (3, 5, "3|\u{e4}".to_owned()),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_does_not_fill_the_memory() {
        let input = std::io::BufReader::new(b"id\n\"".chain(std::io::repeat(b'x')));
        let (mut rows, _) = Rows::new(input, &mapping()).unwrap();
        let error = rows.next().err().unwrap();
        assert!(error.to_string().contains("is a quotation mark not closed?"), "{error}");
    }
}
