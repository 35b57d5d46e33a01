CREATE TABLE rfm_names (name text NOT NULL, r_from int NOT NULL, r_to int NOT NULL, f_from int NOT NULL, f_to int NOT NULL);
COMMENT ON TABLE rfm_names IS 'Names of customers by recency and frequency, 1 to 5 each; change them as you like';
COMMENT ON COLUMN rfm_names.name IS 'The name';
COMMENT ON COLUMN rfm_names.r_from IS 'Lowest score of recency; 5: bought lately';
COMMENT ON COLUMN rfm_names.r_to IS 'Highest score of recency';
COMMENT ON COLUMN rfm_names.f_from IS 'Lowest score of frequency; 5: buys often';
COMMENT ON COLUMN rfm_names.f_to IS 'Highest score of frequency';
INSERT INTO rfm_names VALUES
  ('champions', 5, 5, 4, 5), ('loyal', 3, 4, 4, 5), ('potential loyal', 4, 5, 2, 3), ('new', 5, 5, 1, 1),
  ('promising', 4, 4, 1, 1), ('need attention', 3, 3, 3, 3), ('about to sleep', 3, 3, 1, 2),
  ('cannot lose', 1, 2, 5, 5), ('at risk', 1, 2, 3, 4), ('hibernating', 1, 2, 1, 2);
