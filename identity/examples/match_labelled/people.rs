//! Made-up people: one to eight records each, with the errors of customer data.
//!
//! Names are drawn from those of the labelled sets by a Zipf law. Rates: typing errors 4–10 % per
//! field, missing values 2–30 %, swapped names 2 %, shortened given names 4 %, errors of dates
//! 5 %, another city, phone or e-mail 12–15 %, phones shared by a household 5 %.

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    fn chance(&mut self, percent: f64) -> bool {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64 * 100.0 < percent
    }
}

/// Values by a Zipf law over their order.
struct Zipf {
    values: Vec<String>,
    sums: Vec<f64>,
}

impl Zipf {
    fn new(values: Vec<String>) -> Self {
        let mut sum = 0.0;
        let weight = |place: usize| 1.0 / (place as f64 + 4.0).powf(0.85);
        let sums = (0..values.len())
            .map(|place| {
                sum += weight(place);
                sum
            })
            .collect();
        Self { values, sums }
    }

    fn draw(&self, random: &mut Random) -> usize {
        let drawn = (random.next() >> 11) as f64 / (1u64 << 53) as f64;
        let total = self.sums.last().copied().unwrap_or(1.0);
        self.sums.partition_point(|sum| *sum < drawn * total).min(self.values.len() - 1)
    }
}

/// The columns, with what they mean and how often (in percent) a value is missing.
pub(crate) const COLUMNS: [(&str, &str, f64); 7] = [
    ("given_name", "given_name", 2.0),
    ("family_name", "family_name", 2.0),
    ("birth_date", "date", 15.0),
    ("email", "email", 30.0),
    ("phone", "phone", 30.0),
    ("city", "city", 10.0),
    ("postcode", "postcode", 10.0),
];

/// One record: its person and its values.
pub(crate) type Record = (u32, [Option<String>; 7]);

/// Where people come from.
pub(crate) struct World {
    given: Zipf,
    family: Zipf,
    cities: Zipf,
    random: Random,
}

impl World {
    pub(crate) fn new(given: Vec<String>, family: Vec<String>, cities: Vec<String>) -> Self {
        let (given, family) = (Zipf::new(given), Zipf::new(family));
        Self { given, family, cities: Zipf::new(cities), random: Random(42) }
    }

    /// Records of people until there are `count`, in no order.
    pub(crate) fn records(&mut self, count: usize) -> Vec<Record> {
        let mut records: Vec<Record> = Vec::with_capacity(count + 8);
        let mut person = 0;
        let mut phone = String::new();
        while records.len() < count {
            let truth = self.person(&mut phone);
            let mut copies = 1;
            while copies < 8 && self.random.chance(43.0) {
                copies += 1;
            }
            for copy in 0..copies {
                let values = if copy == 0 { truth.clone() } else { self.moved(&truth) };
                records.push((person, self.spoiled(values)));
            }
            person += 1;
        }
        for place in (1..records.len()).rev() {
            let other = self.random.below(place + 1);
            records.swap(place, other);
        }
        records.truncate(count);
        records
    }

    fn person(&mut self, phone: &mut String) -> [String; 7] {
        let random = &mut self.random;
        let given = self.given.values[self.given.draw(random)].clone();
        let family = self.family.values[self.family.draw(random)].clone();
        let date = format!(
            "{}-{:02}-{:02}",
            1935 + random.below(70),
            1 + random.below(12),
            1 + random.below(28)
        );
        if phone.is_empty() || !random.chance(5.0) {
            *phone = format!("0{:09}", random.below(1_000_000_000));
        }
        let email = email(random, &given, &family);
        let (city, postcode) = home(&self.cities, random);
        [given, family, date, email, phone.clone(), city, postcode]
    }

    /// The same person at another time.
    fn moved(&mut self, truth: &[String; 7]) -> [String; 7] {
        let mut values = truth.clone();
        let random = &mut self.random;
        if random.chance(12.0) {
            (values[5], values[6]) = home(&self.cities, random);
        }
        if random.chance(14.0) {
            values[4] = format!("0{:09}", random.below(1_000_000_000));
        }
        if random.chance(15.0) {
            values[3] = email(random, &values[0], &values[1]);
        }
        values
    }

    /// With errors, as somebody typed it.
    fn spoiled(&mut self, mut values: [String; 7]) -> [Option<String>; 7] {
        const TYPING: [f64; 7] = [7.0, 7.0, 0.0, 5.0, 4.0, 10.0, 5.0];
        let random = &mut self.random;
        if random.chance(4.0) {
            let keep = if random.chance(50.0) { 1 } else { 3 };
            values[0] = values[0].chars().take(keep).collect();
        }
        if random.chance(2.0) {
            values.swap(0, 1);
        }
        if random.chance(5.0) {
            values[2] = wrong_date(random, &values[2]);
        }
        let mut place = 0;
        values.map(|value| {
            let (missing, typing) = (COLUMNS[place].2, TYPING[place]);
            place += 1;
            if random.chance(missing) {
                return None;
            }
            Some(if random.chance(typing) { mistyped(random, &value) } else { value })
        })
    }
}

fn email(random: &mut Random, given: &str, family: &str) -> String {
    const PROVIDERS: [&str; 6] =
        ["gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "gmx.net", "example.org"];
    let provider = PROVIDERS[random.below(PROVIDERS.len())];
    let given = given.replace(' ', "");
    match random.below(3) {
        0 => format!("{given}.{family}{}@{provider}", random.below(100)),
        1 => format!("{}{family}{}@{provider}", &given[..1], random.below(1000)),
        _ => format!("{family}.{given}{}@{provider}", random.below(100)),
    }
}

fn home(cities: &Zipf, random: &mut Random) -> (String, String) {
    let city = cities.draw(random);
    (cities.values[city].clone(), format!("{:03}{:02}", city % 1000, random.below(40)))
}

fn wrong_date(random: &mut Random, date: &str) -> String {
    let (year, month, day) = (&date[..4], &date[5..7], &date[8..]);
    match random.below(3) {
        0 => format!("{year}-{day}-{month}"),
        1 => format!("{}-{month}-{day}", 1935 + random.below(70)),
        _ => mistyped(random, date),
    }
}

/// One insertion, deletion, substitution or transposition.
fn mistyped(random: &mut Random, value: &str) -> String {
    let mut letters: Vec<char> = value.chars().collect();
    if letters.len() < 2 {
        return value.to_owned();
    }
    let place = random.below(letters.len() - 1);
    let digit = letters[place].is_ascii_digit();
    let any = if digit {
        char::from(b'0' + random.below(10) as u8)
    } else {
        char::from(b'a' + random.below(26) as u8)
    };
    match random.below(4) {
        0 => letters.insert(place, any),
        1 => drop(letters.remove(place)),
        2 => letters[place] = any,
        _ => letters.swap(place, place + 1),
    }
    letters.into_iter().collect()
}
