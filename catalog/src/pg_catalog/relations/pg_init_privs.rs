//! `pg_init_privs`: privileges that objects have from the beginning, which a dump leaves out.
//! PostgreSQL manual: catalog-pg-init-privs.

use super::super::facts::grants;
use super::super::system_relation::relation;
use crate::definition::Schema;
use crate::privileges::Access;

const PG_NAMESPACE: crate::definition::Oid = 2615;

relation! { (context) (oid, privileges) in context.catalog.schemas().filter_map(|schema| {
    let initial = Schema { grants: None, ..schema.as_ref().clone() };
    Some((schema.oid, grants::acl(&Access::schema(&initial), context)?))
}) => {
    objoid: oid,
    classoid: PG_NAMESPACE,
    objsubid: 0,
    privtype: 'i',
    initprivs: privileges,
} }
