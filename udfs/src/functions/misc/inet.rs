//! Addresses of the internet (manual, 9.12): they are kept as text in PostgreSQL's form.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::functions::argument::Row;
use crate::functions::function::{Function, function};
use crate::functions::value::Value;
use crate::{Result, ValueError};

/// What addresses are ordered by; no name that SQL can call.
pub const INET_ORDER: &str = "inet order";

pub(super) fn functions() -> Vec<Function> {
    [parts(), tests(), arithmetic()].concat()
}

fn parts() -> Vec<Function> {
    vec![
        function("host(inet) -> text", "The address without its netmask.", |row| {
            Ok(address(row, 0)?.ip().to_string().into())
        }),
        function("abbrev(inet) -> text", "The address as it is printed.", |row| {
            Ok(row.text(0).to_owned().into())
        }),
        function("masklen(inet) -> int4", "The length of the netmask in bits.", |row| {
            Ok(i64::from(address(row, 0)?.bits).into())
        }),
        function("set_masklen(inet, int4) -> inet", "The address with another netmask.", |row| {
            let address = address(row, 0)?;
            let bits = match row.int(1) {
                -1 => Some(address.width()),
                bits => u8::try_from(bits).ok().filter(|bits| *bits <= address.width()),
            };
            let invalid = || invalid(format!("invalid mask length: {}", row.int(1)));
            Ok(Address { bits: bits.ok_or_else(invalid)?, ..address }.shown())
        }),
        function("family(inet) -> int4", "The family of the address: 4 or 6.", |row| {
            Ok(if address(row, 0)?.six { 6 } else { 4 }.into())
        }),
        function("netmask(inet) -> inet", "The netmask of the network.", |row| {
            let address = address(row, 0)?;
            Ok(Address { value: address.mask(), bits: address.width(), ..address }.shown())
        }),
        function("hostmask(inet) -> inet", "The bits that are the host's.", |row| {
            let address = address(row, 0)?;
            Ok(Address { value: address.hosts(), bits: address.width(), ..address }.shown())
        }),
        function("broadcast(inet) -> inet", "The last address of the network.", |row| {
            let address = address(row, 0)?;
            Ok(Address { value: address.value | address.hosts(), ..address }.shown())
        }),
        function("text(inet) -> text", "The address with its netmask.", |row| {
            Ok(with_netmask(row.text(0)).into())
        }),
        function("inet order(inet) -> text", "A text that sorts as the addresses do.", |row| {
            Ok(address(row, 0)?.order().into())
        }),
    ]
}

fn tests() -> Vec<Function> {
    vec![
        function("network_sub(inet, inet) -> bool", "Whether the first is in the second.", |row| {
            Ok(address(row, 0)?.is_in(&address(row, 1)?, false).into())
        })
        .operator("<<"),
        function(
            "network_subeq(inet, inet) -> bool",
            "The same, or whether they are equal.",
            |row| Ok(address(row, 0)?.is_in(&address(row, 1)?, true).into()),
        )
        .operator("<<="),
        function("network_sup(inet, inet) -> bool", "Whether the second is in the first.", |row| {
            Ok(address(row, 1)?.is_in(&address(row, 0)?, false).into())
        })
        .operator(">>"),
        function(
            "network_supeq(inet, inet) -> bool",
            "The same, or whether they are equal.",
            |row| Ok(address(row, 1)?.is_in(&address(row, 0)?, true).into()),
        )
        .operator(">>="),
        function("network_overlap(inet, inet) -> bool", "Whether one is in the other.", |row| {
            let (left, right) = (address(row, 0)?, address(row, 1)?);
            Ok((left.is_in(&right, true) || right.is_in(&left, true)).into())
        })
        .operator("&&"),
        function(
            "inet_same_family(inet, inet) -> bool",
            "Whether both are of one family.",
            |row| Ok((address(row, 0)?.six == address(row, 1)?.six).into()),
        ),
    ]
}

fn arithmetic() -> Vec<Function> {
    vec![
        function("inetpl(inet, int8) -> inet", "A later address.", |row| {
            address(row, 0)?.moved(row.int(1).into())
        })
        .operator("+"),
        function("int8pl_inet(int8, inet) -> inet", "A later address.", |row| {
            address(row, 1)?.moved(row.int(0).into())
        })
        .operator("+"),
        function("inetmi_int8(inet, int8) -> inet", "An earlier address.", |row| {
            address(row, 0)?.moved(-i128::from(row.int(1)))
        })
        .operator("-"),
        function(
            "inetmi(inet, inet) -> int8",
            "How far two addresses are from one another.",
            |row| {
                let (left, right) = (address(row, 0)?, address(row, 1)?);
                if left.six != right.six {
                    return Err(invalid(
                        "cannot subtract inet values of different sizes".to_owned(),
                    ));
                }
                // Two's complement: what fits is right, whichever is the greater.
                let distance = left.value.wrapping_sub(right.value) as i128;
                i64::try_from(distance).map(Value::from).map_err(|_| out_of_range())
            },
        )
        .operator("-"),
    ]
}

/// An address with its netmask.
#[derive(Debug, Clone, Copy)]
struct Address {
    six: bool,
    /// The address, in the lower bits.
    value: u128,
    bits: u8,
}

impl Address {
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let (six, value) = match address.parse().ok()? {
            IpAddr::V4(four) => (false, u32::from(four).into()),
            IpAddr::V6(six) => (true, u128::from(six)),
        };
        let plain = Self { six, value, bits: 0 };
        Some(Self { bits: bits.unwrap_or(plain.width()), ..plain })
    }

    fn width(&self) -> u8 {
        if self.six { 128 } else { 32 }
    }

    fn all(&self) -> u128 {
        u128::MAX >> (128 - u32::from(self.width()))
    }

    /// The bits that are the host's.
    fn hosts(&self) -> u128 {
        self.all().checked_shr(self.bits.into()).unwrap_or(0)
    }

    /// Those that are the network's.
    fn mask(&self) -> u128 {
        self.all() & !self.hosts()
    }

    fn is_in(&self, network: &Self, or_equal: bool) -> bool {
        self.six == network.six
            && (self.value ^ network.value) & network.mask() == 0
            && (self.bits > network.bits || or_equal && self.bits == network.bits)
    }

    /// The address that is so many places further.
    fn moved(self, by: i128) -> Result<Value> {
        let value = self.value.checked_add_signed(by).filter(|value| *value <= self.all());
        Ok(Self { value: value.ok_or_else(out_of_range)?, ..self }.shown())
    }

    fn ip(&self) -> IpAddr {
        match u32::try_from(self.value) {
            Ok(four) if !self.six => Ipv4Addr::from(four).into(),
            _ => Ipv6Addr::from(self.value).into(),
        }
    }

    fn shown(&self) -> Value {
        let ip = self.ip();
        match self.bits == self.width() {
            true => ip.to_string().into(),
            false => format!("{ip}/{}", self.bits).into(),
        }
    }

    /// The family, the bits of the network, then the whole address: a network comes before those
    /// in it, and before its hosts.
    fn order(&self) -> String {
        let host = u32::from(self.width() - self.bits);
        let (family, length) = (if self.six { 6 } else { 4 }, usize::from(self.bits));
        let digits = usize::from(self.width() / 4);
        match self.value.checked_shr(host) {
            Some(network) if length > 0 => {
                format!("{family}{network:0length$b} {:0digits$x}", self.value)
            }
            _ => format!("{family} {:0digits$x}", self.value),
        }
    }
}

/// An address with the netmask that is not printed.
pub(crate) fn with_netmask(text: &str) -> String {
    match text.contains('/') {
        true => text.to_owned(),
        false => format!("{text}/{}", if text.contains(':') { 128 } else { 32 }),
    }
}

fn address(row: &Row<'_>, argument: usize) -> Result<Address> {
    let text = row.text(argument);
    Address::read(text).ok_or_else(|| ValueError::invalid_text("inet", text))
}

fn invalid(message: String) -> ValueError {
    ValueError::new("22023", message)
}

fn out_of_range() -> ValueError {
    ValueError::new("22003", "result is out of range")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing::check;

    #[test]
    fn addresses() {
        check(&[
            ("host('10.0.0.1/24')", "10.0.0.1"),
            ("masklen('10.1.1.1/12')", "12"),
            ("netmask('::1/64')", "ffff:ffff:ffff:ffff::"),
            ("hostmask('10.0.0.1/24')", "0.0.0.255"),
            ("broadcast('10.0.0.1/24')", "10.0.0.255/24"),
            ("set_masklen('10.0.0.1/24', 16)", "10.0.0.1/16"),
            ("network_sub('10.0.0.1', '10.0.0.0/8')", "t"),
            ("network_sub('10.0.0.0/8', '10.0.0.0/8')", "f"),
            ("network_overlap('10.0.0.0/8', '10.1.0.0/16')", "t"),
            ("inetmi('::1', '::5')", "-4"),
        ]);
    }

    #[test]
    fn networks_come_before_their_hosts() {
        let sorted = [
            "0.0.0.0/0",
            "9.0.0.1",
            "10.0.0.0/8",
            "10.0.0.2/24",
            "10.0.0.2",
            "10.0.0.10",
            "::/0",
            "::1",
        ];
        let orders = sorted.map(|text| Address::read(text).unwrap().order());
        assert!(orders.is_sorted(), "{orders:?}");
    }
}
