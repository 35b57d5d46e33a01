-- What sales and support know: typed in by hand over the years.
CREATE DOMAIN crm_id AS customer_key;
COMMENT ON DOMAIN crm_id IS 'Contact number of the CRM';

CREATE SCHEMA crm;
COMMENT ON SCHEMA crm IS 'Contacts of sales and support, typed in by hand';

CREATE TABLE crm.contacts (contact_id crm_id PRIMARY KEY, email email, mobile phone, first_name given_name,
  last_name family_name, born birth_date, zip postcode, city city, created_at timestamptz NOT NULL);
COMMENT ON TABLE crm.contacts IS 'One row for each contact; some people have two';
COMMENT ON COLUMN crm.contacts.contact_id IS 'Contact number';
COMMENT ON COLUMN crm.contacts.email IS 'Mailbox; test@test.com where somebody wanted to get on';
COMMENT ON COLUMN crm.contacts.mobile IS 'Mobile telephone, written as it was said';
COMMENT ON COLUMN crm.contacts.first_name IS 'Given name, a short form now and then';
COMMENT ON COLUMN crm.contacts.last_name IS 'Family name, of birth or of marriage';
COMMENT ON COLUMN crm.contacts.born IS 'Date of birth; 1900-01-01 was filled in by a form';
COMMENT ON COLUMN crm.contacts.zip IS 'Postcode of the home';
COMMENT ON COLUMN crm.contacts.city IS 'Town of the home';
COMMENT ON COLUMN crm.contacts.created_at IS 'When the contact was made';
