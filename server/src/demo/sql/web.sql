-- What browsers report.
CREATE SCHEMA web;
COMMENT ON SCHEMA web IS 'The web site';

CREATE TABLE web.events (device device_id NOT NULL, contact_id crm_id, event text NOT NULL, properties jsonb,
  occurred_at timestamptz NOT NULL);
COMMENT ON TABLE web.events IS 'One row for each step of each visit';
COMMENT ON COLUMN web.events.device IS 'Identifier of the browser; who refuses cookies gets a new one at each visit';
COMMENT ON COLUMN web.events.contact_id IS 'Contact number, once somebody has logged in';
COMMENT ON COLUMN web.events.event IS 'visit, search, category_view, product_view, add_to_cart, checkout or purchase';
COMMENT ON COLUMN web.events.properties IS 'session, and by kind of event: source, category, query, product_id, price, quantity, total, order_id';
COMMENT ON COLUMN web.events.occurred_at IS 'When';
