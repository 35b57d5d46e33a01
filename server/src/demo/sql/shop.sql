-- The web shop and the tills of the stores.
CREATE DOMAIN shop_id AS customer_key;
COMMENT ON DOMAIN shop_id IS 'Customer number of the web shop';

CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS 'Products, accounts and orders, online and in stores';

CREATE TABLE shop.products (product_id text PRIMARY KEY, name text NOT NULL, category text NOT NULL, brand text,
  price numeric(12,2) NOT NULL CHECK (price >= 0), stock int NOT NULL, launched_on date);
COMMENT ON TABLE shop.products IS 'The range';
COMMENT ON COLUMN shop.products.product_id IS 'Article number';
COMMENT ON COLUMN shop.products.name IS 'Name in the shop';
COMMENT ON COLUMN shop.products.category IS 'Department';
COMMENT ON COLUMN shop.products.brand IS 'Brand';
COMMENT ON COLUMN shop.products.price IS 'List price of one, euros';
COMMENT ON COLUMN shop.products.stock IS 'Pieces in the warehouse; 0: sold out';
COMMENT ON COLUMN shop.products.launched_on IS 'Day since when it is sold';

CREATE TABLE shop.customers (customer_number shop_id PRIMARY KEY, email email NOT NULL, first_name given_name,
  last_name family_name, phone phone, street street_address, zip postcode, city city, country country,
  newsletter boolean NOT NULL, registered_at timestamptz NOT NULL);
COMMENT ON TABLE shop.customers IS 'Accounts that people made in the web shop; some made a second one';
COMMENT ON COLUMN shop.customers.customer_number IS 'Customer number of the shop';
COMMENT ON COLUMN shop.customers.email IS 'Mailbox with which the account was made';
COMMENT ON COLUMN shop.customers.first_name IS 'Given name';
COMMENT ON COLUMN shop.customers.last_name IS 'Family name';
COMMENT ON COLUMN shop.customers.phone IS 'Telephone for deliveries';
COMMENT ON COLUMN shop.customers.street IS 'Street and house number';
COMMENT ON COLUMN shop.customers.zip IS 'Postcode';
COMMENT ON COLUMN shop.customers.city IS 'Town';
COMMENT ON COLUMN shop.customers.country IS 'Country, ISO 3166-1';
COMMENT ON COLUMN shop.customers.newsletter IS 'Whether the box for the newsletter was ticked';
COMMENT ON COLUMN shop.customers.registered_at IS 'When the account was made';

CREATE TABLE shop.orders (order_id text PRIMARY KEY, email email, card loyalty_card, store text NOT NULL,
  total numeric(12,2) NOT NULL, ordered_at timestamptz NOT NULL);
COMMENT ON TABLE shop.orders IS 'Orders of the web shop and receipts of the stores';
COMMENT ON COLUMN shop.orders.order_id IS 'Order number, rising with time';
COMMENT ON COLUMN shop.orders.email IS 'Mailbox of the order, or for the receipt';
COMMENT ON COLUMN shop.orders.card IS 'Loyalty card that was shown at the till';
COMMENT ON COLUMN shop.orders.store IS 'Store, or online';
COMMENT ON COLUMN shop.orders.total IS 'Sum of the lines, euros';
COMMENT ON COLUMN shop.orders.ordered_at IS 'When it was ordered or paid';

CREATE TABLE shop.order_lines (order_id text NOT NULL REFERENCES shop.orders,
  product_id text NOT NULL REFERENCES shop.products, quantity int NOT NULL CHECK (quantity > 0),
  price numeric(12,2) NOT NULL);
COMMENT ON TABLE shop.order_lines IS 'What each order consists of';
COMMENT ON COLUMN shop.order_lines.order_id IS 'Order';
COMMENT ON COLUMN shop.order_lines.product_id IS 'Product';
COMMENT ON COLUMN shop.order_lines.quantity IS 'Pieces';
COMMENT ON COLUMN shop.order_lines.price IS 'Price paid for one, euros; lower than the list price in a sale';
