CREATE VIEW segments.birthday AS
SELECT customer_id FROM customers.profiles WHERE anniversary(birth_date, current_date) < current_date + 7;
COMMENT ON VIEW segments.birthday IS 'Have their birthday within the next seven days; of 29 February on the 28th in other years';
