//! Identifiers that a text mentions. What is kept for ever, as reasons of decisions are, must name
//! nobody.

use clientele_identity::graph::Key;

use super::stitcher::{IdentifierColumn, identifier_columns};
use crate::catalog::Catalog;
use crate::definition::Column;
use crate::domains::Subject;
use crate::storage::store::Store;
use clientele_udfs::types::PgType;

/// What stands in the place of an identifier.
const INSTEAD: &str = "[identifier]";
/// Shorter words are identifiers by accident.
const CHARACTERS_MIN: usize = 8;

impl Store {
    /// A text without the identifiers of people that the database knows: `letter of jane@example.com`
    /// is `letter of [identifier]`.
    pub fn without_identifiers(&self, catalog: &Catalog, text: &str) -> String {
        let is_end = |one: char| one.is_whitespace() || "\"'(),;<>[]{}".contains(one);
        let mut namespaces: Option<Vec<IdentifierColumn>> = None;
        let mut clean = String::with_capacity(text.len());
        for piece in text.split_inclusive(is_end) {
            let (word, end) = match piece.char_indices().next_back() {
                Some((at, last)) if is_end(last) => piece.split_at(at),
                _ => (piece, ""),
            };
            let bare = word.trim_end_matches(['.', ':', '!', '?']);
            // `email:jane@example.com`
            let value = bare.split_once(':').map_or(bare, |(_, value)| value);
            let is_known = value.len() >= CHARACTERS_MIN && {
                let namespaces = namespaces.get_or_insert_with(|| namespaces_of(catalog));
                namespaces.iter().any(|one| self.knows(one, value))
            };
            match is_known {
                true => {
                    clean.push_str(&bare[..bare.len() - value.len()]);
                    clean.push_str(INSTEAD);
                    clean.push_str(&word[bare.len()..]);
                }
                false => clean.push_str(word),
            }
            clean.push_str(end);
        }
        clean
    }

    fn knows(&self, column: &IdentifierColumn, value: &str) -> bool {
        let nodes = self.shared.identity.nodes(Subject::Person);
        let known =
            |(namespace, value): (_, String)| nodes.find(Key::of_identifier(namespace, &value));
        column.named(value).and_then(known).is_some()
    }
}

/// The namespaces of people.
fn namespaces_of(catalog: &Catalog) -> Vec<IdentifierColumn> {
    let column = |domain| Column { domain: Some(domain), ..Column::plain(1, "", PgType::TEXT) };
    let all = catalog.domains().flat_map(|one| identifier_columns(catalog, 0, &column(one.oid)));
    all.filter(|one| one.subject == Subject::Person).collect()
}
