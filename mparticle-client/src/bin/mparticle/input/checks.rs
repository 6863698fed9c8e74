//! Recognizes by its first bytes what an input contains.

/// What the first bytes of a file say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    Zstandard,
    /// Text, or something that is not recognized.
    Plain,
    /// Something that cannot be read, and what to do about it.
    Unsupported(&'static str),
}

/// Returns how a file is compressed.
pub(super) fn encoding(head: &[u8]) -> Encoding {
    const DECOMPRESS: &str = "decompress it first, or compress it with gzip or zstd";
    let unsupported: [(&[u8], &str); 7] = [
        (b"\xfd7zXZ\0", DECOMPRESS),
        (b"BZh", DECOMPRESS),
        (b"PK\x03\x04", DECOMPRESS),
        (b"\x04\x22\x4d\x18", DECOMPRESS),
        (b"PAR1", "convert the Parquet file to JSON Lines or CSV"),
        (b"\xff\xfe", "convert it from UTF-16 to UTF-8"),
        (b"\xfe\xff", "convert it from UTF-16 to UTF-8"),
    ];
    if head.starts_with(b"\x1f\x8b") {
        return Encoding::Gzip;
    }
    if head.starts_with(b"\x28\xb5\x2f\xfd") {
        return Encoding::Zstandard;
    }
    let found = unsupported.iter().find(|(magic, _)| head.starts_with(magic));
    found.map_or(Encoding::Plain, |(_, hint)| Encoding::Unsupported(hint))
}

/// How JSON is divided into records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One record a line.
    Lines,
    /// Values that may take several lines, such as the elements of an array.
    Values,
}

/// Returns the form of JSON that begins with these bytes.
pub(super) fn form(head: &[u8]) -> Form {
    let text = head.trim_ascii_start();
    match text {
        [b'[', ..] => Form::Values,
        // An object that is printed over several lines.
        [b'{', rest @ ..] => {
            let rest = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
            if rest.trim_ascii().is_empty() && rest.len() + 1 < text.len() {
                Form::Values
            } else {
                Form::Lines
            }
        }
        _ => Form::Lines,
    }
}

/// Whether the text is a file of failures, which an upload of a CSV file has written.
pub(super) fn is_failed_file(head: &[u8]) -> bool {
    head.starts_with(b"{\"failed\":")
}

#[cfg(test)]
mod tests {
    use super::{Encoding, Form, encoding, form};

    #[test]
    fn an_encoding_is_recognized_by_the_first_bytes() {
        assert_eq!(encoding(b"\x1f\x8b\x08"), Encoding::Gzip);
        assert_eq!(encoding(b"\x28\xb5\x2f\xfd"), Encoding::Zstandard);
        for text in ["", "{", "customer,email", "B"] {
            assert_eq!(encoding(text.as_bytes()), Encoding::Plain, "{text}");
        }
        for other in [b"PK\x03\x04".as_slice(), b"BZh9", b"\xff\xfe{\0"] {
            assert!(matches!(encoding(other), Encoding::Unsupported(_)));
        }
    }

    #[test]
    fn the_form_of_json_is_recognized_by_its_beginning() {
        for (text, expected) in [
            ("", Form::Lines),
            ("{\"mpid\":1}\n", Form::Lines),
            ("{", Form::Lines),
            ("not json", Form::Lines),
            (" \n [ {", Form::Values),
            ("{\n  \"mpid\": 1\n}", Form::Values),
            ("{ \r\n}", Form::Values),
        ] {
            assert_eq!(form(text.as_bytes()), expected, "{text}");
        }
    }
}
