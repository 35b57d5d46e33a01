//! The function that gives a value its treatment, as DataFusion calls it.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use clientele_catalog::definition::Oid;
use clientele_catalog::domains::{self, Masking, SemanticDomain};
use clientele_catalog::privacy::Treatment;
use clientele_identity::text::geo_point;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder, new_null_array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Date32Type, FieldRef};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::expr::FieldMetadata;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::known::Shelf;
use super::normal;
use super::pseudonym::Pseudonyms;
use crate::error::Result;
use crate::planning::context::QueryContext;

/// The function that treats a column. What it cannot treat it does not show.
///
/// # Errors
/// None in practice.
pub(super) fn function(
    context: &QueryContext,
    treatment: &Treatment,
    temporary: bool,
) -> Result<ScalarUDF> {
    let catalog = context.catalog();
    let domain = treatment.namespace.and_then(|oid| catalog.domain_by_oid(oid));
    let meaning = domain.and_then(|domain| domains::meaning(catalog, domain.oid));
    let (oid, name) = domain.map_or((0, "text"), |domain| (domain.oid, domain.name.as_str()));
    let key = context.store.brand_key().hmac("pseudonyms", &[]);
    let pseudonyms = Arc::new(Pseudonyms::new(&key, (oid, name), temporary)?);
    Ok(ScalarUDF::new_from_impl(Treat {
        masking: treatment.masking,
        step: Step::Whole,
        namespace: oid,
        database: context.database.oid,
        temporary,
        meaning,
        pseudonyms,
        shelf: Shelf::default(),
        signature: Signature::any(1, Volatility::Immutable),
    }))
}

/// The halves of a function that makes pseudonyms, for a column without any.
pub(super) struct Halves {
    /// Gives what the pseudonym is made of: equal if and only if the pseudonyms are.
    pub(super) normal: Arc<ScalarUDF>,
    /// Makes the pseudonym of that.
    pub(super) named: Arc<ScalarUDF>,
    /// What all pseudonyms start with.
    pub(super) prefix: Arc<str>,
}

/// The halves of a function; `None`: it makes no pseudonyms.
pub(super) fn halves(function: &ScalarUDF) -> Option<Halves> {
    let treat = function.inner().downcast_ref::<Treat>()?;
    let half = |step| Arc::new(ScalarUDF::new_from_impl(treat.half(step)));
    makes_pseudonyms(function).then(|| Halves {
        normal: half(Step::Normal),
        named: half(Step::Named),
        prefix: treat.pseudonyms.prefix().into(),
    })
}

/// Whether a function makes pseudonyms of values.
pub(super) fn makes_pseudonyms(function: &ScalarUDF) -> bool {
    let treat = function.inner().downcast_ref::<Treat>();
    treat.is_some_and(|one| one.masking == Masking::Pseudonym && one.step == Step::Whole)
}

/// Which part of a treatment is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Whole,
    Normal,
    Named,
}

struct Treat {
    masking: Masking,
    step: Step,
    namespace: Oid,
    database: Oid,
    temporary: bool,
    meaning: Option<&'static SemanticDomain>,
    pseudonyms: Arc<Pseudonyms>,
    shelf: Shelf,
    signature: Signature,
}

impl Treat {
    fn identity(&self) -> (Masking, Step, Oid, Oid, bool) {
        (self.masking, self.step, self.namespace, self.database, self.temporary)
    }

    fn half(&self, step: Step) -> Self {
        Self {
            step,
            pseudonyms: Arc::clone(&self.pseudonyms),
            shelf: Shelf::default(),
            signature: self.signature.clone(),
            ..*self
        }
    }

    fn normal<'a>(&self, value: &'a str) -> Cow<'a, str> {
        let normal = self.meaning.and_then(|meaning| (meaning.normalize)(value));
        normal.map_or(Cow::Borrowed(value), Cow::Owned)
    }

    fn pseudonym(&self, value: &str) -> String {
        match self.step {
            Step::Named => self.pseudonyms.of(value),
            _ if self.pseudonyms.is_one(value) => value.to_owned(),
            _ => self.pseudonyms.of(&self.normal(value)),
        }
    }

    /// What is shown of a text.
    fn text(&self, value: &str) -> Option<String> {
        match self.masking {
            Masking::Open => Some(value.to_owned()),
            Masking::Pseudonym => Some(self.pseudonym(value)),
            Masking::FirstCharacters(count) => {
                Some(self.normal(value).chars().take(count).collect())
            }
            Masking::Network => network(value),
            Masking::Decimals(count) => {
                let (latitude, longitude) = geo_point::parse(value)?;
                Some(format!("{latitude:.count$},{longitude:.count$}"))
            }
            Masking::Null | Masking::Year => None,
        }
    }

    fn array(&self, array: &ArrayRef) -> DataFusionResult<ArrayRef> {
        let data_type = array.data_type();
        match (self.masking, data_type) {
            (Masking::Open, _) => return Ok(Arc::clone(array)),
            (Masking::Year, DataType::Date32) => return Ok(years(array)),
            (Masking::Year, DataType::Timestamp(..)) => {
                let days = years(&cast(array, &DataType::Date32)?);
                return Ok(cast(&days, data_type)?);
            }
            (Masking::Null | Masking::Year, _) => {
                return Ok(new_null_array(data_type, array.len()));
            }
            (_, DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8) => {}
            _ => return Ok(new_null_array(data_type, array.len())),
        }
        let texts = cast(array, &DataType::Utf8View)?;
        if self.step == Step::Normal {
            let forms = self
                .meaning
                .map(|meaning| normal::forms(&texts, (self.namespace, meaning.normalize)));
            return Ok(cast(&forms.unwrap_or(Ok(texts))?, data_type)?);
        }
        let texts = texts.as_string_view();
        if self.masking == Masking::Pseudonym {
            return Ok(cast(&self.pseudonymised(texts), data_type)?);
        }
        let mut shown = StringViewBuilder::with_capacity(texts.len());
        // Columns come sorted or clustered more often than not.
        let mut last: Option<(&str, Option<String>)> = None;
        for text in texts {
            let Some(text) = text else {
                shown.append_null();
                continue;
            };
            let treated = match last.take() {
                Some((before, treated)) if before == text => treated,
                _ => self.text(text),
            };
            shown.append_option(treated.as_deref());
            last = Some((text, treated));
        }
        let shown: ArrayRef = Arc::new(shown.finish());
        Ok(cast(&shown, data_type)?)
    }
}

impl Treat {
    fn pseudonymised(&self, texts: &StringViewArray) -> ArrayRef {
        let mut known = self.shelf.take(texts.len());
        let mut shown = StringViewBuilder::with_capacity(texts.len());
        // Columns come sorted or clustered more often than not.
        let (mut last, mut pseudonym) = (None, String::new());
        for text in texts {
            let Some(text) = text else {
                shown.append_null();
                continue;
            };
            if last != Some(text) {
                let make = || self.pseudonym(text);
                pseudonym.clear();
                match &mut known {
                    Some(known) => pseudonym.push_str(self.shelf.of(known, text, make)),
                    None => pseudonym = make(),
                }
                last = Some(text);
            }
            shown.append_value(&pseudonym);
        }
        self.shelf.put(known);
        Arc::new(shown.finish())
    }
}

/// 1 January of the year of each day.
fn years(days: &ArrayRef) -> ArrayRef {
    let first = |day: i32| {
        let date = Date32Type::to_naive_date_opt(day)?;
        Some(Date32Type::from_naive_date(NaiveDate::from_ymd_opt(date.year(), 1, 1)?))
    };
    let days = days.as_primitive::<Date32Type>();
    let shown = days.iter().map(|day| day.and_then(first));
    Arc::new(datafusion::arrow::array::Date32Array::from_iter(shown))
}

/// The network of an address: 24 bits of an IPv4 address, 48 of an IPv6 address.
fn network(value: &str) -> Option<String> {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    let address: IpAddr = value.trim().parse().ok()?;
    Some(match address.to_canonical() {
        IpAddr::V4(address) => Ipv4Addr::from(u32::from(address) & 0xffff_ff00).to_string(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 80 << 80).to_string(),
    })
}

impl std::fmt::Debug for Treat {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl PartialEq for Treat {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Treat {}

impl Hash for Treat {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl ScalarUDFImpl for Treat {
    fn name(&self) -> &str {
        match self.step {
            Step::Normal => "normal",
            Step::Whole | Step::Named => self.masking.name(),
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(arguments.first().cloned().unwrap_or(DataType::Null))
    }

    /// The field of the column, but that any value may be NULL.
    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        let field = args
            .arg_fields
            .first()
            .ok_or_else(|| DataFusionError::Internal("a treatment without a column".to_owned()))?;
        Ok(Arc::new(field.as_ref().clone().with_nullable(true)))
    }

    fn simplify(
        &self,
        args: Vec<Expr>,
        info: &SimplifyContext,
    ) -> DataFusionResult<ExprSimplifyResult> {
        let (Masking::Null, Some(column)) = (self.masking, args.first()) else {
            return Ok(ExprSimplifyResult::Original(args));
        };
        let (_, field) = column.to_field(info.schema().as_ref())?;
        let null = ScalarValue::try_from(field.data_type())?;
        let metadata = FieldMetadata::from(field.as_ref());
        Ok(ExprSimplifyResult::Simplified(Expr::Literal(null, Some(metadata))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let array = match args.args.first() {
            Some(ColumnarValue::Array(array)) => Arc::clone(array),
            Some(ColumnarValue::Scalar(value)) => value.to_array_of_size(args.number_rows)?,
            None => new_null_array(args.return_field.data_type(), args.number_rows),
        };
        self.array(&array).map(ColumnarValue::Array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::Date32Array;

    fn treat(masking: Masking, domain: Oid) -> Treat {
        Treat {
            masking,
            step: Step::Whole,
            namespace: domain,
            database: 5,
            meaning: domains::semantic(domain),
            temporary: false,
            pseudonyms: Arc::new(Pseudonyms::new(&[7; 16], (domain, "d"), false).unwrap()),
            shelf: Shelf::default(),
            signature: Signature::any(1, Volatility::Immutable),
        }
    }

    #[test]
    fn values_are_generalised_by_their_domain() {
        for (masking, value, shown) in [
            (Masking::FirstCharacters(2), "75011", Some("75")),
            (Masking::Network, "192.0.2.17", Some("192.0.2.0")),
            (Masking::Network, "::ffff:192.0.2.17", Some("192.0.2.0")),
            (Masking::Network, "2001:db8:1:2::3", Some("2001:db8:1::")),
            (Masking::Network, "jane", None),
            (Masking::Decimals(1), "48.8566,2.3522", Some("48.9,2.4")),
            (Masking::Null, "jane", None),
            (Masking::Open, "jane", Some("jane")),
        ] {
            assert_eq!(treat(masking, 0).text(value).as_deref(), shown, "{masking:?} {value}");
        }
    }

    #[test]
    fn a_pseudonym_is_of_the_normalised_value_and_stays() {
        let email = treat(Masking::Pseudonym, 12000);
        let one = email.text("Jane@Example.com").unwrap();
        assert_eq!(email.text("jane@example.com").unwrap(), one);
        assert_eq!(email.text(&one).unwrap(), one);
        assert!(!one.contains("jane"));
    }

    #[test]
    fn halves_make_the_same_pseudonym() {
        let whole = ScalarUDF::new_from_impl(treat(Masking::Pseudonym, 12000));
        let halves = halves(&whole).unwrap();
        let step = |function: &ScalarUDF, array: &ArrayRef| {
            function.inner().downcast_ref::<Treat>().unwrap().array(array).unwrap()
        };
        let texts = vec![Some("Jane@Example.com"), None, Some("jane@example.com")];
        let texts: ArrayRef = Arc::new(StringViewArray::from(texts));
        let normal = step(&halves.normal, &texts);
        assert_eq!(normal.as_string_view().value(0), "jane@example.com");
        assert_eq!(&step(&halves.named, &normal), &step(&whole, &texts));
        assert!(makes_pseudonyms(&whole) && !makes_pseudonyms(&halves.named));
    }

    #[test]
    fn days_become_years_and_what_does_not_fit_becomes_null() {
        let year = treat(Masking::Year, 0);
        let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(5262), None]));
        let shown = year.array(&days).unwrap();
        assert_eq!(shown.as_primitive::<Date32Type>().value(0), 5113); // 1984-05-29 → 1984-01-01
        assert!(shown.is_null(1));
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec!["1984-05-29"]));
        assert!(year.array(&texts).unwrap().is_null(0));
        assert!(treat(Masking::Pseudonym, 0).array(&days).unwrap().is_null(0));
    }
}
