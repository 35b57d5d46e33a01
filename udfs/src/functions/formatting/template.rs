//! Templates of `to_char` and `to_timestamp`, taken apart (manual, table 9.27 and 9.28).

/// A field of a date/time template. Names are those of the template patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `AD`, `BC`; with periods.
    Era(bool),
    /// `AM`, `PM`; with periods.
    Meridiem(bool),
    /// `CC`.
    Century,
    /// `DAY`.
    DayName,
    /// `DY`.
    DayShort,
    /// `DDD`.
    DayOfYear,
    /// `DD`.
    Day,
    /// `D`.
    Weekday,
    /// `FF1` to `FF6`: digits of the fraction.
    Fraction(u32),
    /// `FX`.
    Fixed,
    /// `HH24`.
    Hour24,
    /// `HH12`, `HH`.
    Hour12,
    /// `IDDD`.
    IsoDayOfYear,
    /// `ID`.
    IsoWeekday,
    /// `IW`.
    IsoWeek,
    /// `IYYY` to `I`: number of digits.
    IsoYear(usize),
    /// `J`.
    Julian,
    /// `MI`.
    Minute,
    /// `MM`.
    Month,
    /// `MONTH`.
    MonthName,
    /// `MON`.
    MonthShort,
    /// `MS`.
    Millisecond,
    /// `OF`.
    Offset,
    /// `Q`.
    Quarter,
    /// `RM`.
    RomanMonth,
    /// `SSSS`.
    SecondOfDay,
    /// `SS`.
    Second,
    /// `TZH`.
    ZoneHour,
    /// `TZM`.
    ZoneMinute,
    /// `TZ`.
    Zone,
    /// `US`.
    Microsecond,
    /// `WW`.
    Week,
    /// `W`.
    WeekOfMonth,
    /// `Y,YYY`.
    YearComma,
    /// `YYYY` to `Y`: number of digits.
    Year(usize),
}

/// How letters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `MON`.
    Upper,
    /// `Mon`.
    Title,
    /// `mon`.
    Lower,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A character that stands for itself.
    Literal(char),
    /// A field.
    Field {
        /// Which.
        field: Field,
        /// As it stands in the template, for messages.
        keyword: &'static str,
        /// Case of letters.
        case: Case,
        /// `FM`: no padding.
        bare: bool,
        /// `TH` or `th` behind it.
        ordinal: Option<Case>,
    },
}

/// In the order in which they are tried. A pattern in lower case is the same pattern.
const KEYWORDS: &[(&str, Field)] = &[
    ("A.D.", Field::Era(true)),
    ("A.M.", Field::Meridiem(true)),
    ("AD", Field::Era(false)),
    ("AM", Field::Meridiem(false)),
    ("B.C.", Field::Era(true)),
    ("BC", Field::Era(false)),
    ("CC", Field::Century),
    ("DAY", Field::DayName),
    ("DDD", Field::DayOfYear),
    ("DD", Field::Day),
    ("DY", Field::DayShort),
    ("D", Field::Weekday),
    ("FF1", Field::Fraction(1)),
    ("FF2", Field::Fraction(2)),
    ("FF3", Field::Fraction(3)),
    ("FF4", Field::Fraction(4)),
    ("FF5", Field::Fraction(5)),
    ("FF6", Field::Fraction(6)),
    ("FX", Field::Fixed),
    ("HH24", Field::Hour24),
    ("HH12", Field::Hour12),
    ("HH", Field::Hour12),
    ("IDDD", Field::IsoDayOfYear),
    ("ID", Field::IsoWeekday),
    ("IW", Field::IsoWeek),
    ("IYYY", Field::IsoYear(4)),
    ("IYY", Field::IsoYear(3)),
    ("IY", Field::IsoYear(2)),
    ("I", Field::IsoYear(1)),
    ("J", Field::Julian),
    ("MI", Field::Minute),
    ("MM", Field::Month),
    ("MONTH", Field::MonthName),
    ("MON", Field::MonthShort),
    ("MS", Field::Millisecond),
    ("OF", Field::Offset),
    ("P.M.", Field::Meridiem(true)),
    ("PM", Field::Meridiem(false)),
    ("Q", Field::Quarter),
    ("RM", Field::RomanMonth),
    ("SSSSS", Field::SecondOfDay),
    ("SSSS", Field::SecondOfDay),
    ("SS", Field::Second),
    ("TZH", Field::ZoneHour),
    ("TZM", Field::ZoneMinute),
    ("TZ", Field::Zone),
    ("US", Field::Microsecond),
    ("WW", Field::Week),
    ("W", Field::WeekOfMonth),
    ("Y,YYY", Field::YearComma),
    ("YYYY", Field::Year(4)),
    ("YYY", Field::Year(3)),
    ("YY", Field::Year(2)),
    ("Y", Field::Year(1)),
];

/// Takes a date/time template apart.
pub fn parse(template: &str) -> Vec<Node> {
    let mut nodes = vec![];
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        if let Some((node, after)) = field(rest) {
            nodes.push(node);
            rest = after;
            continue;
        }
        rest = literal(rest, first, &mut nodes);
    }
    nodes
}

/// Text in double quotes stands for itself; a backslash only before a quote is an escape.
fn literal<'a>(rest: &'a str, first: char, nodes: &mut Vec<Node>) -> &'a str {
    let mut characters = rest.chars();
    characters.next();
    match first {
        '"' => {
            while let Some(letter) = characters.next() {
                match letter {
                    '"' => break,
                    '\\' => nodes.extend(characters.next().map(Node::Literal)),
                    letter => nodes.push(Node::Literal(letter)),
                }
            }
        }
        '\\' if rest.starts_with("\\\"") => nodes.extend(characters.next().map(Node::Literal)),
        letter => nodes.push(Node::Literal(letter)),
    }
    characters.as_str()
}

fn field(text: &str) -> Option<(Node, &str)> {
    let (mut rest, mut bare) = (text, false);
    while let Some(after) =
        ["FM", "fm", "TM", "tm"].iter().find_map(|prefix| rest.strip_prefix(prefix))
    {
        (rest, bare) = (after, true);
    }
    let Some((keyword, field, case)) = KEYWORDS
        .iter()
        .find_map(|(keyword, field)| Some((*keyword, *field, spelled(rest, keyword, *field)?)))
    else {
        // A prefix before something else is dropped.
        return None;
    };
    rest = rest.get(keyword.len()..)?;
    let ordinal = if rest.starts_with("TH") {
        Some(Case::Upper)
    } else {
        rest.starts_with("th").then_some(Case::Lower)
    };
    if ordinal.is_some() {
        rest = rest.get(2..)?;
    }
    Some((Node::Field { field, keyword, case, bare, ordinal }, rest))
}

/// Whether the text starts with the keyword, and in which case: `MON`, `mon`; `Mon` for names.
fn spelled(text: &str, keyword: &str, field: Field) -> Option<Case> {
    let head = text.get(..keyword.len())?;
    if head == keyword {
        return Some(Case::Upper);
    }
    if head == keyword.to_ascii_lowercase() {
        return Some(Case::Lower);
    }
    let named =
        matches!(field, Field::DayName | Field::DayShort | Field::MonthName | Field::MonthShort);
    let title =
        named && head.starts_with(&keyword[..1]) && head[1..] == keyword[1..].to_ascii_lowercase();
    title.then_some(Case::Title)
}

impl Field {
    /// Whether the field is read as digits.
    pub fn is_number(self) -> bool {
        !matches!(
            self,
            Self::Era(_)
                | Self::Meridiem(_)
                | Self::DayName
                | Self::DayShort
                | Self::MonthName
                | Self::MonthShort
                | Self::RomanMonth
                | Self::Zone
                | Self::Offset
                | Self::Fixed
        )
    }
}
