//! Rules as a builder makes them, free of JSON and of SQL.

use serde_json::Value;

/// A rule or a group of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    /// All or any of some rules.
    Group(Group),
    /// A field of the scope compared.
    Compare { field: String, operator: Operator, operand: Operand },
    /// How many rows of a table fulfil rules.
    Match { rows: Rows, mode: Mode },
    /// What an aggregate over rows of a table is compared with.
    Aggregate {
        rows: Rows,
        function: String,
        of: Option<String>,
        operator: Operator,
        operand: Operand,
    },
    /// Rows of a table that come one after the other.
    Sequence { table: String, within: Option<String>, steps: Vec<Group> },
}

/// All or any of some rules, or not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// Whether all must hold; else one of them.
    pub(super) all: bool,
    /// Whether it is turned round.
    pub(super) not: bool,
    /// The rules.
    pub(super) rules: Vec<Rule>,
}

/// Rows of a table that belong to a customer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows {
    /// Schema and table.
    pub(super) table: String,
    /// How old they may be: an interval.
    pub(super) within: Option<String>,
    /// What they must fulfil.
    pub(super) filter: Option<Group>,
}

/// How many rows must fulfil the rules: react-querybuilder's match modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Every one.
    All,
    /// At least one.
    Some,
    /// None.
    None,
    /// So many or more.
    AtLeast(u64),
    /// So many or fewer.
    AtMost(u64),
    /// So many.
    Exactly(u64),
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    /// Nothing.
    None,
    /// A value.
    Value(Value),
    /// Several.
    Values(Vec<Value>),
    /// Another field.
    Field(String),
}

macro_rules! operators {
    ($($variant:ident $name:literal $negated:ident;)*) => {
        /// react-querybuilder's default operators.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Operator { $(#[doc = $name] $variant),* }

        impl Operator {
            /// Every one.
            pub(super) const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in JSON.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Its opposite.
            pub(super) fn negated(self) -> Self {
                match self { $(Self::$variant => Self::$negated),* }
            }
        }
    };
}

operators! {
    Equal "=" NotEqual;
    NotEqual "!=" Equal;
    Less "<" GreaterOrEqual;
    Greater ">" LessOrEqual;
    LessOrEqual "<=" Greater;
    GreaterOrEqual ">=" Less;
    Contains "contains" DoesNotContain;
    BeginsWith "beginsWith" DoesNotBeginWith;
    EndsWith "endsWith" DoesNotEndWith;
    DoesNotContain "doesNotContain" Contains;
    DoesNotBeginWith "doesNotBeginWith" BeginsWith;
    DoesNotEndWith "doesNotEndWith" EndsWith;
    Null "null" NotNull;
    NotNull "notNull" Null;
    In "in" NotIn;
    NotIn "notIn" In;
    Between "between" NotBetween;
    NotBetween "notBetween" Between;
}

impl Operator {
    /// The operator of that name, in whatever case.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name().eq_ignore_ascii_case(name))
    }

    /// Whether it looks into texts.
    pub(super) fn of_text(self) -> bool {
        use Operator as O;
        matches!(
            self,
            O::Contains
                | O::BeginsWith
                | O::EndsWith
                | O::DoesNotContain
                | O::DoesNotBeginWith
                | O::DoesNotEndWith
        )
    }

    /// Whether it compares sizes.
    pub(super) fn of_order(self) -> bool {
        use Operator as O;
        matches!(
            self,
            O::Less | O::Greater | O::LessOrEqual | O::GreaterOrEqual | O::Between | O::NotBetween
        )
    }
}
