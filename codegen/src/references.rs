//! The target of a `$ref`: a file of the schema and a JSON pointer.

use percent_encoding::percent_decode_str;

/// The two parts of a reference. The file is relative to the folder of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) file: String,
    pub(crate) pointer: String,
}

impl Reference {
    /// Resolves a reference in `file`. A relative path starts at the folder of `file`.
    pub(crate) fn resolve(reference: &str, file: &str) -> Self {
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let file = match document {
            "" => file.to_owned(),
            _ => beside(file, &decoded(document)),
        };
        Self { file, pointer: decoded(fragment) }
    }
}

/// Returns a part of a reference without percent encoding. If the result is not text, returns the part unchanged.
fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8().map_or_else(|_| part.to_owned(), Into::into)
}

/// Resolves a path relative to the folder of a file. A web address is returned unchanged.
fn beside(file: &str, path: &str) -> String {
    if path.contains("://") {
        return path.to_owned();
    }
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn a_reference_is_relative_to_its_file() {
        let cases = [
            ("#/$defs/A", "a.json", "a.json", "/$defs/A"),
            ("#", "sub/a.json", "sub/a.json", ""),
            ("b.json", "a.json", "b.json", ""),
            ("./b.json#/x", "sub/a.json", "sub/b.json", "/x"),
            ("../b.json#/x", "sub/a.json", "b.json", "/x"),
            ("../../b.json", "sub/a.json", "../b.json", ""),
            ("sub/b.json", "a.json", "sub/b.json", ""),
            ("#/$defs/a%20b%7E1c", "a.json", "a.json", "/$defs/a b~1c"),
            ("b%C3%A9.json", "a.json", "b\u{e9}.json", ""),
            ("#/$defs/%ff", "a.json", "a.json", "/$defs/%ff"),
            ("#/$defs/100%", "a.json", "a.json", "/$defs/100%"),
            ("https://example.com/b.json#/x", "a.json", "https://example.com/b.json", "/x"),
        ];
        for (reference, file, target, pointer) in cases {
            let expected = Reference { file: target.to_owned(), pointer: pointer.to_owned() };
            assert_eq!(Reference::resolve(reference, file), expected, "{reference} in {file}");
        }
    }
}
