//! All definitions of one database at one instant; immutable, shared, cheap to change by copy.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::customers;
use crate::definition::{
    DefaultPrivileges, Domain, FIRST_USER_OID, ForeignServer, Function, Grant, Object, Oid,
    Relation, RelationKind, Schema,
};
use crate::domains;
use crate::features;
use crate::privileges::predefined::DATABASE_OWNER;

/// OID of schema `pg_catalog`, PostgreSQL's own number.
pub const PG_CATALOG_OID: Oid = 11;
/// OID of schema `public`, PostgreSQL's own number.
pub const PUBLIC_OID: Oid = 2200;
/// OID of schema `information_schema`.
pub const INFORMATION_SCHEMA_OID: Oid = 13000;
/// OID of the role that owns what is built in.
pub const BOOTSTRAP_ROLE_OID: Oid = 10;

/// The definitions of one database.
///
/// Copying one is cheap in the number of *changed* objects only for the objects themselves (they
/// are shared); the maps are copied whole. DDL is rare, reads are not.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    schemas: BTreeMap<Oid, Arc<Schema>>,
    relations: BTreeMap<Oid, Arc<Relation>>,
    domains: BTreeMap<Oid, Arc<Domain>>,
    functions: BTreeMap<Oid, Arc<Function>>,
    default_privileges: BTreeMap<Oid, Arc<DefaultPrivileges>>,
    servers: BTreeMap<Oid, Arc<ForeignServer>>,
    schemas_by_name: BTreeMap<String, Oid>,
    /// Relations and domains by schema and name: PostgreSQL has two name spaces, so have we.
    relations_by_name: BTreeMap<(Oid, String), Oid>,
    domains_by_name: BTreeMap<(Oid, String), Oid>,
    stamp: u64,
    /// The relations whose columns follow from others, once asked for.
    derived: OnceLock<Vec<Arc<Relation>>>,
}

/// The last stamp given out.
static STAMPS: AtomicU64 = AtomicU64::new(0);

impl Catalog {
    /// The catalog of a new database: built-in schemas, `public`, the semantic domains.
    pub fn new() -> Self {
        let mut catalog = Self::default();
        for (oid, name, comment) in [
            (PG_CATALOG_OID, "pg_catalog", "system catalog schema"),
            (
                INFORMATION_SCHEMA_OID,
                "information_schema",
                "the SQL standard's view of the catalog",
            ),
            (PUBLIC_OID, "public", "standard public schema"),
        ] {
            catalog.put(Object::Schema(Schema {
                oid,
                name: name.to_owned(),
                owner: if oid == PUBLIC_OID { DATABASE_OWNER } else { BOOTSTRAP_ROLE_OID },
                comment: Some(comment.to_owned()),
                grants: None,
            }));
        }
        for schema in features::schemas() {
            catalog.put(Object::Schema(schema));
        }
        for relation in features::relations() {
            catalog.put(Object::Relation(relation.as_ref().clone()));
        }
        for domain in domains::built_in() {
            catalog.put(Object::Domain(domain));
        }
        catalog
    }

    /// Two catalogs of one stamp have the same definitions, but for how far sequences have
    /// counted: what was planned against one holds for the other.
    pub fn stamp(&self) -> u64 {
        self.stamp
    }

    /// Adds an object, or replaces the one of the same OID.
    pub fn put(&mut self, object: Object) {
        let counts = self.only_counts(&object);
        let stamp = self.stamp;
        self.remove(object.oid());
        if counts {
            self.stamp = stamp;
        }
        match object {
            Object::Schema(schema) => {
                self.schemas_by_name.insert(schema.name.clone(), schema.oid);
                self.schemas.insert(schema.oid, Arc::new(schema));
            }
            Object::Relation(relation) => {
                let relation = as_built_in(relation);
                self.relations_by_name
                    .insert((relation.schema, relation.name.clone()), relation.oid);
                self.relations.insert(relation.oid, Arc::new(relation));
            }
            Object::Domain(domain) => {
                self.domains_by_name.insert((domain.schema, domain.name.clone()), domain.oid);
                self.domains.insert(domain.oid, Arc::new(domain));
            }
            Object::Function(function) => {
                self.functions.insert(function.oid, Arc::new(function));
            }
            Object::DefaultPrivileges(defaults) => {
                self.default_privileges.insert(defaults.oid, Arc::new(defaults));
            }
            Object::ForeignServer(server) => {
                self.servers.insert(server.oid, Arc::new(server));
            }
        }
    }

    /// Whether an object is a sequence that is there already and has counted on.
    fn only_counts(&self, object: &Object) -> bool {
        let Object::Relation(after) = object else { return false };
        let Some(before) = self.relations.get(&after.oid) else { return false };
        let RelationKind::Sequence(counted) = &after.kind else { return false };
        let mut before = before.as_ref().clone();
        if let RelationKind::Sequence(sequence) = &mut before.kind {
            sequence.last_value = counted.last_value;
        }
        before == *after
    }

    /// Takes an object away; does nothing when there is none.
    pub fn remove(&mut self, oid: Oid) {
        self.derived = OnceLock::new();
        self.stamp = STAMPS.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(schema) = self.schemas.remove(&oid) {
            self.schemas_by_name.remove(&schema.name);
        }
        if let Some(relation) = self.relations.remove(&oid) {
            self.relations_by_name.remove(&(relation.schema, relation.name.clone()));
        }
        if let Some(domain) = self.domains.remove(&oid) {
            self.domains_by_name.remove(&(domain.schema, domain.name.clone()));
        }
        self.functions.remove(&oid);
        self.default_privileges.remove(&oid);
        self.servers.remove(&oid);
    }

    /// The object of that OID.
    pub fn object(&self, oid: Oid) -> Option<Object> {
        let schema = self.schemas.get(&oid).map(|schema| Object::Schema(schema.as_ref().clone()));
        let relation =
            || self.relation_by_oid(oid).map(|one| Object::Relation(one.as_ref().clone()));
        let domain = || self.domains.get(&oid).map(|one| Object::Domain(one.as_ref().clone()));
        let function =
            || self.functions.get(&oid).map(|one| Object::Function(one.as_ref().clone()));
        let defaults = || self.default_privileges.get(&oid);
        let defaults = || defaults().map(|one| Object::DefaultPrivileges(one.as_ref().clone()));
        let server =
            || self.servers.get(&oid).map(|one| Object::ForeignServer(one.as_ref().clone()));
        schema.or_else(relation).or_else(domain).or_else(function).or_else(defaults).or_else(server)
    }

    /// All schemas by OID.
    pub fn schemas(&self) -> impl Iterator<Item = &Arc<Schema>> {
        self.schemas.values()
    }

    /// All relations by OID.
    pub fn relations(&self) -> impl Iterator<Item = &Arc<Relation>> {
        self.relations.values().map(|relation| self.current(relation))
    }

    /// All relations, those whose columns follow from others without these columns.
    pub(crate) fn defined_relations(&self) -> impl Iterator<Item = &Arc<Relation>> {
        self.relations.values()
    }

    /// A relation with the columns that follow from others.
    fn current<'a>(&'a self, relation: &'a Arc<Relation>) -> &'a Arc<Relation> {
        if !customers::is_derived(relation.oid) {
            return relation;
        }
        let derived = self.derived.get_or_init(|| customers::derive(self));
        derived.iter().find(|one| one.oid == relation.oid).unwrap_or(relation)
    }

    /// All domains by OID, built-in ones included.
    pub fn domains(&self) -> impl Iterator<Item = &Arc<Domain>> {
        self.domains.values()
    }

    /// All functions of users by OID.
    pub fn functions(&self) -> impl Iterator<Item = &Arc<Function>> {
        self.functions.values()
    }

    /// The functions of that name in the schema, which differ in the types of their arguments.
    pub fn functions_named<'a>(
        &'a self,
        schema: Oid,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Function>> + 'a {
        self.functions.values().filter(move |one| one.schema == schema && one.name == name)
    }

    /// All default privileges by OID.
    pub fn default_privileges(&self) -> impl Iterator<Item = &Arc<DefaultPrivileges>> {
        self.default_privileges.values()
    }

    /// All foreign servers by OID.
    pub fn servers(&self) -> impl Iterator<Item = &Arc<ForeignServer>> {
        self.servers.values()
    }

    /// The foreign server of that name.
    pub fn server(&self, name: &str) -> Option<&Arc<ForeignServer>> {
        self.servers.values().find(|one| one.name == name)
    }

    /// The foreign server of that OID.
    pub fn server_by_oid(&self, oid: Oid) -> Option<&Arc<ForeignServer>> {
        self.servers.get(&oid)
    }

    /// What a new object gets: of the role, in the schema (0: a schema itself), of the kind (see
    /// [`DefaultPrivileges::kind`]). `built_in` is what everyone has by default. `None`: nothing
    /// was said about such objects.
    pub fn grants_of_new(
        &self,
        (role, schema, kind): (Oid, Oid, char),
        built_in: Vec<Grant>,
    ) -> Option<Vec<Grant>> {
        let said = |schema: Oid| {
            let mut all = self.default_privileges.values();
            all.find(move |one| one.role == role && one.schema == schema && one.kind == kind)
        };
        let everywhere = said(0).map(|one| one.grants.clone());
        let here = said(schema).filter(|_| schema != 0).map(|one| one.grants.clone());
        if everywhere.is_none() && here.is_none() {
            return None;
        }
        let mut grants = everywhere.unwrap_or(built_in);
        for grant in here.into_iter().flatten() {
            let same =
                |one: &&mut Grant| one.grantee == grant.grantee && one.grantor == grant.grantor;
            match grants.iter_mut().find(same) {
                Some(known) => {
                    let new = |letter: &char| !known.privileges.contains(*letter);
                    let new: String = grant.privileges.chars().filter(new).collect();
                    known.privileges.push_str(&new);
                }
                None => grants.push(grant),
            }
        }
        Some(grants)
    }

    /// The function of that OID.
    pub fn function_by_oid(&self, oid: Oid) -> Option<&Arc<Function>> {
        self.functions.get(&oid)
    }

    /// The schema of that name.
    pub fn schema(&self, name: &str) -> Option<&Arc<Schema>> {
        self.schemas.get(self.schemas_by_name.get(name)?)
    }

    /// The schema of that OID.
    pub fn schema_by_oid(&self, oid: Oid) -> Option<&Arc<Schema>> {
        self.schemas.get(&oid)
    }

    /// The relation of that name in the schema.
    pub fn relation(&self, schema: Oid, name: &str) -> Option<&Arc<Relation>> {
        self.relation_by_oid(*self.relations_by_name.get(&(schema, name.to_owned()))?)
    }

    /// The relation of that OID.
    pub fn relation_by_oid(&self, oid: Oid) -> Option<&Arc<Relation>> {
        self.relations.get(&oid).map(|relation| self.current(relation))
    }

    /// The domain of that name in the schema.
    pub fn domain(&self, schema: Oid, name: &str) -> Option<&Arc<Domain>> {
        self.domains.get(self.domains_by_name.get(&(schema, name.to_owned()))?)
    }

    /// The domain of that OID.
    pub fn domain_by_oid(&self, oid: Oid) -> Option<&Arc<Domain>> {
        self.domains.get(&oid)
    }

    /// Name of a relation with its schema, for messages.
    pub fn qualified_name(&self, relation: &Relation) -> String {
        let schema = self.schema_by_oid(relation.schema).map_or("?", |schema| schema.name.as_str());
        format!("{schema}.{}", relation.name)
    }

    /// The OIDs of objects that a transaction may store.
    pub(crate) fn stored_oids(&self) -> impl Iterator<Item = Oid> + '_ {
        let named = self.schemas.keys().chain(self.relations.keys()).chain(self.domains.keys());
        let all = named.chain(self.functions.keys()).chain(self.default_privileges.keys());
        all.copied().filter(|oid| is_stored(*oid))
    }

    /// Whether there is an object of an OID.
    pub(crate) fn has(&self, oid: Oid) -> bool {
        self.schemas.contains_key(&oid)
            || self.relations.contains_key(&oid)
            || self.domains.contains_key(&oid)
            || self.functions.contains_key(&oid)
            || self.default_privileges.contains_key(&oid)
    }

    /// Objects that a transaction may store.
    pub fn stored_objects(&self) -> impl Iterator<Item = Object> + '_ {
        let schemas = self.schemas.values().map(|one| Object::Schema(one.as_ref().clone()));
        let relations = self.relations().map(|one| Object::Relation(one.as_ref().clone()));
        let domains = self.domains.values().map(|one| Object::Domain(one.as_ref().clone()));
        let functions = self.functions.values().map(|one| Object::Function(one.as_ref().clone()));
        let defaults = self.default_privileges.values();
        let defaults = defaults.map(|one| Object::DefaultPrivileges(one.as_ref().clone()));
        let servers = self.servers.values();
        let servers = servers.map(|one| Object::ForeignServer(one.as_ref().clone()));
        let all = schemas.chain(relations).chain(domains).chain(functions).chain(defaults);
        let all = all.chain(servers);
        all.filter(|one| is_stored(one.oid()))
    }
}

/// Whether an object is data: domains, schemas and relations that are built in are code, but for
/// what `GRANT` left on those that may be granted.
pub(crate) fn is_stored(oid: Oid) -> bool {
    oid == PUBLIC_OID
        || oid >= FIRST_USER_OID
        || features::is_feature_schema(oid)
        || features::relation(oid).is_some()
}

/// A relation of a feature is defined by code; its grants are data.
fn as_built_in(stored: Relation) -> Relation {
    let Some(built_in) = features::relation(stored.oid) else { return stored };
    if customers::is_derived(stored.oid) {
        return stored;
    }
    let mut relation = built_in.as_ref().clone();
    for (column, stored) in relation.columns.iter_mut().zip(stored.columns) {
        column.grants = stored.grants;
        if let Some(said) = stored.privacy {
            let built_in = column.privacy.take().map(|one| *one).unwrap_or_default();
            column.privacy = Some(Box::new(built_in.with_rest_of(Some(&said))));
        }
    }
    Relation { grants: stored.grants, ..relation }
}
