//! JSON values that may take several lines: the elements of arrays, or objects one after the other.

use super::{MAX_RECORD_BYTES, Problem, Record, RecordText, Records, too_long};
use std::io::{self, BufRead};

pub(super) struct Values<R> {
    input: R,
    number: u64,
    line: u64,
    /// The line of the bracket of the array that is being read.
    array: Option<u64>,
}

/// The value that is being read.
#[derive(Default)]
struct Value {
    text: Vec<u8>,
    length: usize,
    line: u64,
    depth: usize,
    in_string: bool,
    is_escaped: bool,
}

/// What a byte means for the value that is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Inside,
    /// The byte is the last one.
    Last,
    /// The byte before was the last one.
    Past,
}

impl Value {
    fn step(&mut self, byte: u8) -> Step {
        if self.in_string {
            let ends = byte == b'"' && !self.is_escaped;
            self.is_escaped = byte == b'\\' && !self.is_escaped;
            self.in_string = !ends;
            return if ends && self.depth == 0 { Step::Last } else { Step::Inside };
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b']' | b'}' | b',' if self.depth == 0 => return Step::Past,
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    return Step::Last;
                }
            }
            _ if byte.is_ascii_whitespace() && self.depth == 0 => return Step::Past,
            _ => {}
        }
        Step::Inside
    }

    fn push(&mut self, byte: u8) {
        self.length += 1;
        if self.length <= MAX_RECORD_BYTES {
            self.text.push(byte);
        }
    }
}

impl<R: BufRead> Values<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, number: 0, line: 1, array: None }
    }

    /// Returns the next byte without consuming it.
    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    fn consume(&mut self, byte: u8) {
        self.line += u64::from(byte == b'\n');
        self.input.consume(1);
    }

    fn record(&mut self, line: u64, text: RecordText) -> Record {
        self.number += 1;
        Record { number: self.number, line, text }
    }

    /// Skips what stands between values. Returns whether there is another one.
    fn find_value(&mut self) -> io::Result<bool> {
        while let Some(byte) = self.peek()? {
            match byte {
                b'[' if self.array.is_none() => self.array = Some(self.line),
                b']' if self.array.is_some() => self.array = None,
                b',' if self.array.is_some() => {}
                _ if byte.is_ascii_whitespace() => {}
                _ => return Ok(true),
            }
            self.consume(byte);
        }
        Ok(false)
    }

    fn read_value(&mut self) -> io::Result<Value> {
        let mut value = Value { line: self.line, ..Value::default() };
        while let Some(byte) = self.peek()? {
            let step = value.step(byte);
            if step == Step::Past && value.length > 0 {
                break;
            }
            value.push(byte);
            self.consume(byte);
            if step != Step::Inside {
                break;
            }
        }
        Ok(value)
    }
}

impl<R: BufRead + Send> Records for Values<R> {
    fn next(&mut self) -> io::Result<Option<Record>> {
        if !self.find_value()? {
            // An array that was cut off must not pass for a complete one.
            let Some(line) = self.array.take() else { return Ok(None) };
            let message = "the array is not closed; the input may be incomplete";
            let text = RecordText::Refused(Problem::new("syntax", message));
            return Ok(Some(self.record(line, text)));
        }
        let value = self.read_value()?;
        let text = match value.length {
            ..=MAX_RECORD_BYTES => RecordText::Json(value.text),
            length => RecordText::Refused(too_long(length)),
        };
        Ok(Some(self.record(value.line, text)))
    }
}

#[cfg(test)]
mod tests {
    use super::{RecordText, Records, Values};

    fn read(text: &str) -> Vec<(u64, String)> {
        let mut values = Values::new(text.as_bytes());
        std::iter::from_fn(|| values.next().unwrap())
            .map(|record| {
                let text = match record.text {
                    RecordText::Json(text) => String::from_utf8(text).unwrap(),
                    RecordText::Refused(problem) => problem.message,
                    RecordText::Row(_) => unreachable!("there are no rows"),
                };
                (record.line, text)
            })
            .collect()
    }

    #[test]
    fn values_are_the_elements_of_arrays_and_objects_beside_them() {
        for (text, expected) in [
            ("[]", vec![]),
            (r#"[{"a":"]}\""},{"b":[1]}]"#, vec![(1, r#"{"a":"]}\""}"#), (1, r#"{"b":[1]}"#)]),
            ("[\n{},\n\n{}]\n[{}]", vec![(2, "{}"), (4, "{}"), (5, "{}")]),
            ("{\n\"a\":1\n}\n{}", vec![(1, "{\n\"a\":1\n}"), (4, "{}")]),
            (r#"["x", 1,null]"#, vec![(1, "\"x\""), (1, "1"), (1, "null")]),
            ("[{}", vec![(1, "{}"), (1, "the array is not closed; the input may be incomplete")]),
            ("{}}", vec![(1, "{}"), (1, "}")]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(line, text)| (line, text.to_owned())).collect();
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
