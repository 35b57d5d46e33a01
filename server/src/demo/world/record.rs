//! What one source has about somebody: the person as seen through its forms and habits.

use chrono::NaiveDate;

use super::World;
use super::mailbox::Mailbox;
use super::person::Person;
use super::plain::plain;
use super::random::Dice;
use super::typo::mistake;

/// How a source gets its data; in cases of a thousand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// A field has a typo.
    pub(crate) typo: u64,
    /// Mistakes are those of a scanner.
    pub(crate) scanned: bool,
    /// The mailbox is missing.
    pub(crate) no_email: u64,
    /// The telephone is missing.
    pub(crate) no_phone: u64,
    /// The date of birth is missing.
    pub(crate) no_birth_date: u64,
    /// The address is missing.
    pub(crate) no_address: u64,
    /// The mailbox is the other one.
    pub(crate) other_mailbox: u64,
    /// The record is in capitals.
    pub(crate) capitals: u64,
    /// The values are what somebody typed to get rid of a form.
    pub(crate) garbage: u64,
}

/// What a source has about somebody.
pub(crate) struct Record {
    pub(crate) given: Option<String>,
    pub(crate) family: Option<String>,
    pub(crate) born: Option<NaiveDate>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) street: Option<String>,
    pub(crate) zip: Option<String>,
    pub(crate) city: Option<String>,
}

impl World {
    /// What a source has about somebody. A `second` record is an older or a more careless one.
    pub(crate) fn record(
        &self,
        person: &Person<'_>,
        habits: &Habits,
        second: bool,
        dice: &mut Dice,
    ) -> Record {
        let other = dice.permille(if second { 700 } else { habits.other_mailbox });
        let mailbox = self.mailbox(person, if other { Mailbox::Other } else { Mailbox::Main });
        let (given, family) = self.names(person, second, dice);
        let mut record = Record {
            given: (!dice.permille(15)).then_some(given),
            family: Some(family),
            born: birth_date(person, habits, dice),
            email: (!dice.permille(habits.no_email)).then_some(mailbox),
            phone: (!dice.permille(habits.no_phone)).then(|| self.mobile(person, dice)),
            street: None,
            zip: None,
            city: None,
        };
        if !dice.permille(habits.no_address) {
            self.fill_address(&mut record, person, second, dice);
        }
        spoil(&mut record, habits, dice);
        record
    }

    fn names(&self, person: &Person<'_>, second: bool, dice: &mut Dice) -> (String, String) {
        let nickname = self.vocabulary.nicknames.get(&person.given.text);
        let given = match nickname {
            Some(nickname) if dice.permille(if second { 200 } else { 70 }) => nickname.clone(),
            _ => person.given.text.clone(),
        };
        let family = match person.other_family {
            Some(other) if dice.permille(300) => other.text.clone(),
            _ => person.family.text.clone(),
        };
        if dice.permille(12) { (family, given) } else { (given, family) }
    }

    fn fill_address(
        &self,
        record: &mut Record,
        person: &Person<'_>,
        second: bool,
        dice: &mut Dice,
    ) {
        let moved = dice.permille(if second { 300 } else { 60 });
        let address = if moved { &person.home.earlier } else { &person.home.address };
        let (street, house) = (address.street, address.house);
        record.street = Some(match person.home.country.number_first {
            true => format!("{house} {street}"),
            false => format!("{street} {house}"),
        });
        record.zip = Some(address.postcode.clone());
        record.city = Some(address.city.name.clone());
    }
}

fn birth_date(person: &Person<'_>, habits: &Habits, dice: &mut Dice) -> Option<NaiveDate> {
    use chrono::Datelike;
    let born = person.born;
    match dice.below(1000) {
        chance if chance < habits.no_birth_date => None,
        // What forms fill in by themselves.
        chance if chance > 985 => NaiveDate::from_ymd_opt(1900, 1, 1),
        // Day and month the other way round, where that is a date.
        chance if chance > 970 => {
            born.with_day(born.month()).and_then(|date| date.with_month(born.day())).or(Some(born))
        }
        chance if chance > 960 => born.with_year(born.year() - 1).or(Some(born)),
        _ => Some(born),
    }
}

/// Makes the mistakes that the source makes.
fn spoil(record: &mut Record, habits: &Habits, dice: &mut Dice) {
    if dice.permille(habits.garbage) {
        record.email = Some("test@test.com".to_owned());
        record.phone = Some("0000000000".to_owned());
    }
    let (unaccented, capitals) = (dice.permille(90), dice.permille(habits.capitals));
    let texts = [&mut record.given, &mut record.family, &mut record.street, &mut record.city];
    for text in texts.into_iter().flatten() {
        if dice.permille(habits.typo) {
            mistake(text, habits.scanned && dice.permille(700), dice);
        }
        if unaccented {
            *text = plain(text);
        }
        if capitals {
            *text = text.to_uppercase();
        }
        if dice.permille(12) {
            text.push(' ');
        }
    }
    if let Some(zip) = &mut record.zip
        && dice.permille(habits.typo / 3)
    {
        mistake(zip, habits.scanned, dice);
    }
    if let Some(email) = &mut record.email {
        spoil_email(email, habits, dice);
    }
}

/// Digits of a mailbox stay: with another number it would be somebody else's.
fn spoil_email(email: &mut String, habits: &Habits, dice: &mut Dice) {
    match dice.below(1000) {
        0..20 => *email = email.to_uppercase(),
        20..30 => email.push(' '),
        30..33 => *email = email.replace("gmail", "gmial"),
        33..36 => *email = email.replace("hotmail", "hotmial"),
        36..38 => *email = email.replace(".example", ".exmaple"),
        chance if chance >= 1000 - habits.typo / 5 => {
            let end = email.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(0);
            let mut word: String = email.drain(..end).collect();
            mistake(&mut word, false, dice);
            word.retain(|letter| letter.is_ascii_alphabetic());
            email.insert_str(0, &word);
        }
        _ => {}
    }
}
