//! One access list: the entries of an object or column, and how a GRANT or REVOKE changes them.

use clientele_catalog::definition::{Grant, Oid};
use clientele_catalog::privileges::Kind;

use crate::error::{Error, Result};
use crate::planning::context::QueryContext;
use crate::planning::rights::denied;

/// A change of one access list.
pub(super) struct Change<'a> {
    pub(super) letters: &'a str,
    pub(super) grantees: &'a [Oid],
    pub(super) grant: bool,
    pub(super) option: bool,
    pub(super) cascade: bool,
}

/// An object whose list changes.
pub(super) struct Target<'a> {
    pub(super) kind: Kind,
    pub(super) name: &'a str,
    pub(super) owner: Oid,
}

/// In whose name the current role grants, and which of the letters it may.
///
/// # Errors
/// 42501 when it has no privilege on the object at all.
pub(super) fn authority(
    context: &QueryContext,
    target: &Target<'_>,
    grants: &[Grant],
    letters: &str,
) -> Result<(Oid, String)> {
    let opens = target.kind == Kind::Column && letters == "r" && context.is_privacy_officer();
    if context.rights.owns(target.owner) || opens {
        return Ok((target.owner, letters.to_owned()));
    }
    let own = |grant: &&Grant| grant.grantee == 0 || context.rights.has(grant.grantee);
    let mine: Vec<&Grant> = grants.iter().filter(own).collect();
    if mine.is_empty() {
        return Err(denied(target.kind.word(), target.name));
    }
    let may = |letter: &char| mine.iter().any(|grant| grant.grantable.contains(*letter));
    Ok((context.role.oid, letters.chars().filter(may).collect()))
}

/// Changes a list.
///
/// # Errors
/// 2BP01 when a right to grant is revoked that was used.
pub(super) fn changed(
    mut grants: Vec<Grant>,
    target: &Target<'_>,
    grantor: Oid,
    change: &Change<'_>,
) -> Result<Vec<Grant>> {
    for grantee in change.grantees {
        match change.grant {
            true => add(&mut grants, (*grantee, grantor), change.letters, change.option),
            false => {
                write_out_owner(&mut grants, target, *grantee);
                remove(&mut grants, (*grantee, grantor), change.letters, change.cascade)?;
            }
        }
    }
    grants.retain(|grant| !grant.privileges.is_empty() || grant.grantee == target.owner);
    Ok(grants)
}

fn add(grants: &mut Vec<Grant>, (grantee, grantor): (Oid, Oid), letters: &str, option: bool) {
    let found =
        grants.iter().position(|grant| (grant.grantee, grant.grantor) == (grantee, grantor));
    let place = found.unwrap_or(grants.len());
    if found.is_none() {
        grants.push(Grant {
            grantee,
            grantor,
            privileges: String::new(),
            grantable: String::new(),
        });
    }
    let Some(grant) = grants.get_mut(place) else { return };
    for letter in letters.chars() {
        if !grant.privileges.contains(letter) {
            grant.privileges.push(letter);
        }
        if option && !grant.grantable.contains(letter) {
            grant.grantable.push(letter);
        }
    }
}

/// The owner has everything without an entry; what is revoked from him needs one to be missing in.
fn write_out_owner(grants: &mut Vec<Grant>, target: &Target<'_>, grantee: Oid) {
    if grantee != target.owner
        || target.kind == Kind::Column
        || grants.iter().any(|grant| grant.grantee == grantee)
    {
        return;
    }
    grants.push(Grant {
        grantee,
        grantor: target.owner,
        privileges: target.kind.all().to_owned(),
        grantable: String::new(),
    });
}

fn remove(
    grants: &mut Vec<Grant>,
    (grantee, grantor): (Oid, Oid),
    letters: &str,
    cascade: bool,
) -> Result<()> {
    let Some(grant) =
        grants.iter_mut().find(|grant| (grant.grantee, grant.grantor) == (grantee, grantor))
    else {
        return Ok(());
    };
    let lost: String = grant.grantable.chars().filter(|letter| letters.contains(*letter)).collect();
    grant.privileges.retain(|letter| !letters.contains(letter));
    grant.grantable.retain(|letter| !letters.contains(letter));
    // What the grantee passed on goes too, unless it still has the right from somebody else.
    let kept = |letter: char| {
        grants.iter().any(|one| one.grantee == grantee && one.grantable.contains(letter))
    };
    let lost: String = lost.chars().filter(|letter| !kept(*letter)).collect();
    let used = |grant: &&Grant| {
        grant.grantor == grantee && grant.privileges.chars().any(|one| lost.contains(one))
    };
    let heirs: Vec<Oid> = grants.iter().filter(used).map(|grant| grant.grantee).collect();
    if !heirs.is_empty() && !cascade {
        return Err(Error::new("2BP01", "dependent privileges exist")
            .with_hint("Use CASCADE to revoke them too."));
    }
    for heir in heirs {
        remove(grants, (heir, grantee), &lost, true)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Change, Kind, Target, changed};
    use clientele_catalog::definition::Grant;

    fn entry(grantee: u32, grantor: u32, privileges: &str, grantable: &str) -> Grant {
        Grant {
            grantee,
            grantor,
            privileges: privileges.to_owned(),
            grantable: grantable.to_owned(),
        }
    }

    const TABLE: Target<'_> = Target { kind: Kind::Table, name: "t", owner: 10 };

    #[test]
    fn privileges_gather_in_one_entry_per_grantor() {
        let change = Change {
            letters: "ra",
            grantees: &[20, 0],
            grant: true,
            option: false,
            cascade: false,
        };
        let grants = changed(vec![entry(20, 10, "r", "")], &TABLE, 10, &change).unwrap();
        assert_eq!(grants, [entry(20, 10, "ra", ""), entry(0, 10, "ra", "")]);
    }

    #[test]
    fn what_was_passed_on_is_revoked_only_with_cascade() {
        let before = vec![entry(20, 10, "r", "r"), entry(30, 20, "r", "")];
        let mut change =
            Change { letters: "r", grantees: &[20], grant: false, option: false, cascade: false };
        assert_eq!(changed(before.clone(), &TABLE, 10, &change).unwrap_err().sqlstate, "2BP01");
        change.cascade = true;
        assert_eq!(changed(before, &TABLE, 10, &change).unwrap(), []);
    }

    #[test]
    fn an_owner_can_lose_a_privilege() {
        let change =
            Change { letters: "d", grantees: &[10], grant: false, option: false, cascade: false };
        assert_eq!(
            changed(Vec::new(), &TABLE, 10, &change).unwrap(),
            [entry(10, 10, "arwDxt", "")]
        );
    }
}
