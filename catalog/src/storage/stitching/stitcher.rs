//! Rows → nodes.

use std::sync::{Arc, LazyLock, OnceLock};

use clientele_identity::graph::{Key, Node};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringViewArray,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::coded::{Coded, Seen};
use super::customers::Customers;
use super::gathered::Gathered;
use super::identity::Identity;
use super::records::Records;
use super::rules::{Blocked, BlockedOf};
use crate::catalog::Catalog;
use crate::definition::{Column, Oid, Relation, RelationKind};
use crate::domains::{self, Kind, SemanticDomain, Subject};
use crate::error::Result;
use crate::features;
use crate::storage::erasure::Tombstones;
use crate::storage::snapshot::Snapshot;

/// Finds the nodes of a relation's rows.
pub(in crate::storage) struct Stitcher {
    pub(super) identity: Arc<Identity>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) customers: Arc<Customers>,
    pub(super) blocked: Arc<Blocked>,
    pub(super) tombstones: Arc<Tombstones>,
    pub(super) source: Oid,
    /// The columns to fill, by their place among the live ones.
    targets: Vec<(usize, Subject)>,
    identifiers: Vec<IdentifierColumn>,
    /// Columns that say something about the person.
    attributes: Vec<usize>,
}

/// A column that has identifiers of a namespace.
pub(in crate::storage) struct IdentifierColumn {
    place: usize,
    pub(super) subject: Subject,
    namespace: Oid,
    pub(super) domain: &'static SemanticDomain,
    /// The identifier is not the value itself but the one that it implies.
    implied: bool,
    /// What its values are held against, where they are many.
    pub(super) patterns: OnceLock<BlockedOf<'static>>,
}

impl IdentifierColumn {
    /// The namespace and the identifier that a value gives.
    pub(in crate::storage) fn named(&self, value: &str) -> Option<(Oid, String)> {
        Some((self.namespace, self.identifier(value)?))
    }

    /// The namespace.
    pub(in crate::storage) fn namespace(&self) -> Oid {
        self.namespace
    }

    /// The identifier that a value gives.
    pub(super) fn identifier(&self, value: &str) -> Option<String> {
        let normal = (self.domain.normalize)(value)?;
        match self.implied {
            true => domains::implied(self.domain, &normal).map(str::to_owned),
            false => Some(normal),
        }
    }
}

/// The identifiers that a value of a column gives, with their namespaces.
pub(in crate::storage) fn identifiers_of(
    catalog: &Catalog,
    column: &Column,
    value: &str,
) -> Vec<(Oid, String)> {
    let all = identifier_columns(catalog, 0, column);
    all.iter().filter_map(|one| one.named(value)).collect()
}

/// The namespaces whose identifiers a column has.
pub(in crate::storage) fn identifier_columns(
    catalog: &Catalog,
    place: usize,
    column: &Column,
) -> Vec<IdentifierColumn> {
    let meaning = column.domain.and_then(|one| Some((one, domains::meaning(catalog, one)?)));
    let Some((namespace, domain)) = meaning else { return Vec::new() };
    let Kind::Identifier(subject) = domain.kind else { return Vec::new() };
    let implied = domains::implied_by(domain).map(|namespace| (namespace, true));
    let all = [(namespace, false)].into_iter().chain(implied);
    let of = |(namespace, implied)| {
        let patterns = OnceLock::new();
        IdentifierColumn { place, subject, namespace, domain, implied, patterns }
    };
    all.map(of).collect()
}

impl Stitcher {
    /// For the rows of a relation; `None` when none of its columns says whose row it is.
    pub(in crate::storage) fn of(
        relation: &Relation,
        snapshot: &Snapshot,
        identity: &Arc<Identity>,
    ) -> Option<Self> {
        let mut targets = Vec::new();
        let mut identifiers = Vec::new();
        let mut attributes = Vec::new();
        let columns: Vec<&Column> = relation.live_columns().collect();
        // What the features keep are nodes already, and so are the customers that a query yields:
        // a customer's number is its smallest node.
        let built_in = features::relation(relation.oid).is_some()
            || matches!(relation.kind, RelationKind::MaterializedView { .. });
        if built_in || columns.iter().all(|column| column.subject.is_none()) {
            return None;
        }
        for (place, column) in columns.into_iter().enumerate() {
            targets.extend(column.subject.map(|subject| (place, subject)));
            let meaning = column.domain.and_then(|one| domains::meaning(&snapshot.catalog, one));
            match meaning.map(|domain| domain.kind) {
                Some(Kind::Attribute) => attributes.push(place),
                Some(Kind::Identifier(_)) => {
                    identifiers.extend(identifier_columns(&snapshot.catalog, place, column));
                }
                None => {}
            }
        }
        Some(Self {
            identity: Arc::clone(identity),
            catalog: Arc::clone(&snapshot.catalog),
            customers: Arc::clone(&snapshot.customers),
            blocked: identity.blocked(),
            tombstones: identity.tombstones(),
            source: relation.oid,
            targets,
            identifiers,
            attributes,
        })
    }

    /// The columns that are filled, by their place among the live ones.
    pub(super) fn targets(&self) -> &[(usize, Subject)] {
        &self.targets
    }

    /// Fills the columns that say whose row it is, with nodes. What is new is gathered. If an
    /// identifier is that of somebody who was erased, nothing is filled, and the rows are named
    /// that may stay.
    ///
    /// # Errors
    /// A column is not of its domain's type.
    pub(in crate::storage) fn stitch(
        &self,
        arrays: &mut [ArrayRef],
        gathered: &mut Gathered,
    ) -> Result<Option<BooleanArray>> {
        for (place, subject) in &self.targets {
            let nodes = match self.nodes(*subject, arrays, gathered)? {
                Ok(nodes) => nodes,
                Err(stay) => return Ok(Some(stay)),
            };
            let nodes = nodes.into_iter().map(|node| (node != 0).then_some(i64::from(node)));
            if let Some(slot) = arrays.get_mut(*place) {
                *slot = Arc::new(nodes.collect::<Int64Array>());
            }
        }
        Ok(None)
    }

    fn nodes(
        &self,
        subject: Subject,
        arrays: &[ArrayRef],
        gathered: &mut Gathered,
    ) -> Result<Result<Vec<Node>, BooleanArray>> {
        let rows = arrays.first().map_or(0, |array| array.len());
        let columns = self.identifiers.iter().filter(|column| column.subject == subject);
        let columns = columns
            .filter_map(|column| Some((column, arrays.get(column.place)?)))
            .map(|(column, array)| Coded::of(self, column, array, gathered))
            .collect::<Result<Vec<Coded>>>()?;
        if columns.iter().any(Coded::has_erased) {
            let stays = |row| Some(!columns.iter().any(|column| column.is_erased(row)));
            return Ok(Err((0..rows).map(stays).collect()));
        }
        let attributes = self.attributes(subject, arrays)?;
        let mut nodes = vec![0; rows];
        let mut records = Records::default();
        let mut members: Vec<Seen> = Vec::with_capacity(columns.len());
        let mut keys: Vec<Key> = Vec::with_capacity(columns.len());
        let mut content = String::new();
        for (row, slot) in nodes.iter_mut().enumerate() {
            members.clear();
            members.extend(columns.iter().filter_map(|column| column.at(row)));
            members.sort_unstable_by_key(|one| one.node);
            members.dedup_by_key(|one| one.node);
            content.clear();
            attributes.iter().for_each(|one| one.append(row, &mut content));
            match (members.as_slice(), content.as_str()) {
                ([], "") => continue,
                ([one], "") => {
                    *slot = one.node;
                    continue;
                }
                _ => {}
            }
            keys.clear();
            keys.extend(members.iter().map(|one| one.key));
            let key = Key::of_record(self.source, &keys);
            match content.as_str() {
                "" => records.add(row, key, &members, false),
                content => {
                    let said = Key::of_identifier(self.source, content);
                    records.add(row, Key(key.0 ^ said.0), &members, true);
                }
            }
        }
        records.number(self, subject, gathered, &mut nodes);
        Ok(Ok(nodes))
    }

    /// The columns that tell people apart who share identifiers, or have none. Companies are not
    /// told apart by what is said about people.
    fn attributes<'a>(
        &self,
        subject: Subject,
        arrays: &'a [ArrayRef],
    ) -> Result<Vec<Attribute<'a>>> {
        let arrays = self.attributes.iter().filter_map(|place| arrays.get(*place));
        let arrays = arrays.filter(|_| subject == Subject::Person).enumerate();
        arrays.map(|(place, array)| Attribute::new(place, array)).collect()
    }
}

/// A column that says something about the person.
struct Attribute<'a> {
    place: usize,
    array: &'a ArrayRef,
    text: Option<&'a StringViewArray>,
    formatter: ArrayFormatter<'a>,
}

impl<'a> Attribute<'a> {
    fn new(place: usize, array: &'a ArrayRef) -> Result<Self> {
        static OPTIONS: LazyLock<FormatOptions<'static>> = LazyLock::new(FormatOptions::default);
        let formatter = ArrayFormatter::try_new(array.as_ref(), &OPTIONS)?;
        Ok(Self { place, array, text: array.as_string_view_opt(), formatter })
    }

    /// Adds what a row says; nothing for NULL.
    fn append(&self, row: usize, content: &mut String) {
        if self.array.is_null(row) {
            return;
        }
        content.push(char::from_u32(u32::try_from(self.place + 3).unwrap_or(3)).unwrap_or(' '));
        match self.text {
            Some(text) => content.push_str(text.value(row)),
            None => content.push_str(&self.formatter.value(row).to_string()),
        }
    }
}
