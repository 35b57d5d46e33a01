//! Whom a call names: `email:jane@example.com`, `customer:42`.

use std::collections::{BTreeMap, HashMap};

use clientele_catalog::domains::Subject as Kind;
use clientele_catalog::storage::{Scope, hex};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Result};
use crate::functions::procedures::text;
use crate::handle;
use crate::national_numbers::normalized;
use crate::planning::context::QueryContext;

/// Hexadecimal digits of the keyed hash that records show.
const DIGITS: usize = 32;

/// A person.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// What records name the person by: the namespace, and a keyed hash.
    pub(super) name: String,
    /// The node that was named.
    pub(super) node: u32,
    /// The customer; `None` where the identifier alone is meant.
    pub(super) customer: Option<u32>,
}

/// What records name somebody by who is given as `namespace:value`.
///
/// # Errors
/// 22023, 42704 for what is no such thing.
pub(super) fn name(context: &QueryContext, text: &str) -> Result<String> {
    let (namespace, value) = text.split_once(':').unwrap_or(("customer", text));
    let normal = match namespace {
        "customer" => value.to_owned(),
        _ => {
            let (_, meaning, _) = handle::namespace(context, namespace)?;
            normalized(context, meaning, value).unwrap_or_default()
        }
    };
    let namespace = namespace.rsplit('.').next().unwrap_or(namespace);
    Ok(hashed(context, namespace, &normal))
}

fn hashed(context: &QueryContext, namespace: &str, normal: &str) -> String {
    let parts = [namespace.as_bytes(), normal.as_bytes()];
    let hash = hex(&context.store.brand_key().hmac("subject", &parts));
    format!("{namespace}:{}", hash.get(..DIGITS).unwrap_or(&hash))
}

/// What records may name some customers by: each of their identifiers, and their numbers.
///
/// # Errors
/// A file cannot be read.
pub(super) fn names(context: &QueryContext, customers: &[u32]) -> Result<HashMap<String, u32>> {
    let people = &context.snapshot.customers.person;
    let nodes: Vec<u32> = customers.iter().flat_map(|one| people.members(*one)).collect();
    let sights = context.store.first_sights(&context.snapshot, Kind::Person, &nodes)?;
    let identifiers = sights.iter().filter_map(|sight| {
        let (namespace, value) = sight.identifier.as_ref()?;
        let namespace = handle::namespace_name(context.catalog(), *namespace);
        Some((hashed(context, &namespace, value), people.customer(sight.node)))
    });
    let numbers = customers.iter().map(|one| (hashed(context, "customer", &one.to_string()), *one));
    Ok(identifiers.chain(numbers).collect())
}

/// The person of a handle.
///
/// # Errors
/// As [`handle::find`]; 22023 for a company, P0002 for an identifier that is nobody's.
pub(super) fn find(context: &QueryContext, text: &str) -> Result<Subject> {
    let found = handle::find(context, text)?;
    if found.subject != Kind::Person {
        return Err(Error::new("22023", "a company is no person"));
    }
    let customer = context.snapshot.customers.person.customer(found.node);
    if customer == 0 {
        return Err(Error::new("P0002", "that identifier belongs to no customer")
            .with_detail("It is blocked, or too many others were seen with it.")
            .with_hint("SELECT * FROM identity.identifiers shows its status."));
    }
    Ok(Subject { name: name(context, text)?, node: found.node, customer: Some(customer) })
}

/// The people of a call's first four arguments: `subject`, `customer_id`, `subjects`, `customers`.
/// Of several that are one customer, the first.
///
/// # Errors
/// 22004 when nobody is named; as [`find`].
pub(super) fn named(
    context: &QueryContext,
    arguments: &[ScalarValue],
    scope: Scope,
) -> Result<Vec<Subject>> {
    let mut texts: Vec<String> = text(arguments, 0).map(str::to_owned).into_iter().collect();
    if let Some(ScalarValue::Int64(Some(customer))) = arguments.get(1) {
        texts.push(format!("customer:{customer}"));
    }
    texts.extend(list(arguments, 2));
    texts.extend(list(arguments, 3).into_iter().map(|one| format!("customer:{one}")));
    if texts.is_empty() {
        return Err(Error::new("22004", "nobody is named")
            .with_hint("Name a subject such as 'email:jane@example.com', or customer_id => 42."));
    }
    let mut people: BTreeMap<u32, Subject> = BTreeMap::new();
    for text in &texts {
        let mut subject = find(context, text)?;
        subject.customer = subject.customer.filter(|_| scope == Scope::Customer);
        people.entry(subject.customer.unwrap_or(subject.node)).or_insert(subject);
    }
    Ok(people.into_values().collect())
}

/// The texts or numbers of an array argument; none for NULL.
fn list(arguments: &[ScalarValue], at: usize) -> Vec<String> {
    let Some(ScalarValue::List(list)) = arguments.get(at) else { return Vec::new() };
    if list.is_empty() || list.is_null(0) {
        return Vec::new();
    }
    let values = list.value(0);
    let texts = values.as_string_view_opt().into_iter().flatten().flatten().map(str::to_owned);
    let numbers = values.as_primitive_opt::<Int64Type>().into_iter().flatten().flatten();
    texts.chain(numbers.map(|one| one.to_string())).collect()
}
