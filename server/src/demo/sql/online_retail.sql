-- Real data: Online Retail, raw, with cancellations and without 135 080 customer numbers.
CREATE SCHEMA online_retail;
COMMENT ON SCHEMA online_retail IS 'Online Retail: Daqing Chen, UCI Machine Learning Repository, 2015, doi:10.24432/C5BW33, licence CC BY 4.0';

CREATE TABLE online_retail.lines (invoice_no text NOT NULL, stock_code text NOT NULL, description text,
  quantity int NOT NULL, invoiced_at timestamp NOT NULL, unit_price numeric(12,3) NOT NULL,
  customer_no customer_key, country text);
COMMENT ON TABLE online_retail.lines IS 'Invoice lines of a British gift wholesaler, December 2010 to December 2011. Online Retail, Daqing Chen, doi:10.24432/C5BW33, CC BY 4.0';
COMMENT ON COLUMN online_retail.lines.invoice_no IS 'Invoice; C in front: cancelled, A in front: bad debt adjusted';
COMMENT ON COLUMN online_retail.lines.stock_code IS 'Product';
COMMENT ON COLUMN online_retail.lines.description IS 'Name of the product';
COMMENT ON COLUMN online_retail.lines.quantity IS 'Pieces; negative where something came back';
COMMENT ON COLUMN online_retail.lines.invoiced_at IS 'When, in local time';
COMMENT ON COLUMN online_retail.lines.unit_price IS 'Price of one, pounds sterling';
COMMENT ON COLUMN online_retail.lines.customer_no IS 'Customer; NULL for one line in four';
COMMENT ON COLUMN online_retail.lines.country IS 'Country of the customer';
