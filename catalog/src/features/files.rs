//! The files.

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        /// Every file of `sql/features`.
        pub(super) const FILES: &[&str] =
            &[$(include_str!(concat!("../../sql/features/", $path, ".sql"))),*];
    };
}

files! {
    "identity/nodes",
    "identity/records",
    "identity/links",
    "identity/rule_changes",
    "identity/blocked_values",
    "identity/identifiers",
    "identity/rules",
    "identity/merges",
    "identity/splits",
    "identity/models",
    "identity/model_levels",
    "identity/candidate_pairs",
    "identity/candidate_decisions",
    "identity/candidates",
    "identity/cluster_sizes",
    "identity/near_limits",
    "identity/suspicious",
    "identity/quality",
    "customers/profiles",
    "customers/accounts",
    "customers/attributes",
    "customers/account_members",
    "customers/survivorship",
    "customers/pinned_values",
    "customers/household_rules",
    "customers/household_members",
    "customers/households",
    "membership/definitions",
    "membership/runs",
    "membership/intervals",
    "membership/segments",
    "membership/current",
    "membership/history",
    "membership/changes",
    "gdpr/requests",
    "gdpr/tombstones",
    "gdpr/held_back_rows",
    "gdpr/held_back",
    "gdpr/receipts",
    "gdpr/holds",
    "gdpr/erasures",
    "gdpr/restrictions",
    "gdpr/objections",
    "gdpr/processing",
    "gdpr/register",
    "gdpr/retention_rules",
    "gdpr/retention",
    "gdpr/due",
    "gdpr/open_requests",
}
