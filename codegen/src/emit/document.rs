//! Emits the methods that read and write a type as a document.
//!
//! All methods are inline. A crate that only writes batches therefore does not compile the code that reads them.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::docs::{blank_line, docs};
use super::scope::Scope;

const ERRORS: &str = "# Errors";

/// Emits `from_slice`, `from_str`, `list_from_slice`, `to_vec` and `to_json`.
pub(crate) fn document_methods(scope: &mut Scope<'_>) -> TokenStream {
    let reading = reading(scope);
    let writing = writing(scope);
    quote!(#reading #writing)
}

fn reading(scope: &mut Scope<'_>) -> TokenStream {
    scope.support(&["locate", "ReadError"]);
    let slice_docs = docs(&[
        "Reads a JSON document.",
        ERRORS,
        "Returns an error if the bytes are not JSON, a required field is missing, or a value has the wrong type. The error contains the place.",
    ]);
    let str_docs = docs(&[
        "Reads a JSON document from text.",
        ERRORS,
        "See [`from_slice`](Self::from_slice).",
    ]);
    let list_docs = docs(&[
        "Reads a JSON document that is a list.",
        ERRORS,
        "See [`from_slice`](Self::from_slice).",
    ]);
    quote! {
        #slice_docs
        #[inline]
        pub fn from_slice(json: &[u8]) -> Result<Self, ReadError> {
            locate::from_slice(json)
        }

        #str_docs
        #[allow(clippy::should_implement_trait, reason = "usable without an import; `FromStr` is implemented as well")]
        #[inline]
        pub fn from_str(json: &str) -> Result<Self, ReadError> {
            locate::from_str(json)
        }

        #list_docs
        #[inline]
        pub fn list_from_slice(json: &[u8]) -> Result<Vec<Self>, ReadError> {
            locate::from_slice(json)
        }
    }
}

fn writing(scope: &mut Scope<'_>) -> TokenStream {
    scope.support(&["write"]);
    let cause = "Returns an error if a number is not finite, or if the unknown fields contain the name of a known field.";
    let vec_docs = docs(&["Writes a JSON document. Absent fields are left out.", ERRORS, cause]);
    let json_docs =
        docs(&["Writes a JSON document as text.", ERRORS, "See [`to_vec`](Self::to_vec)."]);
    quote! {
        #vec_docs
        #[inline]
        pub fn to_vec(&self) -> Result<Vec<u8>, serde_json::Error> {
            write::to_vec(self)
        }

        #json_docs
        #[inline]
        pub fn to_json(&self) -> Result<String, serde_json::Error> {
            serde_json::to_string(self)
        }
    }
}

/// Emits `FromStr`, for `text.parse()`.
pub(crate) fn from_str(name: &Ident, scope: &mut Scope<'_>) -> TokenStream {
    scope.std("str", "FromStr");
    let blank = blank_line();
    quote! {
        #blank
        impl FromStr for #name {
            type Err = ReadError;

            #blank
            #[inline]
            fn from_str(json: &str) -> Result<Self, ReadError> {
                locate::from_str(json)
            }
        }
    }
}
