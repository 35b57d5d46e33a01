//! Handles: how people name an identifier in an argument, `namespace:value`.

use clientele_catalog::Catalog;
use clientele_catalog::definition::{Domain, Oid};
use clientele_catalog::domains::{self, Kind, SemanticDomain, Subject};
use clientele_catalog::storage::FirstSight;

use crate::error::{Error, Result};
use crate::national_numbers::normalized;
use crate::planning::context::QueryContext;

/// PostgreSQL's `no_data_found`.
const NEVER_SEEN: &str = "P0002";

/// What a handle names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handle {
    pub(crate) subject: Subject,
    pub(crate) node: u32,
}

/// The node of `email:jane@example.com`, `crm.crm_id:17`, `customer:42`, which is `42`, or
/// `account:7`.
///
/// # Errors
/// 22023 for what is no handle or no value of its namespace, P0002 for an identifier that was
/// never seen.
pub(crate) fn find(context: &QueryContext, text: &str) -> Result<Handle> {
    let is_number = !text.is_empty() && text.bytes().all(|one| one.is_ascii_digit());
    let split = if is_number { Some(("customer", text)) } else { text.split_once(':') };
    let (name, value) = split.ok_or_else(|| malformed(text))?;
    let (subject, node) = match name {
        "customer" | "account" => {
            let subject = if name == "customer" { Subject::Person } else { Subject::Company };
            let node = value.parse().map_err(|_| malformed(text))?;
            let known = context.snapshot.customers.of(subject).customer(node) == node;
            (subject, Some(node).filter(|node| known && *node != 0))
        }
        _ => {
            let (domain, meaning, subject) = namespace(context, name)?;
            let normal = normalized(context, meaning, value).ok_or_else(|| {
                let text = format!("invalid value for domain {name}");
                Error::new("22023", text)
                    .with_detail("Nothing is left of it when it is normalised.")
            })?;
            (subject, context.store.node_of(subject, domain.oid, &normal))
        }
    };
    let seen = node.filter(|node| context.snapshot.customers.of(subject).known(*node));
    let unseen = || {
        Error::new(NEVER_SEEN, format!("{name} was never seen with that value"))
            .with_hint("SELECT * FROM identity.identifiers shows what was seen.")
    };
    Ok(Handle { subject, node: seen.ok_or_else(unseen)? })
}

/// The node of a handle; `None` for an identifier that was never seen.
///
/// # Errors
/// 22023, 42704 as [`find`].
pub(crate) fn seen(context: &QueryContext, text: &str) -> Result<Option<Handle>> {
    match find(context, text) {
        Ok(handle) => Ok(Some(handle)),
        Err(error) if error.sqlstate == NEVER_SEEN => Ok(None),
        Err(error) => Err(error),
    }
}

/// A namespace by its name: a domain of identifiers.
///
/// # Errors
/// 42704, 22023 for a domain that identifies nobody.
pub(crate) fn namespace<'a>(
    context: &'a QueryContext,
    name: &str,
) -> Result<(&'a Domain, &'static SemanticDomain, Subject)> {
    let parts: Vec<String> = name.split('.').map(str::to_owned).collect();
    let anywhere = || {
        let mut all = context.catalog().domains().filter(|one| one.name == name);
        all.next().filter(|_| all.next().is_none())
    };
    let domain = context.domain(&parts).or_else(anywhere);
    let domain = domain.ok_or_else(|| {
        Error::new("42704", format!("type \"{name}\" does not exist"))
            .with_hint("A namespace is a domain of identifiers, such as email.")
    })?;
    let meaning = domains::meaning(context.catalog(), domain.oid);
    match meaning.map(|one| (one, one.kind)) {
        Some((meaning, Kind::Identifier(subject))) => Ok((domain, meaning, subject)),
        _ => Err(Error::new("22023", format!("domain \"{name}\" identifies nobody"))
            .with_hint("Identifiers are e-mail addresses, phones, devices, keys and the like.")),
    }
}

/// A node as people name it.
pub(crate) fn shown(catalog: &Catalog, sights: &[FirstSight], node: u32) -> Option<String> {
    let sight = sights.iter().find(|one| one.node == node)?;
    Some(match &sight.identifier {
        Some((namespace, value)) => format!("{}:{value}", namespace_name(catalog, *namespace)),
        None => format!("record:{node}"),
    })
}

/// The name of a namespace; its number when the domain is gone.
pub(crate) fn namespace_name(catalog: &Catalog, namespace: Oid) -> String {
    let domain = catalog.domain_by_oid(namespace);
    domain.map_or_else(|| namespace.to_string(), |domain| domain.name.clone())
}

/// The name of a table; its number when the table is gone.
pub(crate) fn source_name(catalog: &Catalog, source: Oid) -> String {
    let relation = catalog.relation_by_oid(source);
    relation.map_or_else(|| source.to_string(), |relation| catalog.qualified_name(relation))
}

fn malformed(text: &str) -> Error {
    let kind = text.split(':').next().unwrap_or_default().chars().take(32).collect::<String>();
    Error::new("22023", format!("invalid identifier \"{kind}…\""))
        .with_hint("Write namespace:value, as in email:jane@example.com, or customer:42.")
}
