//! Ids that are the same each time an input is read.

use uuid::Uuid;

/// The namespace of namespaces. It is an arbitrary constant.
const ROOT: Uuid = Uuid::from_u128(0x8f1d_5c0a_9b7e_4c52_a6f4_31f0_7c7a_52d8);

/// What distinguishes the ids of one input from those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Namespace(Uuid);

impl Namespace {
    /// The namespace of an input with these first bytes. It does not depend on the name of the file.
    pub(crate) fn of_content(head: &[u8]) -> Self {
        Self(Uuid::new_v5(&ROOT, head))
    }

    /// A namespace with a name that the user has chosen.
    pub(crate) fn named(name: &str) -> Self {
        Self(Uuid::new_v5(&Uuid::new_v5(&ROOT, b"named"), name.as_bytes()))
    }

    /// Returns the id of the batch from the records whose first has this number, and which have this text.
    pub(crate) fn id(self, number: u64, text: &[u8]) -> String {
        let input = [number.to_le_bytes().as_slice(), text].concat();
        Uuid::new_v5(&self.0, &input).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Namespace;

    #[test]
    fn an_id_depends_on_namespace_number_and_text() {
        let namespace = Namespace::of_content(b"head");
        let id = namespace.id(1, b"text");
        assert_eq!(id, Namespace::of_content(b"head").id(1, b"text"));
        assert_eq!(id.len(), 36);
        for other in [
            namespace.id(2, b"text"),
            namespace.id(1, b"text "),
            Namespace::of_content(b"tail").id(1, b"text"),
            Namespace::named("head").id(1, b"text"),
        ] {
            assert_ne!(id, other);
        }
    }
}
