//! How PostgreSQL prints privileges (manual: ddl-priv); who has them is [`crate::privileges`]'.

use super::super::context::Context;
use crate::definition::{Grant, Oid};
use crate::privileges::{Access, Rights};

impl Context {
    /// What a role may count on here.
    pub(crate) fn rights(&self, role: Oid) -> Rights {
        Rights::of(role, self.database.owner, |oid| self.role(oid))
    }

    /// What the current role may count on.
    pub(crate) fn own_rights(&self) -> Rights {
        self.rights(self.role)
    }
}

/// The ACL as `aclitem[]`; `None` (NULL) for the defaults.
pub(crate) fn acl(access: &Access<'_>, context: &Context) -> Option<Vec<String>> {
    if access.is_default() {
        return None;
    }
    let order = access.kind.all();
    Some(access.entries().iter().map(|grant| acl_item(context, grant, order)).collect())
}

/// Grants as `aclitem[]`, letters in any order that prints.
pub(crate) fn items(grants: &[Grant], kind: char, context: &Context) -> Vec<String> {
    let order = match kind {
        'S' => "rwU",
        'f' => "X",
        'T' => "U",
        'n' => "UC",
        _ => "arwdDxt",
    };
    grants.iter().map(|grant| acl_item(context, grant, order)).collect()
}

/// The `aclitem` of privileges that nobody granted.
pub(crate) fn default_item(
    context: &Context,
    (grantee, grantor): (Oid, Oid),
    privileges: &str,
) -> String {
    let grantable = String::new();
    let grant = Grant { grantee, grantor, privileges: privileges.to_owned(), grantable };
    acl_item(context, &grant, privileges)
}

/// One `aclitem`: `analyst=r*w/admin`.
fn acl_item(context: &Context, grant: &Grant, order: &str) -> String {
    let mut letters: Vec<char> = grant.privileges.chars().collect();
    letters.sort_by_key(|letter| order.find(*letter).unwrap_or(usize::MAX));
    let mut text = match grant.grantee {
        0 => String::new(),
        role => quoted(&context.role_name(role)),
    };
    text.push('=');
    for letter in letters {
        text.push(letter);
        if grant.grantable.contains(letter) {
            text.push('*');
        }
    }
    text.push('/');
    text + &quoted(&context.role_name(grant.grantor))
}

fn quoted(name: &str) -> String {
    let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if plain && !name.is_empty() {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}
