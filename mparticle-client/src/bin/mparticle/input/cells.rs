//! Converts the text of a cell to JSON.

use serde::Deserialize;
use serde_json::{Number, Value};

/// What the text of a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CellType {
    Text,
    Number,
    Boolean,
    /// A number of seconds since 1970, which becomes milliseconds.
    Seconds,
    /// A time as in RFC 3339, which becomes milliseconds since 1970.
    Time,
}

/// Converts a cell. The error says what was expected.
pub(super) fn convert(text: &str, cell_type: CellType) -> Result<Value, &'static str> {
    match cell_type {
        CellType::Text => Ok(text.into()),
        CellType::Number => text.parse::<Number>().map(Value::Number).map_err(|_| "a number"),
        CellType::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Ok(true.into()),
            "false" | "0" | "no" => Ok(false.into()),
            _ => Err("true or false"),
        },
        CellType::Seconds => {
            let seconds = text.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1000));
            seconds.map(Value::from).ok_or("a whole number of seconds")
        }
        CellType::Time => {
            let time: Result<jiff::Timestamp, _> = text.parse();
            time.map(|time| time.as_millisecond().into())
                .map_err(|_| "a time with a time zone, such as 2026-01-31T12:00:00Z")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CellType::{Boolean, Number, Seconds, Text, Time};
    use super::convert;
    use serde_json::json;

    #[test]
    fn a_cell_becomes_a_value_of_its_type() {
        for (text, cell_type, expected) in [
            ("007", Text, json!("007")),
            ("7", Number, json!(7)),
            ("-0.5", Number, json!(-0.5)),
            ("TRUE", Boolean, json!(true)),
            ("no", Boolean, json!(false)),
            ("1700000000", Seconds, json!(1_700_000_000_000_i64)),
            ("2023-11-14T22:13:20Z", Time, json!(1_700_000_000_000_i64)),
            ("2023-11-14 23:13:20+01:00", Time, json!(1_700_000_000_000_i64)),
        ] {
            assert_eq!(convert(text, cell_type), Ok(expected), "{text}");
        }
        for (text, cell_type) in [
            ("7,5", Number),
            ("NaN", Number),
            ("ja", Boolean),
            ("1.5", Seconds),
            ("99999999999999999", Seconds),
            ("2023-11-14", Time),
        ] {
            assert!(convert(text, cell_type).is_err(), "{text}");
        }
    }
}
