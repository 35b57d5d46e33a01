//! The schemas of the features, and the relations in them that every database has.
//!
//! A relation is one file below `sql/features`: a head of comments that names it and its columns,
//! then, for a view, its query. Definitions are code and change with it; what is stored of such a
//! relation are its rows, and what `GRANT` left.
//!
//! ```sql
//! -- view identity.links 14031
//! -- What it shows, as `\d+` says it.
//! -- a bigint!: one of the two
//! SELECT …
//! ```

mod files;
mod parse;

use std::sync::{Arc, LazyLock};

use crate::catalog::BOOTSTRAP_ROLE_OID;
use crate::definition::{Oid, Relation, Schema};

/// OID of schema `clientele`.
pub const CLIENTELE_OID: Oid = 14000;

/// OID of schema `segments`, the one among them that is open for views.
pub const SEGMENTS_OID: Oid = 14003;
/// OIDs of schemas `gdpr` and `consent`: what is in them is for members of `privacy_officer` to read.
pub const PRIVACY_SCHEMAS: [Oid; 2] = [14005, 14006];

/// The schemas: OID, name, what `\dn+` shows.
const SCHEMAS: &[(Oid, &str, &str)] = &[
    (CLIENTELE_OID, "clientele", "the engine itself: storage, maintenance, publishing, progress"),
    (14001, "identity", "who is who: identifiers, what links them, rules, matching, explanations"),
    (14002, "customers", "one row per customer: profiles, attributes, accounts, households"),
    (SEGMENTS_OID, "segments", "segments: every view in it with a column customer_id is one"),
    (14004, "membership", "who is and was in which segment, and how segments are refreshed"),
    (14005, "gdpr", "personal data: rights of people, erasure with proof, retention, the register"),
    (14006, "consent", "what people agreed to: events, the state now and at any instant, purposes"),
    (14007, "recommend", "what customers might buy: models, rules, reasons, evaluation"),
    (14008, "score", "what customers are worth: RFM, who comes back, lifetime value"),
];

/// OIDs of the relations that storage itself reads and writes.
pub mod oids {
    use crate::definition::Oid;

    /// `identity.nodes`.
    pub const NODES: Oid = 14010;
    /// `identity.records`.
    pub const RECORDS: Oid = 14011;
    /// `identity.links`.
    pub const LINKS: Oid = 14012;
    /// `identity.rule_changes`.
    pub const RULE_CHANGES: Oid = 14013;
    /// `identity.blocked_values`.
    pub const BLOCKED_VALUES: Oid = 14014;
    /// `identity.identifiers`.
    pub const IDENTIFIERS: Oid = 14020;
    /// `identity.models`.
    pub const MODELS: Oid = 14030;
    /// `identity.model_levels`.
    pub const MODEL_LEVELS: Oid = 14031;
    /// `identity.candidate_pairs`.
    pub const CANDIDATE_PAIRS: Oid = 14032;
    /// `identity.candidate_decisions`.
    pub const CANDIDATE_DECISIONS: Oid = 14033;
    /// `membership.definitions`.
    pub const SEGMENT_DEFINITIONS: Oid = 14200;
    /// `membership.runs`.
    pub const SEGMENT_RUNS: Oid = 14201;
    /// `membership.intervals`.
    pub const MEMBERSHIP_INTERVALS: Oid = 14202;
    /// `membership.segments`.
    pub const SEGMENTS: Oid = 14210;
    /// `gdpr.requests`.
    pub const REQUESTS: Oid = 14300;
    /// `gdpr.tombstones`.
    pub const TOMBSTONES: Oid = 14301;
    /// `gdpr.held_back_rows`.
    pub const HELD_BACK: Oid = 14302;
    /// `gdpr.restrictions`.
    pub const RESTRICTIONS: Oid = 14310;
    /// `gdpr.signed_receipts`.
    pub const RECEIPTS: Oid = 14304;
    /// `gdpr.holds`.
    pub const HOLDS: Oid = 14305;
    /// `gdpr.erasures`.
    pub const ERASURES: Oid = 14306;
    /// `gdpr.copies`.
    pub const COPIES: Oid = 14307;
    /// `gdpr.objections`.
    pub const OBJECTIONS: Oid = 14311;
    /// `gdpr.processing`.
    pub const PROCESSING: Oid = 14312;
    /// `gdpr.retention_rules`.
    pub const RETENTION_RULES: Oid = 14314;
    /// `gdpr.acts`.
    pub const ACTS: Oid = 14318;
    /// `gdpr.asked`.
    pub const ASKED: Oid = 14319;
    /// `gdpr.audit`.
    pub const AUDIT: Oid = 14341;
}

/// The schemas of the features.
pub fn schemas() -> impl Iterator<Item = Schema> {
    SCHEMAS.iter().map(|(oid, name, comment)| Schema {
        oid: *oid,
        name: (*name).to_owned(),
        owner: BOOTSTRAP_ROLE_OID,
        comment: Some((*comment).to_owned()),
        grants: None,
    })
}

/// Whether a schema is one of a feature: nobody creates, drops or fills its relations with SQL,
/// but for the views of [`SEGMENTS_OID`].
pub fn is_feature_schema(oid: Oid) -> bool {
    SCHEMAS.iter().any(|(one, _, _)| *one == oid)
}

/// The relations of the features, as code has them.
pub fn relations() -> &'static [Arc<Relation>] {
    static RELATIONS: LazyLock<Vec<Arc<Relation>>> =
        LazyLock::new(|| files::FILES.iter().filter_map(|text| parse::relation(text)).collect());
    &RELATIONS
}

/// The relation of a feature, as code has it.
pub fn relation(oid: Oid) -> Option<&'static Arc<Relation>> {
    relations().iter().find(|relation| relation.oid == oid)
}

/// The OID of the schema of that name.
pub fn schema_oid(name: &str) -> Option<Oid> {
    SCHEMAS.iter().find(|(_, one, _)| *one == name).map(|(oid, _, _)| *oid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_relation_of_its_own() {
        assert_eq!(relations().len(), files::FILES.len());
        let mut oids: Vec<Oid> = relations().iter().map(|one| one.oid).collect();
        oids.sort_unstable();
        oids.dedup();
        assert_eq!(oids.len(), files::FILES.len());
    }

    #[test]
    fn every_relation_and_column_says_what_it_is() {
        for relation in relations() {
            assert!(relation.comment.is_some(), "{}", relation.name);
            assert!(!relation.columns.is_empty(), "{}", relation.name);
            for column in &relation.columns {
                assert!(column.comment.is_some(), "{}.{}", relation.name, column.name);
            }
        }
    }
}
