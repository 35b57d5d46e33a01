-- Purchases of Online Retail as the example `quality` reads them: sales with a customer and a price, items with five buyers or more.
--   duckdb -csv -noheader < benches/compare/online_retail.sql | cargo run --release -p clientele-recommend --example quality
WITH sales AS (FROM 'server/data/online_retail.parquet' WHERE CustomerID IS NOT NULL AND UnitPrice > 0 AND Quantity > 0),
  items AS (SELECT StockCode, row_number() OVER (ORDER BY StockCode) AS item FROM sales GROUP BY 1 HAVING count(DISTINCT CustomerID) >= 5)
SELECT CustomerID, item, Quantity, epoch(InvoiceDate)::bigint FROM sales JOIN items USING (StockCode)
