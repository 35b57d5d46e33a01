-- The card office of the stores.
CREATE SCHEMA loyalty;
COMMENT ON SCHEMA loyalty IS 'Loyalty cards, from paper forms that were scanned';

CREATE TABLE loyalty.cards (card loyalty_card PRIMARY KEY, first_name given_name, last_name family_name,
  born birth_date, email email, mobile phone, street street_address, zip postcode, city city, store text NOT NULL,
  joined_at timestamptz NOT NULL);
COMMENT ON TABLE loyalty.cards IS 'One row for each card; who loses one gets another';
COMMENT ON COLUMN loyalty.cards.card IS 'Number of the card, 13 digits, the last one a check digit';
COMMENT ON COLUMN loyalty.cards.first_name IS 'Given name as the scanner read it';
COMMENT ON COLUMN loyalty.cards.last_name IS 'Family name as the scanner read it';
COMMENT ON COLUMN loyalty.cards.born IS 'Date of birth';
COMMENT ON COLUMN loyalty.cards.email IS 'Mailbox, if given';
COMMENT ON COLUMN loyalty.cards.mobile IS 'Mobile telephone';
COMMENT ON COLUMN loyalty.cards.street IS 'Street and house number';
COMMENT ON COLUMN loyalty.cards.zip IS 'Postcode';
COMMENT ON COLUMN loyalty.cards.city IS 'Town';
COMMENT ON COLUMN loyalty.cards.store IS 'Store that gave out the card';
COMMENT ON COLUMN loyalty.cards.joined_at IS 'When the form was handed in';
