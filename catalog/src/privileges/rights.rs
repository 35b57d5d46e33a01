//! A role with the roles whose rights it has.

use std::collections::BTreeSet;

use super::access::Access;
use super::kind::Kind;
use super::predefined::DATABASE_OWNER;
use crate::definition::{Column, Oid, Relation, Role};

/// What a role may count on: itself and the roles that it inherits from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// The role.
    pub role: Oid,
    /// Passes every check.
    pub superuser: bool,
    /// Policies do not restrict it: BYPASSRLS, which is not inherited.
    pub bypasses_row_security: bool,
    roles: BTreeSet<Oid>,
}

impl Rights {
    /// Of a role, in a database of that owner; `find` looks roles up.
    pub fn of<'a>(role: Oid, database_owner: Oid, find: impl Fn(Oid) -> Option<&'a Role>) -> Self {
        let mut roles = BTreeSet::new();
        let mut open = vec![role];
        while let Some(oid) = open.pop() {
            if !roles.insert(oid) {
                continue;
            }
            let inherits = find(oid).filter(|role| role.inherit);
            open.extend(inherits.into_iter().flat_map(|role| &role.member_of));
            if oid == database_owner && inherits.is_some() {
                open.push(DATABASE_OWNER);
            }
        }
        let own = find(role);
        Self {
            role,
            superuser: own.is_some_and(|role| role.superuser),
            bypasses_row_security: own.is_some_and(|role| role.bypasses_row_security),
            roles,
        }
    }

    /// Whether it has the rights of that role.
    pub fn has(&self, role: Oid) -> bool {
        self.roles.contains(&role)
    }

    /// Whether it is a superuser, owns the object, or has the owner's rights.
    pub fn owns(&self, owner: Oid) -> bool {
        self.superuser || self.has(owner)
    }

    /// Whether it may do anything at all with a relation: what `information_schema` shows.
    pub fn sees(&self, relation: &Relation) -> bool {
        let table = Access::relation(relation);
        self.owns(relation.owner)
            || Kind::of(relation).all().chars().any(|letter| table.permits(self, letter, false))
            || relation.live_columns().any(|column| self.sees_column_only(relation, column))
    }

    /// Whether it may do anything with that column by a grant on the table or the column.
    pub fn sees_column(&self, relation: &Relation, column: &Column) -> bool {
        let table = Access::relation(relation);
        self.owns(relation.owner)
            || Kind::Column.all().chars().any(|letter| table.permits(self, letter, false))
            || self.sees_column_only(relation, column)
    }

    fn sees_column_only(&self, relation: &Relation, column: &Column) -> bool {
        let access = Access::column(relation, column);
        Kind::Column.all().chars().any(|letter| access.permits(self, letter, false))
    }

    /// Whether it has a privilege on a relation, or else on each of these columns; with no columns
    /// named, on any one of them (manual: sql-grant).
    pub fn reach(&self, relation: &Relation, letter: char, columns: &BTreeSet<i16>) -> bool {
        if Access::relation(relation).permits(self, letter, false) {
            return true;
        }
        let permits = |column: &Column| {
            !column.dropped && Access::column(relation, column).permits(self, letter, false)
        };
        match columns.is_empty() {
            true => relation.live_columns().any(permits),
            false => {
                columns.iter().all(|number| relation.column_by_number(*number).is_some_and(permits))
            }
        }
    }
}

/// Whether a role is another one or, over any number of steps, a member of it: it may `SET ROLE`.
pub fn is_member<'a>(role: Oid, other: Oid, find: impl Fn(Oid) -> Option<&'a Role>) -> bool {
    let mut seen = vec![role];
    let mut next = 0;
    while let Some(oid) = seen.get(next).copied() {
        next += 1;
        if oid == other {
            return true;
        }
        for parent in find(oid).into_iter().flat_map(|one| &one.member_of) {
            if !seen.contains(parent) {
                seen.push(*parent);
            }
        }
    }
    false
}
