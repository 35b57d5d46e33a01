//! Who somebody is: the truth that no source has as a whole.

use chrono::{Datelike, NaiveDate, TimeDelta};

use super::World;
use super::random::{Dice, Topic};
use super::vocabulary::{City, Country, Name};

/// Neighbours in numbers of whom that many in a thousand live together.
const TOGETHER: u64 = 280;
/// Of those, so many in a thousand are parent and child of the same name.
const JUNIORS: u64 = 50;
/// Share one mailbox.
const ONE_MAILBOX: u64 = 140;
/// Share one telephone.
const ONE_TELEPHONE: u64 = 250;

/// A person.
pub(crate) struct Person<'w> {
    /// The number, from 0 in the order in which they became customers.
    pub(crate) number: u64,
    /// Where it lives.
    pub(crate) home: Home<'w>,
    /// Given name.
    pub(crate) given: &'w Name,
    /// Family name.
    pub(crate) family: &'w Name,
    /// An earlier or a later family name.
    pub(crate) other_family: Option<&'w Name>,
    /// Date of birth.
    pub(crate) born: NaiveDate,
}

/// Where people live, alone or together.
pub(crate) struct Home<'w> {
    pub(crate) country: &'w Country,
    pub(crate) family: &'w Name,
    pub(crate) address: Address<'w>,
    /// The address before.
    pub(crate) earlier: Address<'w>,
}

/// A postal address.
pub(crate) struct Address<'w> {
    pub(crate) street: &'w str,
    pub(crate) house: u64,
    pub(crate) postcode: String,
    pub(crate) city: &'w City,
}

/// What two neighbours in numbers have in common.
#[derive(Clone, Copy)]
pub(crate) struct Household {
    /// They live at one address under one name.
    pub(crate) together: bool,
    /// Parent and child with the same given name.
    pub(crate) junior: bool,
    /// The second uses the mailbox of the first.
    pub(crate) one_mailbox: bool,
    /// The second gives the telephone of the first.
    pub(crate) one_telephone: bool,
}

impl World {
    /// What the person and its neighbour have in common.
    pub(crate) fn household(&self, person: u64) -> Household {
        let fact = self.fact(Topic::Together, person / 2);
        let together = fact % 1000 < TOGETHER && (person | 1) < self.people;
        let chance = |shift: u32, permille: u64| together && (fact >> shift) % 1000 < permille;
        Household {
            together,
            junior: chance(10, JUNIORS),
            one_mailbox: chance(20, ONE_MAILBOX),
            one_telephone: chance(30, ONE_TELEPHONE),
        }
    }

    /// The first of those who live together, else the person itself.
    pub(crate) fn head(&self, person: u64) -> u64 {
        if self.household(person).together { person & !1 } else { person }
    }

    /// Country of a person, without the rest.
    pub(crate) fn country(&self, person: u64) -> Option<&Country> {
        self.vocabulary.countries.draw(&mut self.dice(Topic::Home, self.head(person)))
    }

    /// A person; `None` only if a list is empty.
    pub(crate) fn person(&self, number: u64) -> Option<Person<'_>> {
        let household = self.household(number);
        let home = self.home(self.head(number))?;
        let second = number & 1 == 1;
        let named_after = if household.junior { number & !1 } else { number };
        let mut dice = self.dice(Topic::Person, named_after);
        let female = dice.permille(540);
        let given =
            if female { &home.country.female } else { &home.country.male }.draw(&mut dice)?;
        let born = birth_date(&mut dice);
        let born = if household.junior && !second { years_earlier(born, 27) } else { born };
        let other = home.country.family.draw(&mut dice)?;
        let other_family = (female && dice.permille(150)).then_some(other);
        Some(Person { number, given, family: home.family, other_family, born, home })
    }

    fn home(&self, head: u64) -> Option<Home<'_>> {
        let mut dice = self.dice(Topic::Home, head);
        let country = self.vocabulary.countries.draw(&mut dice)?;
        Some(Home {
            country,
            family: country.family.draw(&mut dice)?,
            address: address(country, &mut dice)?,
            earlier: address(country, &mut dice)?,
        })
    }
}

fn address<'w>(country: &'w Country, dice: &mut Dice) -> Option<Address<'w>> {
    let city = country.cities.draw(dice)?;
    let street = country.streets.draw(dice)?;
    Some(Address {
        street,
        house: 1 + dice.below(12) * dice.below(12),
        postcode: city.postcode(dice),
        city,
    })
}

/// Adults, most of them between 25 and 70.
fn birth_date(dice: &mut Dice) -> NaiveDate {
    const LATEST_YEAR: i32 = 2007;
    let age = (dice.below(30) + dice.below(30) + dice.below(25)) as i64;
    let day = dice.below(365) as i64;
    let latest = NaiveDate::from_ymd_opt(LATEST_YEAR, 12, 31).unwrap_or_default();
    latest - TimeDelta::days(age * 365 + age / 4 + day)
}

fn years_earlier(date: NaiveDate, years: i32) -> NaiveDate {
    date.with_year(date.year() - years).unwrap_or(date)
}
